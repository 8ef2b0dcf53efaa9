/**
 * Keeps the parts of the agent running: one that fails is stopped and started again, later each time, while the others
 * go on. Also the place for promises that nobody waits for.
 */
import { type Log, reasonOf } from './log.ts'

/** A part with a life. */
export interface Part {
  readonly name: string
  start(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/**
 * Looks after the parts of one agent. A part that failed is started again after half a second at first and a minute at
 * most, until all are stopped.
 */
export interface Supervisor {
  /** Starts a part and keeps it running. Rejects when its very first start fails and `mustStart` is set. */
  run(part: Part, options?: { readonly mustStart?: boolean }): Promise<void>
  /** Restarts a part that has found itself to be broken. */
  failed(name: string, cause: unknown): void
  /** Takes a promise that nobody awaits: its failure is logged. */
  background(what: string, work: Promise<unknown>): void
  /** Stops all parts, the last started first. */
  stop(): Promise<void>
}

const BACKOFF_MIN_MS = 500
const BACKOFF_MAX_MS = 60_000

/** Makes a supervisor without parts. */
export function createSupervisor(log: Log, random: () => number = Math.random): Supervisor {
  const stopping = new AbortController()
  const parts: { part: Part; restarting: Promise<void> | null }[] = []

  async function restart(part: Part, cause: unknown): Promise<void> {
    log.warn('part failed, it is started again', { part: part.name, reason: reasonOf(cause) })
    for (
      let backoffMs = BACKOFF_MIN_MS;
      !stopping.signal.aborted;
      backoffMs = Math.min(BACKOFF_MAX_MS, 2 * backoffMs)
    ) {
      await part.stop().catch(() => undefined)
      await pause(backoffMs * (0.5 + random() / 2), stopping.signal)
      if (stopping.signal.aborted) return
      try {
        await part.start(stopping.signal)
        log.info('part runs again', { part: part.name })
        return
      } catch (error) {
        log.warn('part failed to start, it is tried again', { part: part.name, reason: reasonOf(error) })
      }
    }
  }

  const supervisor: Supervisor = {
    async run(part, { mustStart = false } = {}) {
      parts.push({ part, restarting: null })
      try {
        await part.start(stopping.signal)
      } catch (error) {
        if (mustStart) throw error
        supervisor.failed(part.name, error)
      }
    },
    failed(name, cause) {
      const entry = parts.find(({ part }) => part.name === name)
      if (entry === undefined || entry.restarting !== null || stopping.signal.aborted) return
      entry.restarting = restart(entry.part, cause).finally(() => {
        entry.restarting = null
      })
    },
    background(what, work) {
      work.catch((error: unknown) => {
        if (!stopping.signal.aborted) log.debug('background work failed', { what, reason: reasonOf(error) })
      })
    },
    async stop() {
      stopping.abort(new Error('stopping'))
      for (const { part, restarting } of parts.reverse()) {
        await restarting
        await part
          .stop()
          .catch((error: unknown) => log.warn('part did not stop well', { part: part.name, reason: reasonOf(error) }))
      }
    },
  }
  return supervisor
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, delayMs)
    signal.addEventListener('abort', end, { once: true })
  })
}
