/** A limit on a rate: so much at once, and so much per second in the long run. */
export interface TokenBucket {
  /**
   * Takes that many tokens, into debt if need be.
   *
   * @returns how long to wait until the debt is paid, in milliseconds: 0 when there was enough
   */
  take(amount: number): number
  /** Takes that many tokens if they are there, and says whether they were. */
  tryTake(amount: number): boolean
}

/** What a bucket holds. */
export interface TokenBucketOptions {
  readonly perSecond: number
  readonly burst: number
  readonly monotonicMs: () => number
}

/** A full bucket. */
export function createTokenBucket({ perSecond, burst, monotonicMs }: TokenBucketOptions): TokenBucket {
  let tokens = burst
  let atMs = monotonicMs()

  const refill = (): void => {
    const nowMs = monotonicMs()
    tokens = Math.min(burst, tokens + (Math.max(0, nowMs - atMs) * perSecond) / 1000)
    atMs = nowMs
  }
  return {
    take(amount) {
      refill()
      tokens -= amount
      return tokens >= 0 ? 0 : Math.ceil((-tokens * 1000) / perSecond)
    },
    tryTake(amount) {
      refill()
      if (tokens < amount) return false
      tokens -= amount
      return true
    },
  }
}
