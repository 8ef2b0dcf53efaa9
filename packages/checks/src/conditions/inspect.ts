/** Walks a condition's tree: refuses what conditions may not do, and notes what stands for a value. */
import type { ASTNode, SourceRange } from '@marcbachmann/cel-js'
import { type Facts, MissingValueError } from '../check.ts'
import { PATTERNS_MAX } from '../limits.ts'
import { ConditionError } from './condition-error.ts'
import { unknownFunction, unknownName } from './explain.ts'
import { ALLOWED_FUNCTIONS, ALLOWED_METHODS, compilePattern, type Language } from './language.ts'

/** A place in a condition that stands for a value: a name, or a call with arguments that are written out. */
export interface Place {
  readonly start: number
  readonly end: number
  readonly read: (facts: Facts) => number | string | boolean | undefined
  /** Transient texts are too long to be shown. */
  readonly isShown: boolean
  readonly label: string
}

/** What a condition holds. */
export interface Inspection {
  /** In the order of the text. */
  readonly places: readonly Place[]
  /** Numbers that are written in it. */
  readonly literals: readonly number[]
}

interface Findings {
  readonly places: Place[]
  readonly literals: number[]
  patterns: number
}

/** Inspects a parsed condition. Throws a `ConditionError`. */
export function inspectCondition(ast: ASTNode, text: string, language: Language): Inspection {
  const found: Findings = { places: [], literals: [], patterns: 0 }
  visitNode(ast, text, language, found)
  found.places.sort((left, right) => left.start - right.start)
  return found
}

function visitNode(node: ASTNode, text: string, language: Language, found: Findings): void {
  const visit = (child: ASTNode) => visitNode(child, text, language, found)
  switch (node.op) {
    case 'value':
      if (typeof node.args === 'number' || typeof node.args === 'bigint') found.literals.push(Number(node.args))
      return
    case 'id': {
      const value = language.values.get(node.args)
      if (value === undefined) throw new ConditionError(text, node.range, unknownName(node.args, language))
      found.places.push({
        ...node.range,
        read: (facts) => readValue(facts, value.name),
        isShown: value.isTransient !== true,
        label: value.name,
      })
      return
    }
    case 'call': {
      const [name, parameters] = node.args
      if (name === 're2') checkPattern(node.range, parameters[1], text, found)
      else if (language.functions.has(name)) found.places.push(callPlace(node.range, name, parameters, text, language))
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
  range: SourceRange,
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

function checkPattern(range: SourceRange, node: ASTNode | undefined, text: string, found: Findings): void {
  found.patterns += 1
  if (found.patterns > PATTERNS_MAX) {
    throw new ConditionError(text, range, `more than ${PATTERNS_MAX} re2() in one condition`)
  }
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

function readValue(facts: Facts, name: string): number | string | boolean | undefined {
  if (Object.hasOwn(facts.values, name)) return facts.values[name]
  return Object.hasOwn(facts.transient, name) ? facts.transient[name] : undefined
}
