/**
 * Durations as people write them in `muster.yaml`: `500ms`, `10s`, `5m`, `1h30m`, `1d`.
 *
 * Whole numbers, each unit once, the largest first, at most a year and a day.
 */
import { DURATION_MS_MAX } from './limits.ts'

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** The form of a duration, for JSON Schema; `parseDuration` also wants it non-empty and within bounds. */
export const DURATION_PATTERN = /^(?=.)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,12})ms)?$/u

/** A duration that cannot be read. `message` says what to write instead. */
export class DurationError extends Error {
  override readonly name = 'DurationError'
  readonly code = 'bad-duration'
}

/**
 * Milliseconds of a duration's text. Never negative; `0s` is 0.
 *
 * Throws a `DurationError` with the remedy.
 */
export function parseDuration(text: string): number {
  const match = DURATION_PATTERN.exec(text)
  if (match === null) throw new DurationError(`"${text.slice(0, 40)}" is no duration; ${remedy(text)}`)
  let total = 0
  for (const [index, [, unitMs]] of UNITS.entries()) total += Number(match[index + 1] ?? 0) * unitMs
  if (total > DURATION_MS_MAX) {
    throw new DurationError(`"${text}" is too long; at most ${formatDuration(DURATION_MS_MAX)}`)
  }
  return total
}

/**
 * The shortest text that `parseDuration` reads back as the same: `90000` is `1m30s`, `0` is `0s`.
 *
 * Milliseconds are rounded to whole ones; negative ones count as 0.
 */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms))
  let text = ''
  for (const [unit, unitMs] of UNITS) {
    const count = Math.floor(rest / unitMs)
    rest -= count * unitMs
    if (count > 0) text += `${count}${unit}`
  }
  return text === '' ? '0s' : text
}

function remedy(text: string): string {
  const trimmed = text.trim()
  const number = /^(\d{1,9})$/u.exec(trimmed)
  if (number !== null) return `a unit is missing: write ${number[1]}s, ${number[1]}m or ${number[1]}h`
  const spaced = trimmed.toLowerCase().replace(/\s+/gu, '')
  if (spaced !== text && DURATION_PATTERN.test(spaced)) return `write ${spaced}`
  const fraction = /^(\d{1,6})\.(\d{1,3})(d|h|m|s)$/u.exec(spaced)
  const unit = UNITS.find(([name]) => name === fraction?.[3])
  if (fraction !== null && unit !== undefined) {
    return `whole numbers only: write ${formatDuration(Number(`${fraction[1]}.${fraction[2]}`) * unit[1])}`
  }
  return 'write for example 500ms, 10s, 5m, 1h30m or 1d'
}
