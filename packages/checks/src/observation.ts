/** How kinds write down what they saw: within the caps, clean, and with whole milliseconds. */
import type { Observation } from '@muster/protocol'
import { VALUE_CHARS_MAX, VALUE_NAME_CHARS_MAX, VALUES_MAX } from './limits.ts'
import { cutText, sanitizeLine } from './sanitize.ts'

/** Values by name, as a kind hands them over. */
export type Values = Readonly<Record<string, number | string | boolean>>

/**
 * An observation that measured.
 *
 * `durationMs` is rounded; values that are not finite are left out (missing, so a condition over them is unknown), text
 * values are made safe and short.
 */
export function observed(values: Values, durationMs: number, text: string): Observation {
  return { values: keptValues(values), durationMs: wholeMs(durationMs), text: sanitizeLine(text) }
}

/**
 * An observation that could not measure, or whose target did not answer: the kind's `downCodes` tell which.
 *
 * `code` is stable, in kebab-case; `message` is one line for a person. `values` holds only what is known all the same.
 */
export function failed(code: string, message: string, durationMs: number, values: Values = {}): Observation {
  const text = sanitizeLine(message)
  return { values: keptValues(values), durationMs: wholeMs(durationMs), text, error: { code, message: text } }
}

/** Starts a stopwatch: the returned function gives the milliseconds since, on the monotonic clock. */
export function stopwatch(): () => number {
  const start = performance.now()
  return () => performance.now() - start
}

function keptValues(values: Values): Values {
  const kept: Record<string, number | string | boolean> = {}
  for (const [name, value] of Object.entries(values).slice(0, VALUES_MAX)) {
    if (typeof value === 'number' && !Number.isFinite(value)) continue
    kept[cutText(name, VALUE_NAME_CHARS_MAX)] = typeof value === 'string' ? sanitizeLine(value, VALUE_CHARS_MAX) : value
  }
  return kept
}

function wholeMs(ms: number): number {
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) : 0
}
