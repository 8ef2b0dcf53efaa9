/**
 * Runs the checks of one host when they are due, and reports what each run found.
 *
 * A check never overlaps itself. A run that outlasts its time is aborted and reported as a time-out; one that does not stop
 * even then is left behind, and until it ends its check reports that it is stuck. A kind that throws is our own bug: its
 * check is unknown, and the bug is reported. Counting and lateness are the protocol's, not this file's.
 */
import type { MonotonicMs, Observation } from '@muster/protocol'
import type { CheckKind, Measurement, Ping } from './check.ts'
import { judge, type Verdict } from './conditions/judge.ts'
import type { CheckDefinition } from './config.ts'
import { createLanes, type SetTimer } from './lanes.ts'
import { failed } from './observation.ts'
import { findKind } from './registry.ts'
import { type Grid, gridOf, nextDueMs } from './schedule.ts'
import { resolveSecrets, SecretError, withoutSecrets } from './secrets.ts'

/** What one run of one check found. */
export interface RunResult extends Verdict {
  readonly check: CheckDefinition
  readonly observation: Observation
}

/** What a runner needs of its host. All but `onResult` have a default that works. */
export interface RunnerDeps {
  readonly onResult: (result: RunResult) => void
  /** A kind threw: a bug of ours. */
  readonly onBug?: (check: CheckDefinition, error: unknown) => void
  readonly clock?: { monotonicMs(): MonotonicMs }
  readonly setTimer?: SetTimer
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly procPath?: string
  /** How kinds are found: the registry's, unless a test brings its own. */
  readonly findKind?: (name: string) => CheckKind | undefined
}

/** The runner of one host. */
export interface Runner {
  /** Begins the schedule. A second call does nothing. */
  start(): void
  /** Ends the schedule, aborts what runs, and waits until it has ended or was left behind. */
  stop(): Promise<void>
  /** Runs one check now, apart from its schedule, and reports it to `onResult` too. Waits for a run under way first. */
  runOnce(name: string, signal?: AbortSignal): Promise<RunResult>
  /** Swaps the checks. One that is unchanged keeps its schedule and memory; one that is gone is aborted unreported. */
  replace(definitions: readonly CheckDefinition[]): void
  /** Hands a ping to a push check. `unknown-check` when none has that name, `not-push` when it is of another kind. */
  push(name: string, ping: Ping): 'accepted' | 'unknown-check' | 'not-push'
}

/** A request that the runner cannot fulfil. */
export class RunnerError extends Error {
  override readonly name = 'RunnerError'
  readonly code: 'unknown-check' | 'waits-for-pings' | 'stopped'

  constructor(code: RunnerError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Milliseconds that a kind has, once aborted, to say itself what it was doing. */
const LAST_WORDS_MS = 1500

/** Timers of the system take no longer delay than this; it is waited for in steps. */
const TIMER_MS_MAX = 3_600_000

/** One check in the runner. */
interface Entry {
  readonly definition: CheckDefinition
  readonly kind: CheckKind
  readonly memory: Map<string, unknown>
  readonly ended: AbortController
  grid?: Grid
  /** The run under way, until it is reported. */
  running?: Promise<RunResult | undefined>
  /** True while the kind's own promise is open, which may outlast the report. */
  isStuck: boolean
  wasSlow: boolean
  cancelTimer?: () => void
}

/** A runner for these checks. Nothing runs before `start`, `runOnce` or `push`. */
export function createRunner(definitions: readonly CheckDefinition[], deps: RunnerDeps): Runner {
  const nowMs = deps.clock === undefined ? () => performance.now() : () => deps.clock?.monotonicMs() ?? 0
  const setTimer = deps.setTimer ?? systemTimer
  const env = deps.env ?? process.env
  const kindOf = deps.findKind ?? findKind
  const lanes = createLanes(setTimer)
  let entries = new Map<string, Entry>()
  let isStarted = false

  const schedule = (entry: Entry, dueMs: MonotonicMs) => {
    const delayMs = Math.max(0, dueMs - nowMs())
    entry.cancelTimer = setTimer(Math.min(delayMs, TIMER_MS_MAX), () => {
      if (entry.ended.signal.aborted || entry.grid === undefined) return
      if (nowMs() < dueMs) {
        schedule(entry, dueMs)
        return
      }
      // A run that is still under way when the next is due is that next run: nothing piles up.
      if (entry.running === undefined) void runEntry(entry, entry.ended.signal)
      schedule(entry, nextDueMs(entry.grid, nowMs()))
    })
  }

  const report = (entry: Entry, measurement: Measurement): RunResult => {
    const { observation } = measurement
    const verdict = judge(measurement, entry.definition.conditions, entry.kind.downCodes)
    const result = { check: entry.definition, observation, ...verdict }
    if (entries.get(entry.definition.spec.name) === entry && !entry.ended.signal.aborted) deps.onResult(result)
    return result
  }

  const runEntry = (entry: Entry, signal: AbortSignal): Promise<RunResult | undefined> => {
    const run = (async () => {
      try {
        const place = await lanes.enter(entry.wasSlow ? 'slow' : 'fast', signal)
        try {
          const measurement = await measure(entry, signal)
          return measurement === undefined ? undefined : report(entry, measurement)
        } finally {
          entry.wasSlow = place.release()
        }
      } catch (error) {
        if (!signal.aborted) deps.onBug?.(entry.definition, error)
        return undefined
      } finally {
        delete entry.running
      }
    })()
    entry.running = run
    return run
  }

  /** One measurement within its time; `undefined` when it was aborted from outside. */
  const measure = async (entry: Entry, signal: AbortSignal): Promise<Measurement | undefined> => {
    const { kind, definition } = entry
    if (kind.mode !== 'polled') return undefined
    const { timeoutMs } = definition
    if (entry.isStuck) {
      const message = 'the run before is stuck and could not be stopped'
      return { observation: failed('stuck', message, 0) }
    }
    const startedMs = nowMs()
    const own = new AbortController()
    const isOver = Promise.withResolvers<undefined>()
    const abort = () => own.abort(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    let cancelLastWords = () => {}
    own.signal.addEventListener('abort', () => {
      cancelLastWords = setTimer(LAST_WORDS_MS, () => isOver.resolve(undefined))
    })
    const cancelTimeout = setTimer(timeoutMs, () => own.abort(new Error('out of time')))
    entry.isStuck = true
    const observing = observeSafely(entry, own.signal).finally(() => {
      entry.isStuck = false
    })
    try {
      const measurement = await Promise.race([observing, isOver.promise])
      if (signal.aborted) return undefined
      return measurement ?? { observation: failed('timeout', 'out of time, and it does not stop', nowMs() - startedMs) }
    } finally {
      cancelTimeout()
      cancelLastWords()
      signal.removeEventListener('abort', abort)
    }
  }

  const observeSafely = async (entry: Entry, signal: AbortSignal): Promise<Measurement> => {
    const { kind, definition, memory } = entry
    const startedMs = nowMs()
    if (kind.mode !== 'polled') return { observation: failed('internal', 'not a kind that is run', 0) }
    try {
      const { options, secrets } = await resolveSecrets(definition.options, kind.secretOptions ?? [], env)
      const procPath = deps.procPath ?? '/proc'
      const context = { signal, timeoutMs: definition.timeoutMs, memory, nowMs, procPath }
      return redact(await kind.observe(options, context), secrets)
    } catch (error) {
      if (error instanceof SecretError) {
        return { observation: failed(error.code, error.message, nowMs() - startedMs) }
      }
      deps.onBug?.(definition, error)
      return {
        observation: failed('internal', 'the check itself failed; this is a bug of muster', nowMs() - startedMs),
      }
    }
  }

  const createEntry = (definition: CheckDefinition): Entry => {
    const kind = kindOf(definition.spec.kind)
    if (kind === undefined) throw new Error(`assertion failed: ${definition.spec.kind} is a kind`)
    return { definition, kind, memory: new Map(), ended: new AbortController(), isStuck: false, wasSlow: false }
  }

  const begin = (entry: Entry) => {
    if (entry.kind.mode !== 'polled' || entry.grid !== undefined) return
    entry.grid = gridOf(entry.definition.spec.name, entry.definition.spec.everyMs, entries.size, nowMs())
    schedule(entry, entry.grid.firstMs)
  }

  const end = (entry: Entry) => {
    entry.cancelTimer?.()
    entry.ended.abort(new RunnerError('stopped', 'the check was stopped'))
  }

  const replace = (next: readonly CheckDefinition[]) => {
    const old = entries
    entries = new Map()
    for (const definition of next) {
      const before = old.get(definition.spec.name)
      const isKept = before !== undefined && isSameCheck(before.definition, definition)
      entries.set(definition.spec.name, isKept ? before : createEntry(definition))
      if (isKept) old.delete(definition.spec.name)
    }
    for (const gone of old.values()) end(gone)
    if (isStarted) for (const entry of entries.values()) begin(entry)
  }

  replace(definitions)

  return {
    start() {
      if (isStarted) return
      isStarted = true
      for (const entry of entries.values()) begin(entry)
    },
    async stop() {
      isStarted = false
      const stopped = [...entries.values()]
      for (const entry of stopped) end(entry)
      await Promise.all(stopped.map((entry) => entry.running))
    },
    async runOnce(name, signal) {
      const entry = entries.get(name)
      if (entry === undefined) throw new RunnerError('unknown-check', `no check is called ${name}`)
      if (entry.kind.mode !== 'polled') {
        throw new RunnerError('waits-for-pings', `${name} waits for pings and cannot be run`)
      }
      while (entry.running !== undefined) await entry.running
      const signals = signal === undefined ? [entry.ended.signal] : [entry.ended.signal, signal]
      const result = await runEntry(entry, AbortSignal.any(signals))
      if (result === undefined) throw new RunnerError('stopped', `${name} was stopped before it was done`)
      return result
    },
    replace,
    push(name, ping) {
      const entry = entries.get(name)
      if (entry === undefined) return 'unknown-check'
      if (entry.kind.mode !== 'pushed') return 'not-push'
      const measurement = entry.kind.receive(ping, { memory: entry.memory, nowMs })
      if (measurement !== undefined) report(entry, measurement)
      return 'accepted'
    },
  }
}

function redact(measurement: Measurement, secrets: readonly string[]): Measurement {
  if (secrets.length === 0) return measurement
  const { observation } = measurement
  const { error } = observation
  const values = Object.fromEntries(
    Object.entries(observation.values).map(([name, value]) => [
      withoutSecrets(name, secrets),
      typeof value === 'string' ? withoutSecrets(value, secrets) : value,
    ]),
  )
  return {
    ...measurement,
    observation: {
      ...observation,
      values,
      text: withoutSecrets(observation.text, secrets),
      ...(error === undefined ? {} : { error: { ...error, message: withoutSecrets(error.message, secrets) } }),
    },
  }
}

/** True when both run and judge alike, so that a reload does not disturb the check. */
function isSameCheck(left: CheckDefinition, right: CheckDefinition): boolean {
  return describe(left) === describe(right)
}

function describe({ spec, timeoutMs, options, conditions, depends, from }: CheckDefinition): string {
  const texts = [conditions.critical, conditions.warning, conditions.unknown].map((list) =>
    list.map(({ text }) => text),
  )
  return JSON.stringify([spec, timeoutMs, options, texts, depends, from])
}

function systemTimer(delayMs: number, fire: () => void): () => void {
  const timer = setTimeout(fire, delayMs)
  return () => clearTimeout(timer)
}
