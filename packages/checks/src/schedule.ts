/**
 * When checks are due. Pure: time is handed in, monotonic milliseconds.
 *
 * Each check has a first moment and then runs on a grid of `every` from there, whatever its runs take: it never drifts.
 * First moments are spread by the check's name, so that many checks do not start in one instant and the same config gives
 * the same order every time. After a gap (a suspend, a blocked process) one run is due, not one for each that was missed.
 */
import type { MonotonicMs } from '@muster/protocol'

/** Milliseconds between the first runs of two checks, on average: 50 checks a second start. */
const SPACING_MS = 20

/** The grid of one check. */
export interface Grid {
  readonly firstMs: MonotonicMs
  readonly everyMs: number
}

/** The grid of a check that starts now, among `count` checks. The first run is never later than one `every`. */
export function gridOf(name: string, everyMs: number, count: number, nowMs: MonotonicMs): Grid {
  const windowMs = Math.min(everyMs, count * SPACING_MS)
  return { firstMs: nowMs + Math.floor(spread(name) * windowMs), everyMs }
}

/** The first moment of the grid that is later than `afterMs`. */
export function nextDueMs(grid: Grid, afterMs: MonotonicMs): MonotonicMs {
  if (afterMs < grid.firstMs) return grid.firstMs
  const steps = Math.floor((afterMs - grid.firstMs) / grid.everyMs) + 1
  return grid.firstMs + steps * grid.everyMs
}

/**
 * A number in [0, 1) that depends on the name alone.
 *
 * Source: FNV-1a, 32 bit, with the finalizer of MurmurHash3 so that names which differ in one digit spread well.
 */
export function spread(name: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
