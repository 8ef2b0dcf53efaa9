/**
 * Replay: what was met goes through today's core, and what it decides is compared with what was decided then.
 *
 * A recording answers nobody: where today's core decides otherwise, the events that follow are still those of then. So
 * only the first difference says something; those after it may follow from it.
 */
import { type Effect, type Event, type State, step } from '@muster/protocol'
import type { FileEnd } from './blocks.ts'
import { printOf } from './frames.ts'
import { isMerelyLater } from './notes.ts'
import type { Met, Segment } from './reading.ts'

/** One event, or ticks on which nothing happened, and what came of it. */
export interface Replayed {
  /** Null for ticks on which nothing happened. */
  readonly event: Event | null
  readonly before: State
  readonly after: State
  readonly effects: readonly Effect[]
  /** Whether today's core decides what was decided then. */
  readonly isSame: boolean
}

/** How a replay ended. `broken`: what was recorded is no event of this core. */
export interface ReplayEnd {
  readonly how: FileEnd | 'broken' | 'stopped' | 'continued'
  readonly state: State
}

/** Runs a segment through the core, from its own first state on. */
export function* replaySegment({ first, met }: Segment): Generator<Replayed, ReplayEnd> {
  let state = first
  for (let next = met.next(); ; next = met.next()) {
    if (next.done === true) return { how: next.value, state }
    if (next.value.kind === 'end') return { how: next.value.why, state }
    const replayed = replayOne(state, next.value)
    if (replayed === null) return { how: 'broken', state }
    yield replayed
    state = replayed.after
  }
}

function replayOne(before: State, met: Exclude<Met, { kind: 'end' }>): Replayed | null {
  try {
    if (met.kind === 'idle') return replayIdle(before, met)
    const { state: after, effects } = step(before, met.event)
    return { event: met.event, before, after, effects, isSame: printOf(effects) === met.print }
  } catch {
    return null
  }
}

/** Goes on to what the ticks left, and takes the last of them once more: there has to be nothing to do on it today either. */
function replayIdle(before: State, { clock, wasDueAtMs, dueAtMs }: Extract<Met, { kind: 'idle' }>): Replayed {
  const isAsThen = before.dueAtMs === wasDueAtMs
  // A core that would have looked at other times than the one that recorded looks now.
  const left: State = { ...before, clock, dueAtMs: isAsThen ? dueAtMs : Number.NEGATIVE_INFINITY }
  const { state, effects } = step(left, { kind: 'tick', at: clock })
  const isSame = effects.length === 0 && isMerelyLater(left, state)
  return { event: null, before, after: isAsThen && isSame ? left : state, effects, isSame }
}
