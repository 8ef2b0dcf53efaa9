/** The protocol's own core, as the world hosts it. */
import { createState, passTick, recipientIdOf, type State, step } from '@muster/protocol'
import type { Core } from './core.ts'

/** The core that agents run. */
export const realCore: Core = {
  createState,
  // The world hands each core only the states that this core made.
  step: (state, event, clock) => step(state as State, event, clock),
  passTick: (state, at, clock) => passTick(state as State, at, clock),
  recipientIdOf,
}
