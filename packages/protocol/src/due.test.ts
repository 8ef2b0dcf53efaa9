import { expect, test } from 'vitest'
import { isRoutine, nextDueMs } from './due.ts'
import type { State } from './state.ts'
import { step } from './step.ts'
import { heldRecord, incidentOf, memberAt, stateWith } from './testing/make-state.ts'
import type { MeshRecord } from './wire/records.ts'

/** Ticks on, and gives the time at which a state says that it is isolated. Awake clock, milliseconds. */
function isolatedAtMs(start: State): number | null {
  let state: State = { ...start, dueAtMs: nextDueMs(start) }
  for (let ms = 250; ms <= 12_000; ms += 250) {
    const { monotonicMs, bootMs, unixMs } = state.clock
    const at = { monotonicMs: monotonicMs + 250, bootMs: bootMs + 250, unixMs: unixMs + 250 }
    state = step(state, { kind: 'tick', at }).state
    if (state.isolated) return ms
  }
  return null
}

test('isolation is looked for as soon as nobody is heard any more, also when that is to the millisecond', () => {
  for (const lateMs of [0, 100, 250]) {
    const members = ['a', 'b', 'c'].map((host) => memberAt(host, 0, { frameAtMs: lateMs - 10_000 }))
    const state = stateWith(members, 0, { nextBeatAtMs: 9_900, nextRoundAtMs: 30_000 })
    // The deadline is 15 s after the last frame; at it somebody is still heard.
    expect(isolatedAtMs(state)).toBe(lateMs === 100 ? 5_250 : 5_250 + lateMs)
  }
})

test.each<[string, boolean, number]>([
  ['of which there is more to tell', false, 60_000],
  ['of which all is told', true, 900_000],
])('the end of a silence is due while it may hide an ended incident %s: settled %s', (_, isSettled, dueMs) => {
  const ended = incidentOf({ check: 'disk', fault: 'check', state: 'resolved', resolvedAtMs: 0 })
  for (const quiet of [
    { kind: 'silence', matcher: 'vps', forMs: 60_000, atUnixMs: 0 },
    { kind: 'maintenance', host: 'vps', forMs: 60_000, atUnixMs: 0 },
  ] satisfies MeshRecord[]) {
    const state = stateWith([], 0, {
      nextBeatAtMs: 900_000,
      nextRoundAtMs: 900_000,
      incidents: new Map([[ended.id, ended]]),
      settled: new Map(isSettled ? [[ended.id, true]] : []),
      records: new Map([heldRecord('laptop', quiet)]),
    })
    expect(nextDueMs(state)).toBe(dueMs)
  }
})

/** Fields that what comes all day long may change. */
const ROUTINE: ReadonlySet<string> = new Set<keyof State>([
  'clock',
  'members',
  'beat',
  'prng',
  'heads',
  'results',
  'promises',
  'catchUps',
  'caughtUpAtMs',
  'lastWakuAtMs',
])

test.each(Object.keys(stateWith([])))('a change of %s is routine only when nothing can fall due by it', (field) => {
  const before = stateWith([])
  const after = { ...before, [field]: field === 'members' ? new Map(before.members) : Symbol('another') }
  expect(isRoutine(before, after)).toBe(ROUTINE.has(field))
})
