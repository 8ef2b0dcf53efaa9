/** Runs a range of seeds in one test file, so that the workers share them, and fails with the seeds that broke. */
import { formatReport, runSeeds } from '@muster/simulator'
import { expect, it } from 'vitest'

/** Seeds of one test: short enough that a failure comes early. */
const BATCH = 50

/** Faults that need not show up in a single range. */
const RARE = new Set(['leave'])

/** Declares the tests of the seeds from `from` on. */
export function testSeeds(from: number, count: number): void {
  const faults = new Map<string, number>()
  const exercised = new Map<string, number>()
  for (let first = from; first < from + count; first += BATCH) {
    it(`hold in the seeds ${first} to ${first + BATCH - 1}`, () => {
      const sums = runSeeds({ from: first, count: BATCH })
      for (const [kind, times] of Object.entries(sums.faults)) faults.set(kind, (faults.get(kind) ?? 0) + times)
      for (const [invariant, times] of Object.entries(sums.exercised)) {
        exercised.set(invariant, (exercised.get(invariant) ?? 0) + times)
      }
      expect(sums.virtualMs).toBeGreaterThanOrEqual(BATCH * 600_000)
      expect(sums.brokenSeeds, formatReport(sums).join('\n')).toEqual([])
    })
  }

  it('meet every fault and put every invariant to the test', () => {
    expect([...faults].filter(([kind, times]) => times === 0 && !RARE.has(kind))).toEqual([])
    expect([...exercised].filter(([, times]) => times === 0)).toEqual([])
    expect(exercised.size).toBe(15)
  })
}
