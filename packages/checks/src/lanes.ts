/**
 * How many runs may be under way, so that slow checks never keep fast ones waiting.
 *
 * Every run of a check that was quick the last time takes a place in the fast lane. When it turns out slow it moves over
 * to the slow lane, if there is room, and frees its place. A check that was slow the last time starts in the slow lane and
 * waits there for other slow ones only. Waiting is first come, first served within a lane.
 */
import { FAST_LANE_MAX, SLOW_AFTER_MS, SLOW_LANE_MAX } from './limits.ts'

type LaneName = 'fast' | 'slow'

/** Sets a timer; the returned function cancels it. */
export type SetTimer = (delayMs: number, fire: () => void) => () => void

/** A run's place, held until released. */
export interface Place {
  /** Frees the place. Says whether the run was slow. A second call does nothing. */
  release(): boolean
}

/** The lanes of one runner. */
export interface Lanes {
  /** Waits for a place. Rejects with the signal's reason when aborted meanwhile. */
  enter(lane: LaneName, signal: AbortSignal): Promise<Place>
}

/** Lanes with room for `fastMax` and `slowMax` runs. */
export function createLanes(
  setTimer: SetTimer,
  fastMax: number = FAST_LANE_MAX,
  slowMax: number = SLOW_LANE_MAX,
): Lanes {
  const free = { fast: fastMax, slow: slowMax }
  const waiting: Record<LaneName, Set<() => void>> = { fast: new Set(), slow: new Set() }

  const giveBack = (lane: LaneName) => {
    free[lane] += 1
    const [next] = waiting[lane]
    if (next === undefined) return
    waiting[lane].delete(next)
    next()
  }

  const take = (startLane: LaneName): Place => {
    let lane = startLane
    let isSlow = lane === 'slow'
    let isHeld = true
    free[lane] -= 1
    const watch = () => {
      isSlow = true
      if (free.slow <= 0) {
        cancel = setTimer(SLOW_AFTER_MS, watch)
        return
      }
      free.slow -= 1
      lane = 'slow'
      giveBack('fast')
    }
    const startedSlow = lane === 'slow'
    let becameSlow = false
    let cancel = setTimer(SLOW_AFTER_MS, startedSlow ? () => (becameSlow = true) : watch)
    return {
      release() {
        if (isHeld) {
          isHeld = false
          cancel()
          giveBack(lane)
        }
        // A slow check that was quick this time is a fast one again.
        return startedSlow ? becameSlow : isSlow
      },
    }
  }

  return {
    async enter(lane, signal) {
      signal.throwIfAborted()
      if (free[lane] > 0) return take(lane)
      const { promise, resolve, reject } = Promise.withResolvers<Place>()
      // The place is taken in the same turn in which it was given back, so that nobody slips in between.
      const turn = () => {
        signal.removeEventListener('abort', abort)
        resolve(take(lane))
      }
      const abort = () => {
        waiting[lane].delete(turn)
        reject(signal.reason)
      }
      signal.addEventListener('abort', abort, { once: true })
      waiting[lane].add(turn)
      return promise
    },
  }
}
