/** The clocks of this machine, read together. */
import { uptime } from 'node:os'
import type { Moment } from '@muster/protocol'

/** Reads of the clocks: `now` all three at once, `monotonicMs` and `unixMs` (since 1970) one alone. Milliseconds. */
export interface Clock {
  now(): Moment
  monotonicMs(): number
  unixMs(): number
}

/** Where the clocks are read from: all in milliseconds, but `bootS`, which is in seconds. */
export interface ClockSources {
  readonly monotonicMs: () => number
  readonly bootS: () => number
  readonly unixMs: () => number
}

/**
 * Reading the boot clock opens a file, and moments are asked for at every event. Between two readings the boot clock
 * went on as the monotonic one did, or the machine slept; and then the wall clock has jumped away from the monotonic one.
 */
const BOOT_FRESH_MS = 200
/** A difference between wall clock and monotonic clock that means more than a late reading. */
const JUMP_MS = 20

/**
 * Clocks over some sources. The monotonic one stops in suspend (on Linux), the boot clock does not: their difference is
 * how the core learns that the machine slept.
 */
export function createClock({ monotonicMs, bootS, unixMs }: ClockSources): Clock {
  let read: Moment | undefined
  return {
    now() {
      const monotonic = monotonicMs()
      const unix = unixMs()
      if (read !== undefined) {
        const passedMs = monotonic - read.monotonicMs
        const isFresh = passedMs <= BOOT_FRESH_MS && Math.abs(unix - read.unixMs - passedMs) <= JUMP_MS
        if (isFresh) return { monotonicMs: monotonic, bootMs: read.bootMs + passedMs, unixMs: unix }
      }
      read = { monotonicMs: monotonic, bootMs: bootS() * 1_000, unixMs: unix }
      return read
    },
    monotonicMs,
    unixMs,
  }
}

/** The system's clocks. */
export const systemClock: Clock = createClock({
  monotonicMs: () => performance.now(),
  bootS: uptime,
  unixMs: () => Date.now(),
})
