/**
 * YAML to plain values, with the place of each, and without YAML's dangerous half.
 *
 * One document, no tags, every key once. Aliases may be used, but all that they expand to counts.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { type ConfigProblem, quote } from './errors.ts'
import { DEPTH_MAX, faultsOf } from './yaml-faults.ts'

/** Bytes of a config: some thousand checks. */
export const CONFIG_BYTES_MAX = 1024 * 1024
/** Values in a config after its aliases are expanded. */
const VALUES_MAX = 50_000

/** From the top: keys of maps and indexes of lists. */
export type YamlPath = readonly PropertyKey[]

/** A place in the text, from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** A text that was read. */
export interface YamlText {
  /** Plain objects, arrays and scalars; `undefined` for an empty text. */
  readonly value: unknown
  /** What is wrong with the text itself, in the order of the text. There may be no value then. */
  readonly problems: readonly ConfigProblem[]
  /** Where the value is, or the nearest value around it. `offset` is in characters of a text value. */
  placeOf(path: YamlPath, offset?: number): Place
  /** Where a key of the map at the path is. */
  placeOfKey(path: YamlPath, key: string): Place
}

/** Reads a text. Never throws: what is wrong is in `problems`. */
export function readYaml(text: string, file: string): YamlText {
  const lines = new LineCounter()
  const problems: ConfigProblem[] = []
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const add = (code: string, offset: number, what: string, remedy: string): void => {
    problems.push({ code, file, ...place(offset), what, remedy })
  }
  const document = parse(text, lines)
  const faults = faultsOf(document, text, place)
  for (const { offset, what, remedy } of faults) add('yaml-syntax', offset, what, remedy)
  const reader = createReader(document, place, add)
  // Of a text with faults the library guesses the rest, and what is wrong with that is no mistake of the user's.
  const value = document.contents === null || faults.length > 0 ? undefined : reader.plain(document.contents)
  const nodeAt = (path: YamlPath): Node | undefined => reader.nodeAt(path)
  return {
    value,
    problems,
    placeOf(path, offset = 0) {
      const node = nodeAt(path)
      const start = node?.range?.[0] ?? 0
      return place(offset === 0 || !isScalar(node) ? start : inside(text, node, offset))
    },
    placeOfKey(path, key) {
      const node = nodeAt(path)
      const pair = isMap(node) ? node.items.find((item) => keyText(item.key) === key) : undefined
      const start = (pair?.key as Node | undefined)?.range?.[0] ?? node?.range?.[0] ?? 0
      return place(start)
    },
  }
}

function parse(text: string, lines: LineCounter): Document.Parsed {
  return parseDocument(text, {
    version: '1.2',
    schema: 'core',
    // Keys are compared by us: the library's way takes the square of their number, and tells one place only.
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
    logLevel: 'error',
  })
}

interface Reader {
  plain(node: Node): unknown
  nodeAt(path: YamlPath): Node | undefined
}

function createReader(
  document: Document.Parsed,
  place: (offset: number) => Place,
  add: (code: string, offset: number, what: string, remedy: string) => void,
): Reader {
  let values = 0
  let isTooMuch = false

  function stop(node: Node, what: string, remedy: string): undefined {
    if (!isTooMuch) add('yaml-too-large', node.range?.[0] ?? 0, what, remedy)
    isTooMuch = true
  }

  function plain(node: Node, depth = 0): unknown {
    values += 1
    if (isTooMuch) return undefined
    if (depth > DEPTH_MAX) return stop(node, 'this is nested too deep', `at most ${DEPTH_MAX} levels are read`)
    if (values > VALUES_MAX) return stop(node, 'these are too many values', `at most ${VALUES_MAX}, aliases expanded`)
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (target !== undefined) return plain(target, depth + 1)
      const remedy = 'put it in quotes if it is a text that begins with *'
      add('yaml-alias', node.range?.[0] ?? 0, `the alias ${quote(node.source)} has no anchor before it`, remedy)
      return undefined
    }
    if (node.tag !== undefined) {
      add(
        'yaml-tag',
        node.range?.[0] ?? 0,
        `the tag ${quote(node.tag)} is not allowed`,
        'remove it; put texts in quotes',
      )
    }
    if (isScalar(node)) return node.value
    if (isSeq(node)) return node.items.map((item) => plain(item as Node, depth + 1))
    return isMap(node) ? plainMap(node.items, depth) : undefined
  }

  function plainMap(items: readonly { readonly key: unknown; readonly value: unknown }[], depth: number): unknown {
    const map: Record<string, unknown> = {}
    const seen = new Map<string, number>()
    for (const { key, value } of items) {
      const offset = (key as Node | null)?.range?.[0] ?? 0
      const name = keyText(key)
      if (name === undefined) {
        add('yaml-key', offset, 'a key must be a word', 'write key: value')
        continue
      }
      const first = seen.get(name)
      if (first !== undefined) {
        const { line, column } = place(first)
        const what = `the key ${quote(name)} is here twice: first at line ${line}, column ${column}`
        add('yaml-duplicate-key', offset, what, 'keep one of them')
        continue
      }
      seen.set(name, offset)
      // Defined, not assigned: a key named __proto__ is a key like any other.
      const held = value === null ? null : plain(value as Node, depth + 1)
      Object.defineProperty(map, name, { value: held, enumerable: true, writable: true, configurable: true })
    }
    return map
  }

  function resolve(node: Node | null | undefined): Node | undefined {
    return (isAlias(node) ? node.resolve(document) : node) ?? undefined
  }

  function nodeAt(path: YamlPath): Node | undefined {
    let node: Node | undefined = resolve(document.contents)
    for (const step of path) {
      const next: unknown = isMap(node)
        ? node.items.find((item) => keyText(item.key) === step)?.value
        : isSeq(node) && typeof step === 'number'
          ? node.items[step]
          : undefined
      const resolved = resolve(next as Node | null | undefined)
      if (resolved === undefined) return node
      node = resolved
    }
    return node
  }

  return { plain, nodeAt }
}

function keyText(key: unknown): string | undefined {
  if (!isScalar(key) || typeof key.value === 'object') return undefined
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
}

/** The offset of a character of a text value, where the text is written as it is; else where the value begins. */
function inside(text: string, node: Node, offset: number): number {
  const [start] = node.range ?? [0]
  const value = isScalar(node) && typeof node.value === 'string' ? node.value : ''
  const opening = text.startsWith('"', start) || text.startsWith("'", start) ? 1 : 0
  const isWrittenAsIs = text.startsWith(value, start + opening)
  return isWrittenAsIs ? start + opening + Math.min(offset, value.length) : start
}
