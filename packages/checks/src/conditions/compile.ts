/**
 * Turns the text of a condition into something that can be asked, or says where and why it cannot.
 *
 * All that can be found out before the first run is: syntax, names, types, what is not allowed, bad regular expressions.
 */
import {
  type ASTNode,
  TypeError as CelTypeError,
  EvaluationError,
  ParseError,
  type ParseResult,
} from '@marcbachmann/cel-js'
import { type Facts, MissingValueError } from '../check.ts'
import { CONDITION_CHARS_MAX, TEXT_CHARS_MAX } from '../limits.ts'
import { cutText } from '../sanitize.ts'
import { explainSyntax, explainType, unknownFunction, unknownName } from './explain.ts'
import {
  ALLOWED_FUNCTIONS,
  ALLOWED_METHODS,
  compilePattern,
  type Language,
  languageOf,
  type Vocabulary,
} from './language.ts'

/** A condition that does not compile. Positions are within the condition's own text. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError'
  readonly code = 'bad-condition'
  /** The message without its position. */
  readonly reason: string
  /** UTF-16 units before the fault. */
  readonly offset: number
  readonly length: number
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number

  constructor(text: string, range: { readonly start: number; readonly end: number }, reason: string) {
    const offset = Math.min(Math.max(0, range.start), text.length)
    const before = text.slice(0, offset).split('\n')
    const line = before.length
    const column = (before.at(-1)?.length ?? 0) + 1
    super(cutText(`${line}:${column}: ${reason}`, 2 * TEXT_CHARS_MAX))
    this.reason = cutText(reason, 2 * TEXT_CHARS_MAX)
    this.offset = offset
    this.length = Math.max(1, Math.min(range.end, text.length) - offset)
    this.line = line
    this.column = column
  }
}

/** What a condition says of some facts. */
export type Answer =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no' }
  /** It depends on values that were not measured. */
  | { readonly kind: 'missing'; readonly names: readonly string[] }
  /** It could not be evaluated with these values. */
  | { readonly kind: 'failed'; readonly reason: string }

/** A place in a condition that stands for a value: a name, or a call with arguments that are written out. */
export interface Place {
  readonly start: number
  readonly end: number
  readonly read: (facts: Facts) => number | string | boolean | undefined
  /** Transient texts are too long to be shown. */
  readonly isShown: boolean
  readonly label: string
}

/** A compiled condition. */
export interface Condition {
  readonly text: string
  /** In the order of the text. */
  readonly places: readonly Place[]
  /** Numbers that are written in it. */
  readonly literals: readonly number[]
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
  const places: Place[] = []
  const literals: number[] = []
  inspect(parsed.ast, text, language, places, literals)
  const checked = parsed.check()
  if (!checked.valid) {
    const { start = 0, end = text.length } = checked.error?.range ?? {}
    throw new ConditionError(text, { start, end }, explainType(checked.error?.summary ?? 'types do not fit', language))
  }
  if (checked.type !== 'bool') {
    const reason = `it gives ${typeName(checked.type)}, and a condition is true or false: compare it, as in "… > 1"`
    throw new ConditionError(text, { start: 0, end: text.length }, reason)
  }
  places.sort((left, right) => left.start - right.start)
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

/** Walks the tree: refuses what is not allowed, and notes the places that stand for values. */
function inspect(node: ASTNode, text: string, language: Language, places: Place[], literals: number[]): void {
  const visit = (child: ASTNode) => inspect(child, text, language, places, literals)
  switch (node.op) {
    case 'value':
      if (typeof node.args === 'number' || typeof node.args === 'bigint') literals.push(Number(node.args))
      return
    case 'id': {
      const value = language.values.get(node.args)
      if (value === undefined) throw new ConditionError(text, node.range, unknownName(node.args, language))
      places.push({
        ...node.range,
        read: (facts) => readValue(facts, value.name),
        isShown: value.isTransient !== true,
        label: value.name,
      })
      return
    }
    case 'call': {
      const [name, parameters] = node.args
      if (name === 're2') checkPattern(parameters[1], text)
      else if (language.functions.has(name)) places.push(callPlace(node.range, name, parameters, text, language))
      else if (!ALLOWED_FUNCTIONS.includes(name)) {
        throw new ConditionError(text, node.range, unknownFunction(name, language))
      }
      parameters.forEach(visit)
      return
    }
    case 'rcall': {
      const [name, receiver, parameters] = node.args
      if (!ALLOWED_METHODS.includes(name)) throw new ConditionError(text, node.range, unknownFunction(name, language))
      visit(receiver)
      parameters.forEach(visit)
      return
    }
    case '!_':
    case '-_':
      visit(node.args)
      return
    case 'list':
      node.args.forEach(visit)
      return
    case '?:':
      node.args.forEach(visit)
      return
    case '.':
    case '.?':
      throw new ConditionError(text, node.range, 'values have no fields; write their names alone')
    case '[]':
    case '[?]':
    case 'map':
      throw new ConditionError(text, node.range, 'conditions have no maps and no [ ] access')
    default:
      for (const child of node.args) visit(child)
  }
}

/** Functions look things up by texts and numbers that stand in the condition, so that what they need is known at once. */
function callPlace(
  range: { readonly start: number; readonly end: number },
  name: string,
  parameters: readonly ASTNode[],
  text: string,
  language: Language,
): Place {
  const definition = language.functions.get(name)
  const written = parameters.map((parameter) => {
    const literal = literalOf(parameter)
    if (literal !== undefined) return literal
    throw new ConditionError(text, parameter.range, `${name}() takes texts and numbers as written, not computed`)
  })
  if (name === 'value_or' && !language.values.has(String(written[0])) && parameters[0] !== undefined) {
    throw new ConditionError(text, parameters[0].range, unknownName(String(written[0]), language))
  }
  return {
    ...range,
    read: (facts) => {
      try {
        return definition?.call(facts, ...written)
      } catch (error) {
        if (error instanceof MissingValueError) return undefined
        throw error
      }
    },
    isShown: true,
    label: text.slice(range.start, range.end),
  }
}

function literalOf(node: ASTNode): string | number | undefined {
  if (node.op === '-_') {
    const inner = literalOf(node.args)
    return typeof inner === 'number' ? -inner : undefined
  }
  if (node.op !== 'value') return undefined
  if (typeof node.args === 'bigint') return Number(node.args)
  return typeof node.args === 'string' || typeof node.args === 'number' ? node.args : undefined
}

function checkPattern(node: ASTNode | undefined, text: string): void {
  if (node === undefined) return
  const pattern = literalOf(node)
  if (typeof pattern !== 'string') {
    throw new ConditionError(text, node.range, "the pattern of re2() is written out, as in re2(body, 'up|ready')")
  }
  try {
    compilePattern(pattern)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it does not compile'
    throw new ConditionError(text, node.range, `a bad regular expression: ${why}`)
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

function readValue(facts: Facts, name: string): number | string | boolean | undefined {
  if (Object.hasOwn(facts.values, name)) return facts.values[name]
  return Object.hasOwn(facts.transient, name) ? facts.transient[name] : undefined
}

function typeName(type: string | undefined): string {
  if (type === 'double' || type === 'int') return 'a number'
  return type === 'string' ? 'a text' : `a ${type ?? 'value'}`
}
