/**
 * The only caller of `step`: one event at a time. Its effects are performed in the order that `effect-order.ts` keeps.
 *
 * What arrives while others are taken in waits in a bounded queue.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Effect, type Event, type Moment, type State, step } from '@muster/protocol'
import { createEffectOrder } from './effect-order.ts'

/** Events that may wait. Beyond it the newest are dropped: gossip and catch-up bring them again. */
const QUEUE_MAX = 20_000
/** How long events are taken in before sockets and disk have a turn. Milliseconds. */
const SLICE_MS = 25

/** An event as its shell knows it; the loop adds the moment. */
export type Happening = Event extends infer E ? (E extends Event ? Omit<E, 'at'> : never) : never

/** Runs one core and holds its state. What is dispatched after `stop`, or beyond a full queue, is dropped. */
export interface Loop {
  /** Queues an event. */
  dispatch(happening: Happening): void
  state(): State
  /** Resolves when all that is queued now has been taken in and its effects were performed. */
  settled(): Promise<void>
  /** Takes no more events. Resolves when those taken in have been performed. */
  stop(): Promise<void>
}

/**
 * What a loop needs of the agent around it: the clocks, hands for the effects, and who is told of an event that the
 * full queue did not take.
 */
export interface LoopDeps {
  readonly now: () => Moment
  /** Performs one effect, which was decided at a moment. A promise is that of what is kept. */
  readonly perform: (effect: Effect, decidedAt: Moment) => Promise<void> | undefined
  /** Hears every event and what came of it. */
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

  const order = createEffectOrder(deps)
  // What an effect begins is not the doing of the part whose event happened to wake the loop.
  const inOwnContext = AsyncLocalStorage.snapshot()

  async function run(): Promise<void> {
    let sliceEndsMs = deps.now().monotonicMs + SLICE_MS
    while (queue.length > 0) {
      const batch = queue
      queue = []
      for (const happening of batch) {
        // Waiting for a disk that lags so far behind is a gap, which the core sees in the time of the next event.
        await order.behind()
        if (deps.now().monotonicMs > sliceEndsMs) {
          await nextTurn()
          sliceEndsMs = deps.now().monotonicMs + SLICE_MS
        }
        if (stopped) return
        const event = { ...happening, at: deps.now() } as Event
        const next = step(state, event)
        state = next.state
        order.take(next.effects, event.at)
        deps.observe?.(event, next.effects, state)
      }
    }
  }

  function kick(): Promise<void> {
    // In a turn of its own: who dispatches is not to find the event taken in already.
    running ??= inOwnContext(() =>
      Promise.resolve()
        .then(run)
        .finally(() => {
          running = null
          if (queue.length > 0 && !stopped) void kick()
        }),
    )
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
      do {
        await running
        await order.settled()
      } while (running !== null)
    },
    async stop() {
      stopped = true
      await running
      await order.settled()
    },
  }
}
