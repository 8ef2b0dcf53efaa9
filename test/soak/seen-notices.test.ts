import { describe, expect, it } from 'vitest'
import { type Death, type Seen, tallyOf } from './seen-notices.ts'

const death = (name: string, fromMs: number, untilMs: number | null, isVoid = false): Death => ({
  name,
  fromMs,
  isParted: false,
  untilMs,
  isVoid,
})
const parted = (name: string, fromMs: number, untilMs: number | null): Death => ({
  ...death(name, fromMs, untilMs),
  isParted: true,
})

let serial = 0
function notice(
  transition: string,
  hostName: string,
  atMs: number,
  more: { hash?: string; check?: string; id?: string; aliases?: string[] } = {},
): Seen {
  serial += 1
  const { hash = `hash-${serial}`, check = '', id = 'i1', aliases = [] } = more
  return { hash, transition, toldBy: 'host-7', atMs, incidents: [{ id, aliases, hostName, check, fault: 'silent' }] }
}

const WELL = {
  falseNotices: 0,
  missedNotices: 0,
  seenTwice: 0,
  recoveriesNotOnce: 0,
  copiesFolded: 0,
  ofChecks: 0,
  wrong: [],
}
const fired = (atMs: number) => notice('fired', 'a', atMs)
const resolved = (atMs: number) => notice('resolved', 'a', atMs)

describe('what a person sees', () => {
  it.each<[string, readonly Death[], readonly Seen[], object]>([
    ['a death and a return, each once', [death('a', 0, 60_000)], [fired(12_000), resolved(33_000)], WELL],
    [
      'the same message from two nodes is seen once',
      [death('a', 0, 60_000)],
      [notice('fired', 'a', 12_000, { hash: 'x' }), notice('fired', 'a', 12_010, { hash: 'x' }), resolved(33_000)],
      WELL,
    ],
    ['a death that goes on is not judged', [death('a', 0, null)], [], WELL],
    ['nor is its return, which has not come', [death('a', 0, null)], [fired(12_000)], WELL],
    ['a death that had no effect need not be seen', [death('a', 0, 60_000, true)], [], WELL],
    [
      'one host dies again',
      [death('a', 0, 60_000), death('a', 360_000, 420_000)],
      [fired(12_000), resolved(33_000), fired(372_000), resolved(395_000)],
      WELL,
    ],
    [
      'a notice on a check is counted and not judged',
      [],
      [notice('fired', 'a', 1, { check: 'load' })],
      { ...WELL, ofChecks: 1 },
    ],
    [
      'an update is no second notice',
      [death('a', 0, 60_000)],
      [fired(12_000), notice('worse', 'a', 14_000), resolved(33_000)],
      WELL,
    ],
    [
      'what both sides of a cut say of the same is folded, under whichever name',
      [parted('a', 0, 60_000)],
      [fired(12_000), notice('fired', 'a', 32_000, { id: 'i2', aliases: ['i1'] }), resolved(33_000), resolved(34_000)],
      { ...WELL, copiesFolded: 2 },
    ],

    ['nobody died', [], [fired(12_000)], { falseNotices: 1 }],
    ['an update on one that did not die', [], [notice('worse', 'a', 14_000)], { falseNotices: 1 }],
    [
      'after a cut the same is told as something else',
      [parted('a', 0, 60_000)],
      [fired(12_000), notice('fired', 'a', 32_000, { id: 'i2' }), resolved(33_000)],
      { seenTwice: 1 },
    ],
    [
      'another one died',
      [death('b', 0, 60_000)],
      [fired(12_000), notice('fired', 'b', 12_000), notice('resolved', 'b', 33_000)],
      { falseNotices: 1, missedNotices: 0 },
    ],
    [
      'it died long ago',
      [death('a', 0, 60_000)],
      [fired(12_000), resolved(33_000), fired(70_000)],
      { falseNotices: 1 },
    ],
    ['its death had no effect', [death('a', 0, 60_000, true)], [fired(12_000)], { falseNotices: 1, missedNotices: 0 }],
    ['its death was not told', [death('a', 0, 60_000)], [], { missedNotices: 1, recoveriesNotOnce: 0 }],
    [
      'its death was told by two',
      [death('a', 0, 60_000)],
      [fired(12_000), fired(13_000), resolved(33_000)],
      { seenTwice: 1 },
    ],
    ['told by two while it goes on', [death('a', 0, null)], [fired(12_000), fired(13_000)], { seenTwice: 1 }],
    ['its return was not told', [death('a', 0, 60_000)], [fired(12_000)], { recoveriesNotOnce: 1 }],
    [
      'its return was told by two',
      [death('a', 0, 60_000)],
      [fired(12_000), resolved(33_000), resolved(34_000)],
      { recoveriesNotOnce: 1 },
    ],
    ['the return of one that never left', [], [resolved(33_000)], { recoveriesNotOnce: 1, falseNotices: 0 }],
    [
      'the return is told, the death was not',
      [death('a', 0, 60_000)],
      [resolved(33_000)],
      { missedNotices: 1, recoveriesNotOnce: 1 },
    ],
  ])('%s', (_, deaths, seen, wanted) => {
    const tally = tallyOf(deaths, seen)
    expect(tally).toMatchObject(wanted)
    const counted = tally.falseNotices + tally.missedNotices + tally.seenTwice + tally.recoveriesNotOnce
    // Whatever is counted is said.
    expect(tally.wrong.length > 0).toBe(counted > 0)
  })

  it('is timed from the death to the first of its notices, whatever their order', () => {
    const { seconds, deaths } = tallyOf([death('a', 1_000, 60_000)], [fired(14_000), fired(13_000)])
    expect({ seconds, deaths }).toEqual({ seconds: [12], deaths: 1 })
  })
})
