/**
 * Most ticks and most frames are known beforehand to bring nothing, and the core passes over them. Here each tick that it
 * passed over is taken once more in full, and shows that nothing was missed.
 */
import { type CoreOptions, createState, type Event, recipientIdOf, type State, step } from '@muster/protocol'
import { type Core, runSeed } from '@muster/simulator'
import { expect, it } from 'vitest'

/** What may wait for the next full look, 5 s at most: the end of a hold of minutes, and the notes of time spent. */
const MAY_WAIT: ReadonlySet<string> = new Set(['keep-check-time', 'incident flapping resolved'])

/** A core that notes what a tick would have led to which was passed over. */
function watchedCore(missed: string[], passedOver: () => void): Core {
  return {
    createState: (options: CoreOptions, restored, at) => createState(options, restored, at),
    step(before, event: Event) {
      const state = before as State
      const taken = step(state, event)
      if (event.kind !== 'tick' || taken.state.dueAtMs !== state.dueAtMs || taken.effects.length > 0) return taken
      passedOver()
      const inFull = step({ ...state, dueAtMs: Number.NEGATIVE_INFINITY }, event)
      for (const effect of inFull.effects) {
        const what =
          effect.kind === 'incident' ? `incident ${effect.incident.fault} ${effect.incident.state}` : effect.kind
        if (!MAY_WAIT.has(what)) missed.push(what)
      }
      return taken
    },
    recipientIdOf,
  }
}

it.each([3, 9, 14, 21, 28, 40, 57])('is nothing that was due, in seed %i', (seed) => {
  const missed: string[] = []
  let count = 0
  const core = watchedCore(missed, () => {
    count += 1
  })
  const { broken } = runSeed(seed, { core, wallTwin: false })
  expect({ missed, broken }).toEqual({ missed: [], broken: [] })
  expect(count).toBeGreaterThan(1_000)
})
