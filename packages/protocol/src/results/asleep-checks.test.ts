import { expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { fixedRecords } from '../testing/fixed-records.ts'
import { memberAt, stateWith } from '../testing/make-state.ts'
import type { SignedAs } from '../wire/records.ts'
import { beginWork } from '../work.ts'
import { judgeAsleepChecks } from './asleep-checks.ts'
import { receiveEntry } from './log.ts'

const NOW = 10_000_000
const EVERY_MS = 60_000
const GRACE_MS = 15_000
/** Older than this is overdue: its own promise, and one catch-up round in which a newer one could have come. */
const PATIENCE_MS = EVERY_MS + GRACE_MS + limits.catchUpEveryMs

/** A good backup of a laptop that sleeps, signed when its own wall clock said `atUnixMs`. */
function backup(atUnixMs: number): SignedAs<'entry'> {
  const { entry } = fixedRecords
  const [result] = entry.body.results
  if (result === undefined) throw new Error('the fixed entry has a result')
  const promised = { heartbeat: 'always', everyMs: EVERY_MS, graceMs: GRACE_MS, status: 'ok', atUnixMs } as const
  const results = [{ ...result, ...promised, check: 'backup' }]
  const body = { ...entry.body, life: { incarnation: 4, epoch: 0 }, seq: 9, previous: null, atUnixMs, results }
  return { ...entry, signer: 'laptop', body: { ...body, retired: [] } }
}

/** The incidents after hearing of a backup that was made `ageMs` ago by the clocks of those who passed it on. */
function judge(ageMs: number, atUnixMs: number): readonly string[] {
  const asleep = memberAt('laptop', NOW, { state: 'asleep' })
  const work = beginWork(stateWith([asleep, memberAt('peer', NOW)], NOW))
  receiveEntry(work, backup(atUnixMs), 'peer', 'catch-up', ageMs)
  judgeAsleepChecks(work)
  return [...work.state.incidents.values()].map(({ id, check, state }) => `${check} ${state} ${id}`)
}

test.each([
  ['in time', PATIENCE_MS, 0],
  ['overdue', PATIENCE_MS + 1, 1],
])('a promise of a sleeper is %s by the age of its last report', (_, ageMs, count) => {
  expect(judge(ageMs, 0)).toHaveLength(count)
})

test('what the wall clock of the sleeper said changes neither the judgement nor the name of its trouble', () => {
  const [overdue] = judge(PATIENCE_MS + 1, 0)
  for (const atUnixMs of [1, NOW, 4_000_000_000_000]) {
    expect(judge(PATIENCE_MS, atUnixMs)).toEqual([])
    expect(judge(PATIENCE_MS + 1, atUnixMs)).toEqual([overdue])
  }
})
