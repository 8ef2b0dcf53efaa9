/** What the Waku folder asks of its host: a log and two clocks. */

/** Flat facts of a log line. Nothing secret, nothing that a peer wrote unescaped. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** A log of constant phrases with fields. */
export interface WakuLog {
  debug(phrase: string, fields?: LogFields): void
  info(phrase: string, fields?: LogFields): void
  warn(phrase: string, fields?: LogFields): void
}

/** The monotonic clock orders and times; the wall clock stamps messages, names weeks and expires what is on disk. */
export interface WakuClock {
  monotonicMs(): number
  unixMs(): number
}

/** Why the Waku side refused or failed. Stable, for logs and tests. */
export type WakuErrorCode =
  | 'bad-address'
  | 'bad-key'
  | 'bad-message'
  | 'port-in-use'
  | 'too-large'
  | 'too-many'
  | 'refused'
  | 'unreachable'
  | 'link-malformed'
  | 'link-newer'
  | 'link-expired'
  | 'link-used'
  | 'pairing-refused'

/** An error of the Waku side: a peer's answer, a user's link, or input that is out of bounds. */
export class WakuError extends Error {
  override readonly name = 'WakuError'
  readonly code: WakuErrorCode

  constructor(code: WakuErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The clocks of this process. */
export const systemClock: WakuClock = {
  monotonicMs: () => performance.now(),
  unixMs: () => Date.now(),
}

/** The message of anything thrown, for a log field; cut, because a peer may have had a hand in it. */
export function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.slice(0, 200)
}

/** Waits, or rejects with the signal's reason. The timer holds the process open. */
export function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, delayMs)
    signal.addEventListener('abort', stop, { once: true })
  })
}
