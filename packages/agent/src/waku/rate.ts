/** Token buckets: what one peer may ask in a burst, and then in a second. */
import type { WakuClock } from './ports.ts'

/** A bucket per peer, refilled by the monotonic clock. Forget a peer when it leaves. */
export interface RateGuard {
  /** Takes so many tokens, or takes none and says no. */
  take(peer: string, tokens: number): boolean
  forget(peer: string): void
}

/** Makes the buckets: `burst` tokens at first and at most, `perSecond` back each second. */
export function createRateGuard(options: {
  readonly burst: number
  readonly perSecond: number
  readonly clock: WakuClock
}): RateGuard {
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  return {
    take(peer, tokens) {
      const nowMs = options.clock.monotonicMs()
      const bucket = buckets.get(peer) ?? { tokens: options.burst, atMs: nowMs }
      const refilled = bucket.tokens + ((nowMs - bucket.atMs) / 1000) * options.perSecond
      const available = Math.min(options.burst, refilled)
      const isAllowed = available >= tokens
      buckets.set(peer, { tokens: isAllowed ? available - tokens : available, atMs: nowMs })
      return isAllowed
    },
    forget: (peer) => {
      buckets.delete(peer)
    },
  }
}
