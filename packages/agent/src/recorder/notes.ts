/**
 * What a core met, as frames.
 *
 * Most ticks bring nothing: they move the clocks, and perhaps the time of the next look. They are counted, and the next
 * frame says what they left. That is exact whatever the clocks did in between, for the clocks themselves are written
 * down and not the steps that led to them.
 */
import type { Effect, Event, State } from '@muster/protocol'
import { encodeFrame, type IdleTicks, printOf } from './frames.ts'

/** Turns what one core met into frames. */
export interface Notes {
  /** The frames of an event that the core has met: none for a tick on which nothing happened. */
  take(event: Event, effects: readonly Effect[], state: State): readonly Uint8Array[]
  /** The frame of the ticks that were counted until now, if there were any. */
  rest(): readonly Uint8Array[]
}

/** Begins with the state before the first event. */
export function createNotes(first: State): Notes {
  let before = first
  let idle: IdleTicks | null = null

  function rest(): readonly Uint8Array[] {
    if (idle === null) return []
    const frame = encodeFrame({ kind: 'idle', ...idle })
    idle = null
    return [frame]
  }

  return {
    take(event, effects, state) {
      const isIdle = event.kind === 'tick' && effects.length === 0 && isMerelyLater(before, state)
      if (isIdle) {
        const wasDueAtMs = idle?.wasDueAtMs ?? before.dueAtMs
        idle = { count: (idle?.count ?? 0) + 1, clock: state.clock, wasDueAtMs, dueAtMs: state.dueAtMs }
      }
      before = state
      if (isIdle) return []
      return [...rest(), encodeFrame({ kind: 'event', event, print: printOf(effects) })]
    },
    rest,
  }
}

/** Whether only time has passed between two states: all but the clocks and the next look is the same. */
export function isMerelyLater(before: State, after: State): boolean {
  for (const field in after) {
    if (field === 'clock' || field === 'dueAtMs') continue
    if (after[field as keyof State] !== before[field as keyof State]) return false
  }
  return true
}
