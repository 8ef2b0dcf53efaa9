/**
 * Runs the checks of one host when they are due, and reports what each run found.
 *
 * A check never overlaps itself, and a run that outlasts its time is aborted (`measure.ts`). Slow checks do not keep fast
 * ones waiting (`lanes.ts`). A kind that throws is our own bug: its check is unknown, and the bug is reported. Counting
 * (`after`, `recover`, `for`) and lateness are the protocol's, not this file's.
 */
import type { MonotonicMs, Observation } from '@muster/protocol'
import type { CheckKind, Measurement, Ping, PolledKind } from './check.ts'
import { judge, type Verdict } from './conditions/judge.ts'
import type { CheckDefinition } from './config.ts'
import { createLanes, type SetTimer } from './lanes.ts'
import { measureWithin } from './measure.ts'
import { findKind } from './registry.ts'
import { type Grid, gridOf, nextDueMs } from './schedule.ts'

/** What one run of one check found. */
export interface RunResult extends Verdict {
  readonly check: CheckDefinition
  readonly observation: Observation
}

/** What a runner needs of its host. All but `onResult` have a default that works. */
export interface RunnerDeps {
  /** Each run that was due, and each ping that says something. Must not throw. */
  readonly onResult: (result: RunResult) => void
  /** A kind, or `onResult`, threw: a bug of ours. */
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
  /** Begins the schedule. A second call does nothing. After `stop`, only checks that `replace` brings begin again. */
  start(): void
  /** Ends the schedule, aborts what runs, and waits until it has ended or was left behind (1.5 s at most). */
  stop(): Promise<void>
  /**
   * Tries one check now, apart from its schedule and without `onResult`. Waits for a run of it that is under way.
   *
   * Throws a `RunnerError`.
   */
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

/** The system's timers take no longer delay than 24 days: a long one is waited for in steps. */
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
  isOpen: boolean
  wasSlow: boolean
  cancelTimer?: () => void
}

type PolledEntry = Entry & { readonly kind: PolledKind }

/** A runner for these checks. Nothing runs before `start`, `runOnce` or `push`. */
export function createRunner(definitions: readonly CheckDefinition[], deps: RunnerDeps): Runner {
  const { clock, onResult, onBug = () => {}, setTimer = systemTimer } = deps
  const nowMs = clock === undefined ? () => performance.now() : () => clock.monotonicMs()
  const measuring = { nowMs, setTimer, env: deps.env ?? process.env, procPath: deps.procPath ?? '/proc', onBug }
  const lanes = createLanes(setTimer)
  let entries = new Map<string, Entry>()
  let isStarted = false

  const report = (entry: Entry, result: RunResult) => {
    if (entry.ended.signal.aborted) return
    try {
      onResult(result)
    } catch (error) {
      onBug(entry.definition, error)
    }
  }

  const run = (entry: PolledEntry, signal: AbortSignal): Promise<RunResult | undefined> => {
    const running = (async () => {
      try {
        const place = await lanes.enter(entry.wasSlow ? 'slow' : 'fast', signal)
        try {
          const measurement = await measureWithin(entry, signal, measuring)
          return measurement === undefined ? undefined : resultOf(entry, measurement)
        } finally {
          entry.wasSlow = place.release()
        }
      } catch (error) {
        if (!signal.aborted) onBug(entry.definition, error)
        return undefined
      } finally {
        delete entry.running
      }
    })()
    entry.running = running
    return running
  }

  const runWhenDue = async (entry: PolledEntry) => {
    const result = await run(entry, entry.ended.signal)
    if (result !== undefined) report(entry, result)
  }

  const schedule = (entry: PolledEntry, grid: Grid, dueMs: MonotonicMs) => {
    const delayMs = Math.min(Math.max(0, dueMs - nowMs()), TIMER_MS_MAX)
    entry.cancelTimer = setTimer(delayMs, () => {
      if (nowMs() < dueMs) {
        schedule(entry, grid, dueMs)
        return
      }
      // A run that is still under way when the next is due stands for it: nothing piles up.
      if (entry.running === undefined) void runWhenDue(entry)
      schedule(entry, grid, nextDueMs(grid, nowMs()))
    })
  }

  const begin = (entry: Entry) => {
    if (!isPolled(entry) || entry.grid !== undefined) return
    const { name, everyMs } = entry.definition.spec
    entry.grid = gridOf(name, everyMs, entries.size, nowMs())
    schedule(entry, entry.grid, entry.grid.firstMs)
  }

  const replace = (next: readonly CheckDefinition[]) => {
    const gone = new Map(entries)
    entries = new Map()
    for (const definition of next) {
      const { name } = definition.spec
      const before = gone.get(name)
      const isKept = before !== undefined && isSameCheck(before.definition, definition)
      entries.set(name, isKept ? before : createEntry(definition, deps.findKind ?? findKind))
      if (isKept) gone.delete(name)
    }
    for (const entry of gone.values()) end(entry)
    if (isStarted) for (const entry of entries.values()) begin(entry)
  }

  replace(definitions)

  return {
    replace,
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
      if (!isPolled(entry)) throw new RunnerError('waits-for-pings', `${name} waits for pings and cannot be run`)
      while (entry.running !== undefined) await entry.running
      const signals = signal === undefined ? [entry.ended.signal] : [entry.ended.signal, signal]
      const result = await run(entry, AbortSignal.any(signals))
      if (result === undefined) throw new RunnerError('stopped', `${name} was stopped before it was done`)
      return result
    },
    push(name, ping) {
      const entry = entries.get(name)
      if (entry === undefined) return 'unknown-check'
      if (entry.kind.mode !== 'pushed') return 'not-push'
      const measurement = entry.kind.receive(ping, { memory: entry.memory, nowMs })
      if (measurement !== undefined) report(entry, resultOf(entry, measurement))
      return 'accepted'
    },
  }
}

function createEntry(definition: CheckDefinition, find: (name: string) => CheckKind | undefined): Entry {
  const kind = find(definition.spec.kind)
  if (kind === undefined) throw new Error(`assertion failed: ${definition.spec.kind} is a kind`)
  return { definition, kind, memory: new Map(), ended: new AbortController(), isOpen: false, wasSlow: false }
}

function end(entry: Entry): void {
  entry.cancelTimer?.()
  entry.ended.abort(new RunnerError('stopped', 'the check was stopped'))
}

function isPolled(entry: Entry): entry is PolledEntry {
  return entry.kind.mode === 'polled'
}

function resultOf({ definition, kind }: Entry, measurement: Measurement): RunResult {
  const verdict = judge(measurement, definition.conditions, kind.downCodes)
  return { check: definition, observation: measurement.observation, ...verdict }
}

/** True when both run and judge alike, so that a reload does not disturb the check. */
function isSameCheck(left: CheckDefinition, right: CheckDefinition): boolean {
  return fingerprint(left) === fingerprint(right)
}

function fingerprint({ spec, timeoutMs, options, conditions, depends, from }: CheckDefinition): string {
  const { critical, warning, unknown } = conditions
  const texts = [critical, warning, unknown].map((list) => list.map(({ text }) => text))
  return JSON.stringify([spec, timeoutMs, options, texts, depends, from])
}

function systemTimer(delayMs: number, fire: () => void): () => void {
  const timer = setTimeout(fire, delayMs)
  return () => clearTimeout(timer)
}
