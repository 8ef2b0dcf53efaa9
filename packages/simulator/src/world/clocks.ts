/**
 * The three clocks of a virtual host, as readings of the one true time of the world.
 *
 * Monotonic time stops in suspend and starts anew at boot; boot time goes on in suspend; wall time is skewed, drifts
 * and jumps, and nothing but shown text may depend on it.
 */
import type { Moment } from '@muster/protocol'

/** The wall clock's zero: an arbitrary day, so that stories carry no real time. */
const EPOCH_UNIX_MS = 1_700_000_000_000

/** A host's clocks. */
export interface Clocks {
  readonly read: (nowMs: number) => Moment
  readonly suspend: (nowMs: number) => void
  readonly resume: (nowMs: number) => void
  /** A power cut ends the boot: both monotonic clocks start anew. */
  readonly reboot: (nowMs: number) => void
  /** The wall clock jumps by so much, forward or back. */
  readonly jumpWall: (byMs: number) => void
}

/** Makes clocks with a wall clock that is `skewMs` off. */
export function createClocks(skewMs: number, bootedAgoMs: number): Clocks {
  let bootedMs = -bootedAgoMs
  let suspendedMs = 0
  let suspendedSinceMs: number | null = null
  let wallOffsetMs = EPOCH_UNIX_MS + skewMs
  return {
    read: (nowMs) => {
      const asleepMs = suspendedMs + (suspendedSinceMs === null ? 0 : nowMs - suspendedSinceMs)
      const bootMs = nowMs - bootedMs
      return { monotonicMs: bootMs - asleepMs, bootMs, unixMs: nowMs + wallOffsetMs }
    },
    suspend: (nowMs) => {
      suspendedSinceMs ??= nowMs
    },
    resume: (nowMs) => {
      if (suspendedSinceMs !== null) suspendedMs += nowMs - suspendedSinceMs
      suspendedSinceMs = null
    },
    reboot: (nowMs) => {
      bootedMs = nowMs
      suspendedMs = 0
      suspendedSinceMs = null
    },
    jumpWall: (byMs) => {
      wallOffsetMs += byMs
    },
  }
}
