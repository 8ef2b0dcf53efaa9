/**
 * Keeps the parts of the agent running: one that fails is stopped and started again, later each time, while the others
 * go on. One that has wedged does not say so by itself, so every running part is asked every few seconds. Also the place
 * for promises that nobody waits for.
 */
import { type Clock, systemClock } from './clock.ts'
import { type Log, reasonOf } from './log.ts'
import { partOfError, startWithin } from './part-of-error.ts'

/** A part with a life. */
export interface Part {
  readonly name: string
  /** May be called again after `stop`, and after a start that failed. */
  start(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
  /** Why it no longer works, in one line; null while it does. Asked every few seconds while it runs: quick, without effects. */
  health?(): string | null
}

/** A part that does not run just now, and is tried again. */
export interface BrokenPart {
  readonly name: string
  /** One line. */
  readonly reason: string
  /** Wall time, milliseconds since 1970: only to be shown. */
  readonly sinceUnixMs: number
}

/** The part that an error came out of. */
export interface Blamed {
  readonly part: string
  /** It is being restarted already, or the error is a remnant of before its restart. */
  readonly wasBroken: boolean
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
  /** Restarts the part that an error came out of which nobody caught. Null when that is none, or cannot be told. */
  blame(error: unknown): Blamed | null
  /** The parts that do not run just now. */
  broken(): readonly BrokenPart[]
  /** Takes a promise that nobody awaits: its failure is logged. */
  background(what: string, work: Promise<unknown>): void
  /** Stops all parts, the last started first. */
  stop(): Promise<void>
}

/** Sets a timer; the returned function cancels it. */
export type SetTimer = (delayMs: number, fire: () => void) => () => void

/** What a supervisor needs. All but the log have a default that works. */
export interface SupervisorDeps {
  readonly log: Log
  readonly clock?: Pick<Clock, 'monotonicMs' | 'unixMs'>
  /** Uniform in [0, 1), for jitter. */
  readonly random?: () => number
  readonly setTimer?: SetTimer
}

/** How often running parts are asked, and how often in a row one must be broken: a moment's trouble is none. */
export const LOOK_EVERY_MS = 2_000
export const BAD_LOOKS = 3
/** The wait before a restart: doubled with each, jittered, and small again after the part ran this long. */
export const BACKOFF_MIN_MS = 500
export const BACKOFF_MAX_MS = 60_000
export const STEADY_MS = 120_000
/** A part that hangs in its start or stop is given up after this, or it would never be started again. */
export const START_MS_MAX = 30_000
export const STOP_MS_MAX = 10_000

interface Entry {
  readonly part: Part
  /** The number of its newest start. */
  run: number
  /** Since when it runs, monotonic; null while it does not. */
  runsSinceMs: number | null
  badLooks: number
  /** Restarts since it last ran for long. */
  restarts: number
  broken: BrokenPart | null
  restarting: Promise<void> | null
}

/** Makes a supervisor without parts. */
export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const { log, clock = systemClock, random = Math.random, setTimer = systemTimer } = deps
  const stopping = new AbortController()
  const entries: Entry[] = []
  let cancelLook = (): void => undefined

  function lookLater(): void {
    cancelLook = setTimer(LOOK_EVERY_MS, () => {
      for (const entry of entries) look(entry)
      lookLater()
    })
  }

  function look(entry: Entry): void {
    if (entry.runsSinceMs === null) return
    const trouble = troubleOf(entry.part)
    entry.badLooks = trouble === null ? 0 : entry.badLooks + 1
    if (trouble !== null && entry.badLooks >= BAD_LOOKS) supervisor.failed(entry.part.name, trouble)
  }

  async function start(entry: Entry): Promise<void> {
    const { part } = entry
    const { signal } = stopping
    entry.run += 1
    const started = startWithin({ part: part.name, run: entry.run }, () => part.start(signal))
    await bounded(started, { limitMs: START_MS_MAX, complaint: 'it does not start', signal })
    entry.runsSinceMs = clock.monotonicMs()
    entry.badLooks = 0
    entry.broken = null
  }

  async function stop({ part }: Entry): Promise<void> {
    try {
      await bounded(part.stop(), { limitMs: STOP_MS_MAX, complaint: 'it does not stop' })
    } catch (error) {
      log.warn('part did not stop well', { part: part.name, reason: lineOf(error) })
    }
  }

  async function restart(entry: Entry, cause: unknown): Promise<void> {
    const { name } = entry.part
    const ranMs = entry.runsSinceMs === null ? 0 : clock.monotonicMs() - entry.runsSinceMs
    if (ranMs >= STEADY_MS) entry.restarts = 0
    entry.runsSinceMs = null
    const sinceUnixMs = clock.unixMs()
    entry.broken = { name, reason: lineOf(cause), sinceUnixMs }
    log.warn('part failed, it is started again', { part: name, reason: lineOf(cause) })
    while (!stopping.signal.aborted) {
      await stop(entry)
      await pause(backoffMs(entry.restarts, random()))
      entry.restarts += 1
      if (stopping.signal.aborted) return
      try {
        await start(entry)
        log.info('part runs again', { part: name })
        return
      } catch (error) {
        if (stopping.signal.aborted) return
        entry.broken = { name, reason: lineOf(error), sinceUnixMs }
        log.warn('part failed to start, it is tried again', { part: name, reason: lineOf(error) })
      }
    }
  }

  /** Waits so long, or until all are to stop. */
  async function pause(delayMs: number): Promise<void> {
    const over = Promise.withResolvers<void>()
    const cancel = setTimer(delayMs, over.resolve)
    await untilAborted(over.promise, stopping.signal).catch(() => undefined)
    cancel()
  }

  async function bounded(
    work: Promise<void>,
    {
      limitMs,
      complaint,
      signal,
    }: { readonly limitMs: number; readonly complaint: string; readonly signal?: AbortSignal },
  ): Promise<void> {
    const late = Promise.withResolvers<never>()
    const cancel = setTimer(limitMs, () => late.reject(new Error(`${complaint} within ${limitMs / 1_000} s`)))
    try {
      const first = Promise.race([work, late.promise])
      await (signal === undefined ? first : untilAborted(first, signal))
    } finally {
      cancel()
    }
  }

  const supervisor: Supervisor = {
    async run(part, { mustStart = false } = {}) {
      const entry: Entry = { part, run: 0, runsSinceMs: null, badLooks: 0, restarts: 0, broken: null, restarting: null }
      if (entries.push(entry) === 1) lookLater()
      try {
        await start(entry)
      } catch (error) {
        if (mustStart) throw error
        supervisor.failed(part.name, error)
      }
    },
    failed(name, cause) {
      const entry = entries.find(({ part }) => part.name === name)
      if (entry === undefined || entry.restarting !== null || stopping.signal.aborted) return
      entry.restarting = restart(entry, cause).finally(() => {
        entry.restarting = null
      })
    },
    blame(error) {
      const from = partOfError(error)
      const entry = entries.find(({ part }) => part.name === from?.part)
      if (from === null || entry === undefined) return null
      const isOld = from.run !== null && from.run !== entry.run
      const wasBroken = entry.restarting !== null || isOld
      if (wasBroken) return { part: from.part, wasBroken }
      // It still works, so the restart is a precaution, and costs the least when it does not wait.
      if (troubleOf(entry.part) === null) entry.restarts = 0
      supervisor.failed(from.part, error)
      return { part: from.part, wasBroken }
    },
    broken: () => entries.flatMap(({ broken }) => broken ?? []),
    background(what, work) {
      work.catch((error: unknown) => {
        if (!stopping.signal.aborted) log.debug('background work failed', { what, reason: reasonOf(error) })
      })
    },
    async stop() {
      stopping.abort(new Error('stopping'))
      cancelLook()
      for (const entry of entries.toReversed()) {
        await entry.restarting
        await stop(entry)
      }
    },
  }
  return supervisor
}

/**
 * The wait before a restart, in milliseconds: min × 2^restarts up to max, between half and whole of it by chance.
 * `restarts` are those before it since the part last ran for long.
 */
export function backoffMs(restarts: number, chance: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(restarts, 16)) * (0.5 + chance / 2)
}

/** A part that cannot even say how it is does not work. */
function troubleOf(part: Part): string | null {
  try {
    return part.health?.() ?? null
  } catch (error) {
    return lineOf(error)
  }
}

/** The first line says what is wrong; a remedy on a second is for who starts the agent. */
function lineOf(cause: unknown): string {
  return reasonOf(cause).split('\n', 1)[0] ?? ''
}

/** The promise, or a rejection as soon as the signal aborts. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function systemTimer(delayMs: number, fire: () => void): () => void {
  const timer = setTimeout(fire, delayMs)
  return () => clearTimeout(timer)
}
