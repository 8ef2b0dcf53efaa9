/**
 * The contract of a kind of check.
 *
 * A kind observes and conditions judge. An observation is facts: values with units in their names, a duration, one line.
 * A kind never throws for a cause outside of it: it returns an observation with an `error`, and its `downCodes` say which
 * errors mean that the watched thing itself is down (judged critical); any other error means that it could not be told
 * (judged unknown). An error leaves out the values that it could not measure; where the values that remain still decide
 * the condition (`critical: connected` on a port that must be closed), the condition decides.
 *
 * A new kind is one file in `kinds/` and one line in `registry.ts`.
 */
import type { Observation } from '@muster/protocol'
import type { z } from 'zod'

/** A value that an observation of this kind may hold. Conditions are type-checked against these. */
export interface ValueSpec {
  /** As conditions name it, unit last. */
  readonly name: string
  readonly type: 'number' | 'text' | 'boolean'
  /** `%`, `ms`, `bytes`, or empty for a count, a text or a claim. */
  readonly unit: string
  /** One line for a person. */
  readonly meaning: string
  /** Seen by conditions only, and never kept or sent: a body, a header. */
  readonly isTransient?: boolean
}

/** What one run found. */
export interface Measurement {
  readonly observation: Observation
  /** Values that only the conditions of this run see. Not sanitized, not kept. */
  readonly transient?: Readonly<Record<string, string>>
}

/** What the conditions of one run see. */
export interface Facts {
  readonly values: Observation['values']
  readonly transient: Readonly<Record<string, string>>
}

/** Says, from within a condition's function, that a value is missing: the judgement is unknown and names it. */
export class MissingValueError extends Error {
  override readonly name = 'MissingValueError'
  readonly code = 'missing-value'
  readonly valueName: string

  constructor(valueName: string) {
    super(`${valueName} is missing`)
    this.valueName = valueName
  }
}

/** A function that a kind adds to its conditions. It is called with texts and numbers written in the condition. */
export interface ConditionFunction {
  readonly name: string
  readonly parameters: readonly { readonly name: string; readonly type: 'number' | 'text' }[]
  readonly returns: 'number' | 'text' | 'boolean'
  readonly meaning: string
  /** Throws a `MissingValueError` when it cannot answer; must be quick and have no effect. */
  call(facts: Facts, ...values: readonly (number | string)[]): number | string | boolean
}

/** What a check of this kind does when its config does not say. Durations are milliseconds. */
export interface KindDefaults {
  readonly everyMs: number
  /** Without it: half of `every`, at least 30 s. */
  readonly graceMs?: number
  readonly timeoutMs: number
  readonly after: number
  readonly recover: number
  readonly forMs?: number
  /** Used when the config gives neither `warning` nor `critical`. */
  readonly warning?: string
  readonly critical?: string
}

/** Conditions that hold for every check of a kind, whatever its config adds. */
export interface FixedConditions {
  readonly unknown?: string
  readonly warning?: string
  readonly critical?: string
}

/** What a run may use. */
export interface ObserveContext {
  /** Aborted when the run's time is up or the agent stops. */
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** This check's own memory between runs, for kinds that compare with the run before. Lost on restart. */
  readonly memory: Map<string, unknown>
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** Where the kernel's files are: `/proc`, unless a test says otherwise. */
  readonly procPath: string
}

interface KindBase<Options extends Record<string, unknown>> {
  /** The word in `muster.yaml`. */
  readonly kind: string
  /** One line for `muster check kinds`. */
  readonly summary: string
  /** The kind's own keys only; strict. Values are what the YAML holds, checked and not converted. */
  readonly options: z.ZodObject<z.core.$ZodLooseShape, z.core.$strict> & z.ZodType<Options>
  readonly defaults: KindDefaults
  readonly values: readonly ValueSpec[]
  readonly functions?: readonly ConditionFunction[]
  readonly fixed?: FixedConditions
  /** Error codes by which the watched thing itself is down. */
  readonly downCodes: readonly string[]
  /** Options whose texts may be `env:NAME` or `file:PATH`; resolved just before each run. */
  readonly secretOptions?: readonly (keyof Options & string)[]
  /** What the kind misses on this host, as one line for a person; `undefined` when it works here. */
  needs?(procPath: string): Promise<string | undefined>
}

/** A kind that is run when it is due. */
export interface PolledKind<Options extends Record<string, unknown> = Record<string, unknown>>
  extends KindBase<Options> {
  readonly mode: 'polled'
  observe(options: Options, context: ObserveContext): Promise<Measurement>
}

/** One ping as it arrived. Source of the words: the ping API of healthchecks.io. */
export interface Ping {
  readonly signal: 'success' | 'start' | 'fail' | 'log' | 'exit'
  /** With `exit`: 0 to 255. */
  readonly exitCode?: number
  /** Run id, a UUID that pairs a start with its end. */
  readonly runId?: string
  /** What the job printed, at most `PING_BODY_BYTES_MAX` bytes. */
  readonly body?: string
  /** How long the job took, when the sender measured it itself. */
  readonly durationMs?: number
}

/** A kind that waits to be told. */
export interface PushedKind<Options extends Record<string, unknown> = Record<string, unknown>>
  extends KindBase<Options> {
  readonly mode: 'pushed'
  /** What a ping says, or `undefined` when it says nothing yet (a start, a log line). */
  receive(ping: Ping, context: Pick<ObserveContext, 'memory' | 'nowMs'>): Measurement | undefined
}

/** Any kind. */
export type CheckKind<Options extends Record<string, unknown> = Record<string, unknown>> =
  | PolledKind<Options>
  | PushedKind<Options>
