import { describe, expect, it } from 'vitest'
import { parseCpuLine, type Reading, shareOfOthers } from './other-work.ts'

const reading = (busy: number, all: number, ticks: Readonly<Record<number, readonly [number, number]>>): Reading => ({
  busy,
  all,
  processes: new Map(Object.entries(ticks).map(([pid, [parent, used]]) => [Number(pid), { parent, ticks: used }])),
})

describe('other work', () => {
  it('is what was busy, less the benchmark, its children and theirs', () => {
    const before = reading(1_000, 5_000, { 10: [1, 50], 11: [10, 20], 12: [11, 5], 20: [1, 400] })
    const after = reading(1_300, 6_000, { 10: [1, 70], 11: [10, 60], 12: [11, 45], 20: [1, 590] })
    // 300 busy, of them 20 + 40 + 40 ours.
    expect(shareOfOthers(before, after, 10)).toBeCloseTo(0.2)
  })

  it('is never less than nothing, and nothing between two readings of one moment', () => {
    const before = reading(1_000, 5_000, { 10: [1, 50] })
    expect(shareOfOthers(before, reading(1_010, 5_100, { 10: [1, 90] }), 10)).toBe(0)
    expect(shareOfOthers(before, before, 10)).toBe(0)
  })

  it('counts all that is not idle as busy', () => {
    expect(parseCpuLine('cpu  10 1 5 100 7 2 3 4 0 0\ncpu0 1 1 1 1\n')).toEqual({ busy: 25, all: 132 })
  })
})
