/**
 * Turns the text of a condition into something that can be asked, or says where and why it cannot.
 *
 * All that can be found out before the first run is: syntax, names, types, what is not allowed, bad regular expressions.
 */
import { TypeError as CelTypeError, EvaluationError, ParseError, type ParseResult } from '@marcbachmann/cel-js'
import type { Facts } from '../check.ts'
import { CONDITION_CHARS_MAX } from '../limits.ts'
import { ConditionError } from './condition-error.ts'
import { explainSyntax, explainType } from './explain.ts'
import { type Inspection, inspectCondition, type Place } from './inspect.ts'
import { type Language, languageOf, type Vocabulary } from './language.ts'

/** What a condition says of some facts. */
export type Answer =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no' }
  /** It depends on values that were not measured. */
  | { readonly kind: 'missing'; readonly names: readonly string[] }
  /** It could not be evaluated with these values. */
  | { readonly kind: 'failed'; readonly reason: string }

/** A compiled condition. */
export interface Condition extends Inspection {
  readonly text: string
  ask(facts: Facts): Answer
}

/** Compiles one condition for a kind. Throws a `ConditionError`. */
export function compileCondition(text: string, vocabulary: Vocabulary): Condition {
  const language = languageOf(vocabulary)
  if (text.trim() === '') throw new ConditionError(text, { start: 0, end: 1 }, 'a condition is empty')
  if (text.length > CONDITION_CHARS_MAX) {
    const range = { start: CONDITION_CHARS_MAX, end: text.length }
    throw new ConditionError(text, range, `longer than ${CONDITION_CHARS_MAX} characters`)
  }
  const parsed = parse(text, language)
  const { places, literals } = inspectCondition(parsed.ast, text, language)
  const checked = parsed.check()
  if (!checked.valid) {
    const { start = 0, end = text.length } = checked.error?.range ?? {}
    throw new ConditionError(text, { start, end }, explainType(checked.error?.summary ?? 'types do not fit', language))
  }
  if (checked.type !== 'bool') {
    const reason = `it gives ${typeName(checked.type)}, and a condition is true or false: compare it, as in "… > 1"`
    throw new ConditionError(text, { start: 0, end: text.length }, reason)
  }
  return { text, places, literals, ask: (facts) => ask(parsed, places, language, facts) }
}

function parse(text: string, language: Language): ParseResult {
  try {
    return language.environment.parse(text)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    const { start = 0, end = text.length } = error.range ?? {}
    const fault = explainSyntax(text, { start, end }, error.summary)
    throw new ConditionError(text, fault.range, fault.reason)
  }
}

/**
 * A definite yes stands, whatever else is missing. A no stands only when everything that the condition names was
 * measured: what was not measured must never look well.
 */
function ask(parsed: ParseResult, places: readonly Place[], language: Language, facts: Facts): Answer {
  let result: unknown
  let reason: string | undefined
  try {
    const values = { ...facts.transient, ...facts.values }
    result = language.withFacts(facts, () => parsed(values))
    if (result === true) return { kind: 'yes' }
    if (result !== false) reason = 'it gave neither true nor false'
  } catch (error) {
    reason = error instanceof EvaluationError || error instanceof CelTypeError ? error.summary : 'it failed'
  }
  try {
    const missing = places.filter(({ read }) => read(facts) === undefined).map(({ label }) => label)
    if (missing.length > 0) return { kind: 'missing', names: [...new Set(missing)] }
  } catch {
    reason ??= 'it failed'
  }
  return reason === undefined ? { kind: 'no' } : { kind: 'failed', reason }
}

function typeName(type: string | undefined): string {
  if (type === 'double' || type === 'int') return 'a number'
  return type === 'string' ? 'a text' : `a ${type ?? 'value'}`
}
