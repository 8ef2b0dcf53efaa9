/**
 * Two clocks, two types. They never mix.
 *
 * The core has no clock of its own: every event carries a `Moment` that its shell read.
 */

/** Milliseconds of the monotonic clock: starts anywhere, never jumps, stops in suspend on Linux. Orders everything. */
export type MonotonicMs = number

/** Milliseconds since 1970 of the wall clock. Only ever shown, never compared. */
export type UnixMs = number

/** One reading of the three clocks of a host. */
export interface Moment {
  readonly monotonicMs: MonotonicMs
  /** Milliseconds since boot, time in suspend included: the difference to `monotonicMs` grows by each suspend. */
  readonly bootMs: number
  readonly unixMs: UnixMs
}
