import { describe, expect, it } from 'vitest'
import type { Happening } from '../happening.ts'
import { concluded, judge, link, mode } from '../testing/history.ts'

const minute = 60_000
const verdict = concluded(minute, 'b', 'a')

describe('a verdict', () => {
  it.each<[string, readonly Happening[], number]>([
    ['on a host that was there all the time', [verdict], 1],
    ['on a host that lost power', [mode(50_000, 'a', 'off', 'power'), verdict], 0],
    [
      'on a host that was away for some of the time that its silence took',
      [mode(20_000, 'a', 'suspended', 'suspend'), mode(45_001, 'a', 'running', 'resume'), verdict],
      0,
    ],
    [
      'on a host that was back before its silence began',
      [mode(20_000, 'a', 'suspended', 'suspend'), mode(44_999, 'a', 'running', 'resume'), verdict],
      1,
    ],
    [
      'by a host whose link is cut, which another host could have bridged',
      [...link(40_000, 'a', 'b', false), verdict],
      1,
    ],
    ['by a host that is cut off', [...link(40_000, 'a', 'b', false), ...link(40_000, 'b', 'c', false), verdict], 0],
    [
      'by a host whose bridge was away for a moment',
      [
        ...link(40_000, 'a', 'b', false),
        mode(50_000, 'c', 'frozen', 'freeze'),
        mode(51_000, 'c', 'running', 'resume'),
        verdict,
      ],
      0,
    ],
  ])('%s', (_, history, wrong) => {
    expect(judge(() => ({ kinds: [], see: () => {} }), history).verdicts).toEqual({ all: 1, false: wrong })
  })
})
