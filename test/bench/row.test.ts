import { describe, expect, it } from 'vitest'
import { percentile, rowOf, tableLines } from './row.ts'

const base = { name: 'x', unit: 'ms', better: 'less', runs: 3, values: [3, 1, 2], target: null } as const

describe('a row', () => {
  it.each([
    [[], 0.5, null],
    [[7], 0.95, 7],
    [[3, 1, 2], 0.5, 2],
    [[4, 3, 2, 1], 0.5, 2],
    [Array.from({ length: 100 }, (_, index) => 100 - index), 0.95, 95],
    [[3, 1, 2], 1, 3],
  ])('of %j has at %d the nearest rank, %j', (values, share, wanted) => {
    expect(percentile(values, share)).toBe(wanted)
  })

  it.each([
    ['no target is no verdict', {}, null],
    ['at the target it is met', { target: { max: 3 } }, true],
    ['above it, it is not', { target: { max: 2.9 } }, false],
    ['each part of a target counts', { target: { median: 1, max: 3 } }, false],
    ['more is better where it is', { better: 'more', target: { median: 2 } }, true],
    ['less is not enough there', { better: 'more', target: { median: 3 } }, false],
    ['what was not measured is not met', { values: [], target: { max: 3 } }, false],
    ['as many runs as promised are enough', { target: { max: 3 }, runsMin: 3 }, true],
    ['fewer runs than promised are not', { target: { max: 3 }, runsMin: 4 }, false],
    ['a run that failed spoils it', { target: { max: 3 }, failures: ['no verdict came'] }, false],
    ['the peer decides nothing', { target: { max: 3 }, peer: { name: 'serf', values: [1] } }, true],
  ] as const)('%s', (_what, change, met) => {
    expect(rowOf({ ...base, ...change }).met).toBe(met)
  })

  it('counts no runs when nothing was measured, and says why', () => {
    const row = rowOf({ ...base, values: [], note: 'no ss here' })
    expect(row).toMatchObject({ runs: 0, median: null, max: null })
    expect(tableLines([row]).at(-1)).toBe('x: no ss here')
  })

  it('says how many runs failed, each reason once, and what a short run lacks', () => {
    const failures = ['no verdict came', 'no verdict came', 'the fault was not injected']
    expect(rowOf({ ...base, failures, runsMin: 20, note: 'by ss' }).note).toBe(
      'by ss; a short run: the target is for 20 runs; 2 failed (no verdict came); 1 failed (the fault was not injected)',
    )
  })

  it.each([
    [[7.1, 6, 6.2], { name: 'serf', median: 6.2, max: 7.1 }],
    [[], null],
  ])('has of the peer that measured %j the median and the worst', (values, peer) => {
    expect(rowOf({ ...base, peer: { name: 'serf', values } }).peer).toEqual(peer)
  })

  it('is one aligned line', () => {
    const peer = { name: 'serf', values: [6, 7] }
    expect(tableLines([rowOf({ ...base, peer, target: { max: 2 } })])).toEqual([
      'figure  unit  runs  median  p95  max        peer    target  met',
      'x       ms       3       2    3    3  serf 6 / 7  max <= 2   NO',
    ])
  })
})
