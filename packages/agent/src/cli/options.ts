/** Reading the values of options. */
import { usageError } from './cli-error.ts'

/** A whole number within bounds. Throws a `CliError`. */
export function wholeNumber(text: string, name: string, least: number, most: number): number {
  const number = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw usageError(`${name} is a whole number from ${least} to ${most}, not "${text.slice(0, 40)}"`)
}

/** A duration such as `2h`. Throws a `CliError` with the remedy. */
export async function duration(text: string, name: string): Promise<number> {
  const { DurationError, parseDuration } = await import('@muster/checks')
  try {
    const ms = parseDuration(text)
    if (ms > 0) return ms
    throw usageError(`${name} must be longer than nothing`, 'write for example 30m or 2h')
  } catch (error) {
    if (error instanceof DurationError) throw usageError(`${name}: ${error.message}`)
    throw error
  }
}
