/**
 * Performance data of a Nagios plugin: what stands after the `|`.
 *
 * `'label'=value[UOM];[warn];[crit];[min];[max]`, separated by spaces. A label with spaces, quotes or `=` is quoted and
 * doubles its quotes; a value may be `U`, could not be determined; a range is `[@]start:end`, where `~` is minus infinity.
 * Plugins are sloppy: an item that cannot be read is passed over, never an error.
 * Source: Monitoring Plugins Development Guidelines, "Performance data" and "Threshold and ranges".
 */
import { VALUE_NAME_CHARS_MAX, VALUES_MAX } from './limits.ts'
import { sanitizeLine } from './sanitize.ts'

/** A range of a threshold. An alert is due outside of it, or inside when `inside` is set (`@`). */
export interface PerfRange {
  /** −Infinity for `~`. */
  readonly start: number
  /** +Infinity when it has no end. */
  readonly end: number
  readonly inside: boolean
}

/** One metric as the plugin printed it, in the plugin's own unit. */
export interface PerfMetric {
  readonly label: string
  /** Absent when the plugin printed `U`. */
  readonly value?: number
  /** `s`, `ms`, `us`, `%`, `B`, `KB`, `c` …, or empty. */
  readonly unit: string
  readonly warning?: PerfRange
  readonly critical?: PerfRange
  readonly min?: number
  readonly max?: number
}

const NUMBER = /^[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?/u

/** Reads at most `VALUES_MAX` metrics. Never throws; time and space are linear in the text. */
export function parsePerfdata(text: string): readonly PerfMetric[] {
  const metrics: PerfMetric[] = []
  let at = 0
  while (at < text.length && metrics.length < VALUES_MAX) {
    if (/\s/u.test(text.charAt(at))) {
      at += 1
      continue
    }
    const label = text.charAt(at) === "'" ? quotedLabel(text, at) : bareLabel(text, at)
    if (label === undefined) {
      at = endOfWord(text, at)
      continue
    }
    const end = endOfWord(text, label.end)
    const metric = readMetric(label.text, text.slice(label.end, end))
    if (metric !== undefined) metrics.push(metric)
    at = end
  }
  return metrics
}

/** Reads `10`, `10:`, `~:10`, `10:20` or `@10:20`; `undefined` when it is none of these. */
export function parseRange(text: string): PerfRange | undefined {
  const inside = text.startsWith('@')
  const body = inside ? text.slice(1) : text
  const colon = body.indexOf(':')
  const startText = colon === -1 ? '0' : body.slice(0, colon)
  const endText = colon === -1 ? body : body.slice(colon + 1)
  if (colon === -1 && endText === '') return undefined
  const start = startText === '~' ? Number.NEGATIVE_INFINITY : startText === '' ? 0 : readNumber(startText)
  const end = endText === '' ? Number.POSITIVE_INFINITY : readNumber(endText)
  if (start === undefined || end === undefined || start > end) return undefined
  return { start, end, inside }
}

/** True when a value calls for an alert by this range. */
export function isOutOfRange(value: number, range: PerfRange): boolean {
  const isWithin = value >= range.start && value <= range.end
  return range.inside ? isWithin : !isWithin
}

interface Label {
  readonly text: string
  /** Where the value begins, after the `=`. */
  readonly end: number
}

function quotedLabel(text: string, from: number): Label | undefined {
  let label = ''
  let at = from + 1
  while (at < text.length) {
    const quote = text.indexOf("'", at)
    if (quote === -1) return undefined
    label += text.slice(at, quote)
    if (text.charAt(quote + 1) !== "'") {
      return text.charAt(quote + 1) === '=' ? { text: label, end: quote + 2 } : undefined
    }
    label += "'"
    at = quote + 2
  }
  return undefined
}

function bareLabel(text: string, from: number): Label | undefined {
  const word = text.slice(from, endOfWord(text, from))
  const equals = word.indexOf('=')
  return equals === -1 ? undefined : { text: word.slice(0, equals), end: from + equals + 1 }
}

function endOfWord(text: string, from: number): number {
  let at = from
  while (at < text.length && !/\s/u.test(text.charAt(at))) at += 1
  return at
}

function readMetric(rawLabel: string, body: string): PerfMetric | undefined {
  const label = sanitizeLine(rawLabel, VALUE_NAME_CHARS_MAX)
  const [head = '', warnText = '', critText = '', minText = '', maxText = ''] = body.split(';', 5)
  if (label === '') return undefined
  const isUndetermined = head === 'U'
  const digits = NUMBER.exec(head)?.[0] ?? ''
  const value = readNumber(digits)
  if (value === undefined && !isUndetermined) return undefined
  const unit = isUndetermined ? '' : head.slice(digits.length)
  if (!/^[%a-zA-Z/]{0,8}$/u.test(unit)) return undefined
  const warning = parseRange(warnText)
  const critical = parseRange(critText)
  const min = readNumber(minText)
  const max = readNumber(maxText)
  return {
    label,
    unit,
    ...(value === undefined ? {} : { value }),
    ...(warning === undefined ? {} : { warning }),
    ...(critical === undefined ? {} : { critical }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  }
}

/** A finite number; a decimal comma (plugins under a German or French locale) is a point. */
function readNumber(text: string): number | undefined {
  const match = NUMBER.exec(text)
  if (match === null || match[0].length !== text.length) return undefined
  const value = Number(text.replace(',', '.'))
  return Number.isFinite(value) ? value : undefined
}
