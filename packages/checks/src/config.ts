/**
 * The `checks` of `muster.yaml`: what may be written, and what it means.
 *
 * Parsing checks everything and converts nothing: durations stay texts, so that what was parsed can be shown, redacted and
 * parsed again. `defineCheck` then fills in the defaults. An issue's path leads to the key at fault; a condition that does
 * not compile carries `params: {offset, length, line, column}` within the condition's text.
 */
import type { CheckSpec, HeartbeatPromise } from '@muster/protocol'
import { z } from 'zod'
import type { CheckKind } from './check.ts'
import { type Condition, compileCondition } from './conditions/compile.ts'
import { ConditionError } from './conditions/condition-error.ts'
import type { Conditions } from './conditions/judge.ts'
import { nearestName } from './conditions/suggest.ts'
import { DURATION_PATTERN, DurationError, formatDuration, parseDuration } from './duration.ts'
import { CHECKS_MAX, CONDITION_CHARS_MAX, DURATION_MS_MAX, EVERY_MS_MIN, LIST_ENTRIES_MAX } from './limits.ts'
import { findKind, KINDS } from './registry.ts'

/** One check as it stands in `muster.yaml`, checked. The keys of its kind stand beside these. */
export interface CheckConfig {
  readonly name: string
  readonly kind: string
  readonly every?: string
  readonly grace?: string
  readonly timeout?: string
  readonly after?: number
  readonly recover?: number
  readonly for?: string
  readonly warning?: string
  readonly critical?: string
  readonly tags?: readonly string[]
  readonly depends?: readonly string[]
  readonly from?: readonly string[]
  readonly heartbeat?: boolean | 'always'
  readonly [option: string]: unknown
}

/** A check ready to run. */
export interface CheckDefinition {
  readonly spec: CheckSpec
  readonly timeoutMs: number
  /** The kind's own options with their defaults; secrets still as references. */
  readonly options: Readonly<Record<string, unknown>>
  readonly conditions: Conditions
  readonly depends: readonly string[]
  readonly from: readonly string[]
}

/** The duration texts of the config, from `minMs` to `maxMs`. Parses to the same text. */
export function durationSchema(minMs = 0, maxMs: number = DURATION_MS_MAX): z.ZodType<string> {
  return z
    .string('write a duration, for example 10s, 5m or 1d')
    .regex(DURATION_PATTERN, { error: ({ input }) => remedyOf(String(input)), abort: true })
    .superRefine((text, context) => {
      try {
        const ms = parseDuration(text)
        if (ms >= minMs && ms <= maxMs) return
        const bound = ms < minMs ? `at least ${formatDuration(minMs)}` : `at most ${formatDuration(maxMs)}`
        context.addIssue({ code: 'custom', message: `${text} is too ${ms < minMs ? 'short' : 'long'}; ${bound}` })
      } catch (error) {
        if (!(error instanceof DurationError)) throw error
        context.addIssue({ code: 'custom', message: error.message })
      }
    })
    .meta({ examples: ['10s', '5m', '1h30m', '1d'] })
}

function remedyOf(text: string): string {
  try {
    parseDuration(text)
    return 'no duration'
  } catch (error) {
    return error instanceof Error ? error.message : 'no duration'
  }
}

/** The form of a check's name. */
export const CHECK_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u

const nameSchema = z
  .string('a check has a name')
  .regex(CHECK_NAME_PATTERN, 'a name is 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first')
const wordsSchema = z.array(z.string().min(1).max(130)).max(LIST_ENTRIES_MAX)
const countSchema = z.int().min(1).max(1000)

function conditionSchema(kind: CheckKind, meaning: string): z.ZodType<string> {
  return z
    .string('a condition is text, for example "free_percent < 10"')
    .max(CONDITION_CHARS_MAX)
    .superRefine((text, context) => {
      try {
        compileCondition(text, kind)
      } catch (error) {
        if (!(error instanceof ConditionError)) throw error
        const { offset, length, line, column, reason } = error
        const place = offset === 0 ? '' : ` (character ${offset + 1} of the condition)`
        const params = { offset, length, line, column }
        context.addIssue({ code: 'custom', message: `${reason}${place}`, params })
      }
    })
    .describe(meaning)
}

function schemaOf(kind: CheckKind): z.ZodType<CheckConfig> {
  const { defaults } = kind
  const shape = {
    name: nameSchema.describe('unique on this host'),
    kind: z.literal(kind.kind).describe(kind.summary),
    every: durationSchema(EVERY_MS_MIN)
      .optional()
      .describe(`how often; default ${formatDuration(defaults.everyMs)}`),
    grace: durationSchema().optional().describe('how late a report may be; default half of every, at least 30s'),
    timeout: durationSchema(1)
      .optional()
      .describe(`default ${formatDuration(defaults.timeoutMs)}, at most every`),
    after: countSchema.optional().describe(`bad runs in a row before it is bad; default ${defaults.after}`),
    recover: countSchema.optional().describe(`good runs in a row before it is well again; default ${defaults.recover}`),
    for: durationSchema().optional().describe('how long it must be bad before it is told'),
    warning: conditionSchema(kind, 'CEL; true is a warning').optional(),
    critical: conditionSchema(kind, 'CEL; true is critical').optional(),
    tags: wordsSchema.optional(),
    depends: wordsSchema.optional().describe('checks whose failure explains a failure of this one'),
    from: wordsSchema.optional(),
    heartbeat: z
      .union([z.boolean(), z.literal('always')], 'write true, always or false')
      .optional()
      .describe('true: reports are promised while the host is awake; always: even while it sleeps; false: not at all'),
    ...kind.options.shape,
  }
  const known = Object.keys(shape)
  return z.strictObject(shape, { error: (issue) => unknownKeys(issue, known) }).superRefine((config, context) => {
    const { every, timeout } = config as CheckConfig
    if (timeout === undefined) return
    const everyMs = every === undefined ? defaults.everyMs : parseDuration(every)
    if (parseDuration(timeout) <= everyMs) return
    const message = `a run may not outlast every: write at most ${formatDuration(everyMs)}`
    context.addIssue({ code: 'custom', path: ['timeout'], message })
  }) as unknown as z.ZodType<CheckConfig>
}

function unknownKeys(issue: z.core.$ZodRawIssue, known: readonly string[]): string | undefined {
  if (issue.code !== 'unrecognized_keys') return undefined
  const [key = ''] = issue.keys
  const near = nearestName(key, known)
  return near === undefined
    ? `unknown key ${key}; this kind knows ${known.join(', ')}`
    : `unknown key ${key}; did you mean ${near}?`
}

function unknownKind(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_union') return undefined
  const input = issue.input
  const given = typeof input === 'object' && input !== null && 'kind' in input ? input.kind : undefined
  const kinds = KINDS.map(({ kind }) => kind)
  if (typeof given !== 'string') return `a check has a kind: ${kinds.join(', ')}`
  const near = nearestName(given, kinds)
  return near === undefined
    ? `no kind is called ${given.slice(0, 40)}; there are ${kinds.join(', ')}`
    : `no kind is called ${given.slice(0, 40)}; did you mean ${near}?`
}

type Member = z.core.$ZodTypeDiscriminable & z.ZodType<CheckConfig>

/** One check. Its input and its output have the same form. */
export const checkSchema: z.ZodType<CheckConfig> = z.discriminatedUnion(
  'kind',
  KINDS.map((kind) => schemaOf(kind) as Member) as [Member, ...Member[]],
  { error: unknownKind },
)

/** All checks of a host: names are unique, and `depends` names checks that exist (`host/check` is of another host). */
export const checksSchema: z.ZodType<readonly CheckConfig[]> = z
  .array(checkSchema)
  .max(CHECKS_MAX)
  .superRefine((checks, context) => {
    const first = new Map<string, number>()
    for (const [index, { name }] of checks.entries()) {
      if (first.has(name)) {
        const message = `another check is called ${name} already; names are unique on a host`
        context.addIssue({ code: 'custom', path: [index, 'name'], message })
      } else first.set(name, index)
    }
    for (const [index, { name, depends = [] }] of checks.entries()) {
      for (const [place, other] of depends.entries()) {
        const path = [index, 'depends', place]
        if (other === name) context.addIssue({ code: 'custom', path, message: 'a check cannot depend on itself' })
        else if (!other.includes('/') && !first.has(other)) {
          const near = nearestName(other, [...first.keys()])
          const hint = near === undefined ? '' : `; did you mean ${near}?`
          context.addIssue({ code: 'custom', path, message: `no check is called ${other}${hint}` })
        }
      }
    }
  })

/**
 * A check ready to run, from what `muster.yaml` says of it, parsed or not.
 *
 * Throws a `z.ZodError` when `checkSchema` does not take it.
 */
export function defineCheck(raw: unknown): CheckDefinition {
  const config = checkSchema.parse(raw)
  const kind = findKind(config.kind)
  if (kind === undefined) throw new Error(`assertion failed: ${config.kind} is a kind`)
  const { defaults } = kind
  const everyMs = durationOr(config.every, defaults.everyMs)
  const options = Object.fromEntries(Object.keys(kind.options.shape).map((key) => [key, config[key]]))
  return {
    spec: {
      name: config.name,
      kind: config.kind,
      everyMs,
      graceMs: durationOr(config.grace, defaults.graceMs ?? defaultGraceMs(everyMs)),
      after: config.after ?? defaults.after,
      recover: config.recover ?? defaults.recover,
      forMs: durationOr(config.for, hasOwnConditions(config) ? 0 : (defaults.forMs ?? 0)),
      heartbeat: promiseOf(config.heartbeat),
      tags: config.tags ?? [],
    },
    timeoutMs: durationOr(config.timeout, Math.min(defaults.timeoutMs, everyMs)),
    options: kind.options.parse(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))),
    conditions: conditionsOf(config, kind),
    depends: config.depends ?? [],
    from: config.from ?? [],
  }
}

/** Half of `every`, at least 30 s. */
export function defaultGraceMs(everyMs: number): number {
  return Math.max(30_000, Math.floor(everyMs / 2))
}

function durationOr(text: string | undefined, otherwiseMs: number): number {
  return text === undefined ? otherwiseMs : parseDuration(text)
}

function hasOwnConditions(config: CheckConfig): boolean {
  return config.warning !== undefined || config.critical !== undefined
}

/** The kind's fixed conditions always hold; its default ones only when the config has none of its own. */
function conditionsOf(config: CheckConfig, kind: CheckKind): Conditions {
  const chosen = hasOwnConditions(config) ? config : kind.defaults
  const compiled = (...texts: readonly (string | undefined)[]): Condition[] =>
    texts.flatMap((text) => (text === undefined ? [] : [compileCondition(text, kind)]))
  return {
    critical: compiled(kind.fixed?.critical, chosen.critical),
    warning: compiled(kind.fixed?.warning, chosen.warning),
    unknown: compiled(kind.fixed?.unknown),
  }
}

function promiseOf(heartbeat: boolean | 'always' | undefined): HeartbeatPromise {
  if (heartbeat === 'always') return 'always'
  return heartbeat === false ? 'never' : 'awake'
}
