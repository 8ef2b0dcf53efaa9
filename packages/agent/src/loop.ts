/**
 * The only caller of `step`: one event at a time, its effects in order, then the next.
 *
 * An effect that stores something is awaited before the next begins, so that nothing is said that is not on disk; one
 * that sends is not. What arrives meanwhile waits in a bounded queue.
 */
import { type Effect, type Event, type Moment, type State, step } from '@muster/protocol'

/** Events that may wait. Beyond it the newest are dropped: gossip and catch-up bring them again. */
const QUEUE_MAX = 20_000

/** An event as its shell knows it; the loop adds the moment. */
export type Happening = Event extends infer E ? (E extends Event ? Omit<E, 'at'> : never) : never

/** Runs one core and holds its state. What is dispatched after `stop`, or beyond a full queue, is dropped. */
export interface Loop {
  /** Queues an event. */
  dispatch(happening: Happening): void
  state(): State
  /** Resolves when all that is queued now has been taken in and its effects were performed. */
  settled(): Promise<void>
  /** Takes no more events. Resolves when the one under way has been performed. */
  stop(): Promise<void>
}

/**
 * What a loop needs of the agent around it: the clocks, hands for the effects, and who is told of an event that the
 * full queue did not take.
 */
export interface LoopDeps {
  readonly now: () => Moment
  /** Performs one effect. A promise is awaited before the next effect. */
  readonly perform: (effect: Effect) => Promise<void> | undefined
  /** Hears every event and its effects, after they were performed. */
  readonly observe?: (event: Event, effects: readonly Effect[], state: State) => void
  readonly onDropped: (event: Happening) => void
  readonly onFailed: (effect: Effect, error: unknown) => void
}

/** Makes a loop around a first state. */
export function createLoop(first: State, deps: LoopDeps): Loop {
  let state = first
  let queue: Happening[] = []
  let running: Promise<void> | null = null
  let stopped = false

  async function run(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue
      queue = []
      for (const happening of batch) {
        if (stopped) return
        const event = { ...happening, at: deps.now() } as Event
        const next = step(state, event)
        state = next.state
        for (const effect of next.effects) {
          await perform(effect)
        }
        deps.observe?.(event, next.effects, state)
      }
    }
  }

  /** One effect that fails costs itself, not what follows it. */
  async function perform(effect: Effect): Promise<void> {
    try {
      const pending = deps.perform(effect)
      if (pending !== undefined) await pending
    } catch (error) {
      deps.onFailed(effect, error)
    }
  }

  function kick(): Promise<void> {
    running ??= run().finally(() => {
      running = null
      if (queue.length > 0 && !stopped) void kick()
    })
    return running
  }

  return {
    dispatch(happening) {
      if (stopped) return
      if (queue.length >= QUEUE_MAX) {
        deps.onDropped(happening)
        return
      }
      queue.push(happening)
      void kick()
    },
    state: () => state,
    async settled() {
      while (running !== null) await running
    },
    async stop() {
      stopped = true
      if (running !== null) await running
    },
  }
}
