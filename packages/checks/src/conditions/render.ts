/** A condition with the numbers in place: `139 > 2000`. */
import type { Facts } from '../check.ts'
import { cutText, sanitizeLine } from '../sanitize.ts'
import type { Condition } from './compile.ts'

/** Characters of a text value that are shown. */
const SHOWN_CHARS_MAX = 40

/** The condition's text with every value that was measured in the place of its name. One safe line. */
export function renderCondition(condition: Condition, facts: Facts): string {
  let shown = ''
  let at = 0
  for (const place of condition.places) {
    if (!place.isShown || place.start < at) continue
    const value = place.read(facts)
    if (value === undefined) continue
    shown += condition.text.slice(at, place.start) + formatValue(value, condition.literals)
    at = place.end
  }
  return sanitizeLine(shown + condition.text.slice(at))
}

/** A value as it stands in a sentence. Numbers are short, yet never round to one that the condition compares with. */
export function formatValue(value: number | string | boolean, literals: readonly number[] = []): string {
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return `"${cutText(sanitizeLine(value), SHOWN_CHARS_MAX)}"`
  if (Number.isInteger(value)) return String(value)
  const size = Math.abs(value)
  const digits = size >= 100 ? 1 : size >= 1 ? 2 : Math.min(12, 2 - Math.floor(Math.log10(size)))
  for (let more = digits; more <= digits + 6; more += 1) {
    const text = String(Number(value.toFixed(more)))
    if (!literals.includes(Number(text))) return text
  }
  return String(value)
}
