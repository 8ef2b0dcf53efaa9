/**
 * Runs a range of seeds in one test file, so that the workers share them, and fails with the seeds that broke.
 *
 * In a process of its own, as `muster simulate` does: under the test runner every call from module to module takes longer.
 */
import { formatReport, type Sums } from '@muster/simulator'
import { beforeAll, expect, it } from 'vitest'
import { runSeedsOnCores } from '../../packages/agent/src/cli/seeds-on-cores.ts'

/** Far more than the seeds of one file take beside other tests. Milliseconds. */
const RANGE_MS = 240_000

/** Faults that need not show up in a single range. */
const RARE = new Set(['leave'])

/** Declares the tests of the seeds from `from` on. */
export function testSeeds(from: number, count: number): void {
  let sums: Sums

  beforeAll(async () => {
    sums = await runSeedsOnCores({ from, count, cores: 1, args: [], signal: AbortSignal.timeout(RANGE_MS) })
  }, RANGE_MS)

  it(`hold in the seeds ${from} to ${from + count - 1}`, () => {
    expect(sums.seeds).toBe(count)
    expect(sums.virtualMs).toBeGreaterThanOrEqual(count * 600_000)
    expect(sums.brokenSeeds, formatReport(sums).join('\n')).toEqual([])
  })

  it('meet every fault and put every invariant to the test', () => {
    expect(Object.entries(sums.faults).filter(([kind, times]) => times === 0 && !RARE.has(kind))).toEqual([])
    expect(Object.entries(sums.exercised).filter(([, times]) => times === 0)).toEqual([])
    expect(Object.keys(sums.exercised)).toHaveLength(15)
  })
}
