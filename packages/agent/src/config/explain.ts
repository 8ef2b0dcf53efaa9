/**
 * From what the schema says to what a person can use: where it is, what is wrong, what to write instead.
 */
import { nearestName } from '@muster/checks'
import type { z } from 'zod'
import { type ConfigProblem, quote } from './errors.ts'
import type { YamlPath, YamlText } from './yaml.ts'

type Issue = z.core.$ZodIssue
type JsonSchema = z.core.JSONSchema.BaseSchema

/** What the schema's issues are explained with. */
export interface Explanation {
  readonly file: string
  readonly yaml: YamlText
  /** The JSON Schema of the config: it knows the keys, the words and the examples. Asked for only when it is needed. */
  readonly jsonSchema: () => JsonSchema
}

/** One problem, or one for each unknown key. */
export function explain(issue: Issue, given: Explanation): readonly ConfigProblem[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, given))
  if (issue.code === 'invalid_union') {
    const [closest] = [...issue.errors].sort((a, b) => a.length - b.length)
    if (closest !== undefined && closest.length > 0 && issue.message === 'Invalid input') {
      return closest.flatMap((inner) => explain({ ...inner, path: [...path, ...inner.path] }, given))
    }
  }
  const value = valueAt(given.yaml.value, path)
  if (value === undefined && path.length > 0) return [missingKey(issue, given)]
  const { what, remedy, offset } = describe(issue, value, exampleAt(path, given))
  const place = given.yaml.placeOf(path, offset)
  return [{ code: codeOf(issue), file: given.file, ...place, what, ...(remedy === undefined ? {} : { remedy }) }]
}

interface Description {
  readonly what: string
  readonly remedy?: string | undefined
  readonly offset?: number
}

function describe(issue: Issue, value: unknown, example: string | undefined): Description {
  const shown = shownValue(value, issue.path)
  switch (issue.code) {
    case 'invalid_type': {
      const what = `this is ${nameOf(value)}, and must be ${EXPECTED[issue.expected] ?? issue.expected}`
      if (!isOwnMessage(issue.message)) return { what, remedy: issue.message }
      const isText = issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')
      const quotes = isText ? 'put it in quotes if it is meant as text' : undefined
      return { what, remedy: example?.startsWith('write') === true ? example : (quotes ?? example) }
    }
    case 'invalid_value': {
      const words = issue.values.map(String)
      const near = typeof value === 'string' ? nearestName(value, words) : undefined
      const all = `write one of: ${words.join(', ')}`
      return { what: `${shown} is not known here`, remedy: near === undefined ? all : `did you mean ${near}? ${all}` }
    }
    case 'too_small':
    case 'too_big': {
      const side = issue.code === 'too_small' ? `write at least ${issue.minimum}` : `write at most ${issue.maximum}`
      const unit = typeof value === 'string' ? ' characters' : Array.isArray(value) ? ' entries' : ''
      const size = typeof value === 'number' ? shown : 'this'
      const what = `${size} is too ${issue.code === 'too_small' ? 'small' : 'large'}`
      return { what, remedy: isOwnMessage(issue.message) ? `${side}${unit}` : issue.message }
    }
    case 'invalid_format': {
      const said = split(issue)
      if (said.remedy !== undefined) return said
      return { what: `${shown} does not fit`, remedy: isOwnMessage(issue.message) ? example : issue.message }
    }
    default: {
      const said = split(issue)
      return said.remedy === undefined && said.what.startsWith('write ')
        ? { ...said, what: `${shown} does not fit`, remedy: said.what }
        : said
    }
  }
}

/** `message; what to do`, with the hints beside it. */
function split(issue: Issue): Description {
  const params = 'params' in issue ? issue.params : undefined
  const remedy = typeof params?.remedy === 'string' ? params.remedy : undefined
  const offset = typeof params?.offset === 'number' ? { offset: params.offset } : {}
  if (remedy !== undefined) return { what: issue.message, remedy, ...offset }
  const at = issue.message.indexOf('; ')
  if (at === -1) return { what: issue.message, ...offset }
  return { what: issue.message.slice(0, at), remedy: issue.message.slice(at + 2), ...offset }
}

/** Zod's own words, which are no help to a person. */
const isOwnMessage = (message: string): boolean => /^(Invalid|Too (small|big))\b/.test(message)

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
}

function nameOf(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map of keys'
  if (typeof value === 'string') return 'text'
  return typeof value === 'boolean' ? 'true or false' : 'a number'
}

/** Keys of a check that hold no secret. Those of a kind might: a URL, a header, an argument. */
const HARMLESS_KEYS: readonly PropertyKey[] = [
  ...['name', 'kind', 'every', 'grace', 'timeout', 'after', 'recover', 'for', 'heartbeat', 'host', 'port', 'path'],
  ...['tags', 'depends', 'from', 'method', 'redirects'],
]

function shownValue(value: unknown, path: YamlPath): string {
  const [section, , key] = path
  const isHarmless = section === 'checks' ? HARMLESS_KEYS.includes(key ?? '') : !path.includes('url')
  if (!isHarmless || (typeof value === 'object' && value !== null)) return 'this'
  return quote(String(value))
}

function codeOf(issue: Issue): string {
  return issue.code === 'custom' ? 'config-value' : `config-${issue.code.replaceAll('_', '-')}`
}

function unknownKey(path: YamlPath, key: string, { file, yaml, jsonSchema }: Explanation): ConfigProblem {
  const known = Object.keys(schemaAt(jsonSchema(), path, yaml.value)?.properties ?? {})
  const near = nearestName(key, known)
  const all = known.length === 0 ? undefined : `keys here: ${known.join(', ')}`
  const remedy = near === undefined ? all : `did you mean ${near}? ${all}`
  const section = path.length === 0 ? 'the config' : nameOfPath(path, yaml.value)
  return {
    code: 'config-unknown-key',
    file,
    ...yaml.placeOfKey(path, key),
    what: `${quote(key)} is not a key of ${section}`,
    remedy: remedy ?? 'remove it',
  }
}

function missingKey(issue: Issue, given: Explanation): ConfigProblem {
  const { file, yaml } = given
  const { path } = issue
  const parent = path.slice(0, -1)
  const key = String(path.at(-1))
  const isPlain = isOwnMessage(issue.message) || issue.code === 'invalid_value'
  const remedy = isPlain ? exampleAt(path, given) : split(issue).what
  return {
    code: 'config-missing-key',
    file,
    ...yaml.placeOf(parent),
    what: `${quote(key)} is missing in ${nameOfPath(parent, yaml.value)}`,
    remedy: remedy ?? `write ${key}: …`,
  }
}

/** `checks.disk` for a check that has a name, `checks[2]` for one that has none. */
function nameOfPath(path: YamlPath, value: unknown): string {
  let text = ''
  for (const [index, step] of path.entries()) {
    if (typeof step !== 'number') {
      text += `${text === '' ? '' : '.'}${String(step)}`
      continue
    }
    const name = valueAt(value, [...path.slice(0, index + 1), 'name'])
    text += typeof name === 'string' ? `.${quote(name).slice(1, -1)}` : `[${step}]`
  }
  return text
}

function valueAt(value: unknown, path: YamlPath): unknown {
  let here = value
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined
    here = (here as Record<PropertyKey, unknown>)[step]
  }
  return here
}

function exampleAt(path: YamlPath, { yaml, jsonSchema }: Explanation): string | undefined {
  const schema = schemaAt(jsonSchema(), path, yaml.value)
  const examples = schema?.examples
  if (Array.isArray(examples) && examples.length > 0) {
    return `write for example ${examples.map((example) => flow(example)).join(', ')}`
  }
  return schema?.description
}

const flow = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(flow).join(', ')}]` : typeof value === 'string' ? value : JSON.stringify(value)

/** The part of the JSON Schema that the path leads to, choosing among alternatives by the `kind` that is written. */
function schemaAt(root: JsonSchema, path: YamlPath, value: unknown): JsonSchema | undefined {
  let schema: JsonSchema | undefined = choose(root, value)
  let here = value
  for (const step of path) {
    here = valueAt(here, [step])
    const next: unknown = typeof step === 'number' ? schema?.items : schema?.properties?.[String(step)]
    if (typeof next !== 'object' || next === null || Array.isArray(next)) return undefined
    schema = choose(next as JsonSchema, here)
  }
  return schema
}

function choose(schema: JsonSchema, value: unknown): JsonSchema {
  const kind = valueAt(value, ['kind'])
  const choices = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])] as readonly JsonSchema[]
  return choices.find(({ properties }) => (properties?.kind as JsonSchema | undefined)?.const === kind) ?? schema
}
