/** Waiting for the calls of a library that take no signal. */

/** What ends the waiting: a signal, so many milliseconds, or either. */
export interface WaitingBounds {
  readonly signal?: AbortSignal
  readonly limitMs?: number
}

/**
 * Waits for work; stops the waiting, not the work. Rejects with the signal's reason, or with "no answer within N ms".
 *
 * The time is kept by a timer that holds the process open. That of `AbortSignal.timeout` does not: a call that hangs when
 * its sockets are closed would leave nothing to keep a listening program alive, and it would end in the middle of the wait.
 */
export function within<T>(work: Promise<T>, { signal, limitMs }: WaitingBounds): Promise<T> {
  const over = Promise.withResolvers<T>()
  const stop = (): void => over.reject(signal?.reason)
  const giveUp = (): void => over.reject(new Error(`no answer within ${limitMs} ms`))
  const timer = limitMs === undefined ? undefined : setTimeout(giveUp, limitMs)
  if (signal?.aborted === true) stop()
  signal?.addEventListener('abort', stop, { once: true })
  work.then(over.resolve, over.reject)
  return over.promise.finally(() => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  })
}
