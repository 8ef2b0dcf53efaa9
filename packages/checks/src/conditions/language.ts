/**
 * The language of a kind's conditions: CEL over the kind's values, with every number a double.
 *
 * What is left out of CEL on purpose: `matches` (its regular expressions can run for minutes; `re2` cannot), macros that
 * loop, and everything that a condition has no use for. What remains evaluates in time linear to its text.
 * Source: https://github.com/google/cel-spec
 */
import { Environment } from '@marcbachmann/cel-js'
import { RE2JS } from 're2js'
import { type ConditionFunction, type Facts, MissingValueError, type ValueSpec } from '../check.ts'
import {
  CONDITION_DEPTH_MAX,
  CONDITION_LIST_MAX,
  CONDITION_NODES_MAX,
  PATTERN_CHARS_MAX,
  PATTERN_PROGRAM_MAX,
} from '../limits.ts'

/** What a condition may speak of. */
export interface Vocabulary {
  readonly values: readonly ValueSpec[]
  readonly functions?: readonly ConditionFunction[]
}

/** A vocabulary made ready: one for each kind, shared by all of its checks. */
export interface Language {
  readonly environment: Environment
  readonly values: ReadonlyMap<string, ValueSpec>
  readonly functions: ReadonlyMap<string, ConditionFunction>
  /** Runs an evaluation with these facts at hand for the functions. */
  withFacts<T>(facts: Facts, run: () => T): T
}

/** Functions of CEL itself that conditions may call. */
export const ALLOWED_FUNCTIONS: readonly string[] = ['size', 'double', 'int', 'string']

/** Methods of CEL's texts that conditions may call. */
export const ALLOWED_METHODS: readonly string[] = [
  'contains',
  'startsWith',
  'endsWith',
  'size',
  'lowerAscii',
  'upperAscii',
  'trim',
]

const CEL_TYPES = { number: 'double', text: 'string', boolean: 'bool' } as const

const valueOr: ConditionFunction = {
  name: 'value_or',
  parameters: [
    { name: 'name', type: 'text' },
    { name: 'otherwise', type: 'number' },
  ],
  returns: 'number',
  meaning: 'a number by its name, or the second argument when it was not measured',
  call({ values }, name, otherwise) {
    const value = Object.hasOwn(values, name) ? values[String(name)] : undefined
    return typeof value === 'number' ? value : Number(otherwise)
  },
}

/** Functions that every kind has. `re2` is apart: its text may be long and is not written in the condition. */
export const COMMON_FUNCTIONS: readonly ConditionFunction[] = [valueOr]

const languages = new WeakMap<Vocabulary, Language>()

/** The language of a vocabulary; made once. */
export function languageOf(vocabulary: Vocabulary): Language {
  const known = languages.get(vocabulary)
  if (known !== undefined) return known
  const language = createLanguage(vocabulary)
  languages.set(vocabulary, language)
  return language
}

function createLanguage(vocabulary: Vocabulary): Language {
  const environment = new Environment({
    limits: {
      maxAstNodes: CONDITION_NODES_MAX,
      maxDepth: CONDITION_DEPTH_MAX,
      maxListElements: CONDITION_LIST_MAX,
      maxMapEntries: 1,
      maxCallArguments: 8,
    },
  })
  for (const { name, type } of vocabulary.values) environment.registerVariable(name, CEL_TYPES[type])
  addNumbers(environment)
  environment.registerFunction('re2(string, string): bool', (text: string, pattern: string) =>
    compilePattern(pattern).matcher(text).find(),
  )
  let current: Facts | undefined
  const functions = [...COMMON_FUNCTIONS, ...(vocabulary.functions ?? [])]
  for (const definition of functions) {
    const parameters = definition.parameters.map(({ type }) => CEL_TYPES[type]).join(', ')
    const handler = (...values: (number | string)[]) => {
      if (current === undefined) throw new MissingValueError(definition.name)
      return definition.call(current, ...values)
    }
    environment.registerFunction(`${definition.name}(${parameters}): ${CEL_TYPES[definition.returns]}`, handler)
    addWholeNumberForms(environment, definition, handler)
  }
  return {
    environment,
    values: new Map(vocabulary.values.map((value) => [value.name, value])),
    functions: new Map(functions.map((definition) => [definition.name, definition])),
    withFacts(facts, run) {
      current = facts
      try {
        return run()
      } finally {
        current = undefined
      }
    },
  }
}

/** `free_percent < 10` and `status != 200` compare a double with an int literal: let every mixture work. */
function addNumbers(environment: Environment): void {
  const arithmetic: Readonly<Record<string, (left: number, right: number) => number>> = {
    '+': (left, right) => left + right,
    '-': (left, right) => left - right,
    '*': (left, right) => left * right,
    '/': (left, right) => left / right,
    '%': (left, right) => left % right,
  }
  for (const [operator, apply] of Object.entries(arithmetic)) {
    const mixed = (left: number | bigint, right: number | bigint) => apply(Number(left), Number(right))
    environment.registerOperator(`double ${operator} int`, mixed)
    environment.registerOperator(`int ${operator} double`, mixed)
  }
  environment.registerOperator('double % double', (left: number, right: number) => left % right)
  environment.registerOperator('double == int', (left: number, right: bigint) => left === Number(right))
  environment.registerOperator('double in list<int>', (left: number, list: readonly bigint[]) =>
    list.some((entry) => Number(entry) === left),
  )
}

/** A function that wants a number also takes `3`, which CEL reads as an int: each mixture is a form of its own. */
function addWholeNumberForms(
  environment: Environment,
  definition: ConditionFunction,
  handler: (...values: (number | string)[]) => unknown,
): void {
  const numbers = definition.parameters.flatMap(({ type }, index) => (type === 'number' ? [index] : []))
  for (let form = 1; form < 2 ** numbers.length; form += 1) {
    const types = definition.parameters.map(({ type }, index) => {
      const place = numbers.indexOf(index)
      return place !== -1 && (form >> place) % 2 === 1 ? 'int' : CEL_TYPES[type]
    })
    environment.registerFunction(
      `${definition.name}(${types.join(', ')}): ${CEL_TYPES[definition.returns]}`,
      (...values: (number | string | bigint)[]) =>
        handler(...values.map((value) => (typeof value === 'bigint' ? Number(value) : value))),
    )
  }
}

const patterns = new Map<string, RE2JS>()

/** Compiled once; throws what `re2js` says when the pattern is bad or too long. */
export function compilePattern(pattern: string): RE2JS {
  const known = patterns.get(pattern)
  if (known !== undefined) return known
  if (pattern.length > PATTERN_CHARS_MAX) throw new Error(`longer than ${PATTERN_CHARS_MAX} characters`)
  const compiled = RE2JS.compile(pattern)
  if (compiled.programSize() > PATTERN_PROGRAM_MAX) throw new Error('too costly; repeat less often than {…} says')
  // Patterns come from configs only; a reload that changes them all starts afresh.
  if (patterns.size >= 1000) patterns.clear()
  patterns.set(pattern, compiled)
  return compiled
}
