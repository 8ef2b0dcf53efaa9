/** What to write instead: the reasons that a person reads when a condition does not compile. */
import { ALLOWED_FUNCTIONS, ALLOWED_METHODS, type Language } from './language.ts'
import { nearestName } from './suggest.ts'

/** A part of a condition's text. */
interface Range {
  readonly start: number
  readonly end: number
}

/** Words and signs of other languages, and what CEL writes. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/^and\b/iu, 'write && for "and"'],
  [/^or\b/iu, 'write || for "or"'],
  [/^not\b/iu, 'write ! for "not"'],
  [/^===/u, 'write == to compare'],
  [/^!==/u, 'write != to compare'],
  [/^<>/u, 'write != for "is not"'],
  [/^=</u, 'write <= for "at most"'],
  [/^=>/u, 'write >= for "at least"'],
  [/^=~/u, "write re2(text, 'pattern')"],
  [/^=(?!=)/u, 'write == to compare'],
  [/^&(?!&)/u, 'write && for "and"'],
  [/^\|(?!\|)/u, 'write || for "or"'],
  [/^%/u, 'write the number alone, without %'],
  [/^(?:ms|s|m|h|d|kb|mb|gb|b)\b/iu, 'write the number alone: the unit is in the name of the value'],
]

/** Explains a syntax error, and moves to where the fault begins when the parser noticed it later. */
export function explainSyntax(text: string, range: Range, summary: string): { range: Range; reason: string } {
  if (/limit_exceeded|^Exceeded/u.test(summary)) return { range, reason: `it is too complex (${summary})` }
  const outside = withoutLiterals(text)
  // The parser may stop inside of a word, or one sign late.
  const word = wordStart(outside, range.start)
  const wordBefore = wordStart(outside, outside.slice(0, word).trimEnd().length)
  for (const start of [word, range.start, range.start - 1, range.start - 2, wordBefore]) {
    const found = start < 0 ? undefined : FOREIGN.find(([pattern]) => pattern.test(outside.slice(start)))
    if (found !== undefined) return { range: { start, end: start + 1 }, reason: found[1] }
  }
  if (/%\s*$/u.test(outside)) {
    const start = outside.lastIndexOf('%')
    return { range: { start, end: start + 1 }, reason: 'write the number alone, without %' }
  }
  if (range.start >= text.trimEnd().length) return { range, reason: 'it ends too early; something is missing here' }
  return { range, reason: lowerFirst(summary) }
}

/** Explains a type error in the words of a person. */
export function explainType(summary: string, language: Language): string {
  const overload = /^no such overload: (.+)$/u.exec(summary)?.[1]
  if (overload !== undefined) {
    const readable = readableTypes(overload)
    const hint =
      /\btext\b/u.test(readable) && /\bnumber\b/u.test(readable) ? '; a text stands in quotes, a number does not' : ''
    return `${readable} does not work${hint}`
  }
  if (summary.startsWith('List elements must have the same type')) {
    return 'the entries of a list are alike: all texts, or all numbers with or all without a point'
  }
  const call = /^found no matching overload for '([\w.]+)\((.*)\)'$/u.exec(summary)
  if (call !== null) {
    const name = (call[1] ?? '').split('.').at(-1) ?? ''
    const definition = language.functions.get(name)
    const wanted =
      definition === undefined
        ? name === 're2'
          ? "re2(text, 'pattern')"
          : undefined
        : `${name}(${definition.parameters.map((parameter) => `${parameter.name}: ${parameter.type}`).join(', ')})`
    const given = readableTypes(call[2] ?? '')
    return wanted === undefined
      ? `${name}() does not take ${given || 'nothing'}`
      : `it is ${wanted}, not ${name}(${given})`
  }
  return lowerFirst(readableTypes(summary))
}

/** A name that no value has. */
export function unknownName(name: string, language: Language): string {
  const known = [...language.values.keys()]
  const near = nearestName(name, known)
  if (near !== undefined) return `no value is called ${name}; did you mean ${near}?`
  if (language.functions.has('perf'))
    return `no value is called ${name}; performance data are read with perf('${name}')`
  return `no value is called ${name}; there are ${known.join(', ')}`
}

/** A function that conditions do not have. */
export function unknownFunction(name: string, language: Language): string {
  if (name === 'matches') return "matches is not available, for it may run for ever; write re2(text, 'pattern')"
  const own = [...language.functions.keys(), 're2', ...ALLOWED_FUNCTIONS]
  const near = nearestName(name, [...own, ...ALLOWED_METHODS])
  if (near !== undefined && near !== name) return `there is no ${name}(); did you mean ${near}()?`
  return `there is no ${name}(); there are ${own.map((known) => `${known}()`).join(', ')}`
}

/** The same text with what stands in quotes blanked, so that positions stay. */
function withoutLiterals(text: string): string {
  return text.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/gu, (literal) => ' '.repeat(literal.length))
}

function wordStart(text: string, at: number): number {
  let start = Math.min(at, text.length)
  while (start > 0 && /\w/u.test(text.charAt(start - 1))) start -= 1
  return start
}

function readableTypes(text: string): string {
  return text
    .replaceAll(/\b(?:double|int|uint)\b/gu, 'number')
    .replaceAll(/\bstring\b/gu, 'text')
    .replaceAll(/\bbool\b/gu, 'true/false')
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
