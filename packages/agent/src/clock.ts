/** The clocks of this machine, read together. */
import { uptime } from 'node:os'
import type { Moment } from '@muster/protocol'

/**
 * Where the shell reads time, all in milliseconds: `monotonicMs` from a point of its own, for durations and deadlines;
 * `unixMs` since 1970, for what a person is shown; `now` all three clocks of one moment, for the core.
 */
export interface Clock {
  now(): Moment
  monotonicMs(): number
  unixMs(): number
}

/**
 * The system's clocks. The monotonic one stops in suspend (on Linux), the boot clock does not: their difference is how
 * the core learns that the machine slept.
 */
export const systemClock: Clock = {
  now: () => ({ monotonicMs: performance.now(), bootMs: uptime() * 1_000, unixMs: Date.now() }),
  monotonicMs: () => performance.now(),
  unixMs: () => Date.now(),
}
