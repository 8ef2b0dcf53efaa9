/** What the library finds wrong with a text, as one line for each mistake: it tells many by what follows from them. */
import { type Document, isMap, isScalar, isSeq, type Node } from 'yaml'

/** One mistake. */
export interface YamlFault {
  /** Where it shows, in characters from the start of the text. */
  readonly offset: number
  readonly what: string
  readonly remedy: string
}

/** A place in the text, from 1. */
type PlaceOf = (offset: number) => { readonly line: number; readonly column: number }

/** Values inside each other. */
export const DEPTH_MAX = 32
/** Mistakes that are looked into; more than are ever told. The others are only counted. */
const LOOKED_INTO_MAX = 100

const REMEDIES: Readonly<Record<string, string>> = {
  // The library's recursion found no bottom.
  RESOURCE_EXHAUSTION: `this is nested too deep: at most ${DEPTH_MAX} levels are read`,
  MULTIPLE_DOCS: 'keep one document: remove the line ---',
  BAD_ALIAS: 'put it in quotes if it is a text that begins with & or *',
  MISSING_CHAR: 'a bracket or a quote is open: close it',
  BLOCK_AS_IMPLICIT_KEY: 'a text that contains ": " needs quotes; a new key begins on its own line',
  MULTILINE_IMPLICIT_KEY: 'a key, its colon and its value begin on one line',
}

/** The mistakes, in the order of the text. What comes after a tab that indents is left out: most of it follows from that. */
export function faultsOf(document: Document.Parsed, text: string, placeOf: PlaceOf): readonly YamlFault[] {
  const openings = new Map<string, readonly Node[]>()
  const faults: YamlFault[] = []
  const found = [...document.errors, ...document.warnings].filter(({ code }) => code !== 'TAG_RESOLVE_FAILED')
  for (const { code, message, pos } of found.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const [offset] = pos
    // What is inside of another is told, and not the other too: closing the one may close both.
    if (faults.at(-1)?.offset === offset) continue
    const isLookedInto = faults.length < LOOKED_INTO_MAX
    const tab = isLookedInto ? tabBefore(text, offset) : undefined
    if (tab !== undefined) {
      const what = 'not YAML: tabs are not allowed as indentation'
      return [...faults, { offset: tab, what, remedy: 'indent with spaces, in all lines' }]
    }
    const missing = /^(?:Flow .* end with a|Missing closing) ?(?<closing>[}\]"'])/.exec(message)?.groups?.closing
    const opened = missing === undefined || !isLookedInto ? undefined : openingOf(missing, offset)
    if (missing !== undefined && opened !== undefined) {
      const { line, column } = placeOf(opened)
      const what = `not YAML: the ${text[opened]} opened on line ${line}, column ${column} is not closed before this`
      const isBracket = missing === '}' || missing === ']'
      const remedy = `close it with ${missing}${isBracket ? ', or indent what belongs to it' : ''}`
      faults.push({ offset, what, remedy })
    } else {
      const remedy = REMEDIES[code] ?? 'look at the indentation, brackets and quotes here'
      faults.push({ offset, what: sentence(message), remedy })
    }
  }
  return faults

  function openingOf(closing: string, offset: number): number | undefined {
    const nodes = openings.get(closing) ?? unclosed(document.contents, text, closing)
    openings.set(closing, nodes)
    return nodes.find(({ range }) => (range?.[0] ?? offset) < offset && offset <= (range?.[2] ?? 0))?.range?.[0]
  }
}

/** The tab in a line's indentation, where the mistake shows in that or right after it. */
function tabBefore(text: string, offset: number): number | undefined {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1
  const indentation = /^[ \t]*/.exec(text.slice(start))?.[0] ?? ''
  const tab = indentation.indexOf('\t')
  return tab === -1 || offset > start + indentation.length ? undefined : start + tab
}

/** What begins as if it ended with this character, and does not: the innermost first. */
function unclosed(root: Node | null, text: string, closing: string): readonly Node[] {
  const found: Node[] = []
  const look = (node: unknown, depth: number): void => {
    if (depth > DEPTH_MAX) return
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        look(key, depth + 1)
        look(value, depth + 1)
      }
    } else if (isSeq(node)) for (const item of node.items) look(item, depth + 1)
    else if (!isScalar(node)) return
    const [start, end] = node.range ?? [0, 0]
    const opening = { '}': '{', ']': '[' }[closing] ?? closing
    const isClosed = end - start > 1 && text[end - 1] === closing
    if (text[start] === opening && !isClosed) found.push(node)
  }
  look(root, 0)
  return found
}

function sentence(message: string): string {
  return `not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`.replace(/[\p{Cc}]/gu, '�')
}
