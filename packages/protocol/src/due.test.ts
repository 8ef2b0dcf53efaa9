import { expect, test } from 'vitest'
import { nextDueMs } from './due.ts'
import type { State } from './state.ts'
import { step } from './step.ts'
import { memberAt, stateWith } from './testing/make-state.ts'

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
