/**
 * The ticks of all hosts, beside the queue.
 *
 * They are most of what happens in a run, and each host has exactly one that comes next: a place for each host is cheaper
 * than a heap of them. Equal times keep the order in which things were added, in the queue and here together.
 */
import type { Queue } from './queue.ts'

/** When hosts tick. Hosts are numbers from 0. */
export interface Ticks {
  /** From `firstMs` on, every `everyMs`, in place of what the host did before. */
  readonly start: (host: number, firstMs: number, everyMs: number, run: () => void) => void
  readonly stop: (host: number) => void
  /** The time of the next tick, or infinity. */
  readonly nextMs: () => number
  /** Whether it comes before whatever is next in the queue. */
  readonly isFirst: () => boolean
  /** Runs the next tick. */
  readonly run: () => void
}

interface Place {
  atMs: number
  order: number
  readonly everyMs: number
  readonly run: () => void
}

/** Makes ticks for `size` hosts: none yet. */
export function createTicks(size: number, queue: Queue): Ticks {
  const places: (Place | null)[] = Array.from({ length: size }, () => null)
  let next: Place | null = null
  const find = (): void => {
    next = null
    for (const place of places) {
      if (place === null) continue
      if (next === null || place.atMs < next.atMs || (place.atMs === next.atMs && place.order < next.order))
        next = place
    }
  }

  return {
    start: (host, firstMs, everyMs, run) => {
      places[host] = { atMs: firstMs, order: queue.takeOrder(), everyMs, run }
      find()
    },
    stop: (host) => {
      places[host] = null
      find()
    },
    nextMs: () => next?.atMs ?? Number.POSITIVE_INFINITY,
    isFirst: () => {
      if (next === null) return false
      const queuedMs = queue.nextMs()
      return next.atMs < queuedMs || (next.atMs === queuedMs && next.order < queue.nextOrder())
    },
    run: () => {
      const ticking = next
      if (ticking === null) return
      ticking.run()
      ticking.atMs += ticking.everyMs
      ticking.order = queue.takeOrder()
      find()
    },
  }
}
