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

/** How long something may be kept quiet: what is longer than the mesh's memory would end early, so it is refused. */
const QUIET_MS_MAX = 48 * 60 * 60 * 1_000

/** The `--for` of a silence or a maintenance. Throws a `CliError`. */
export async function quietFor(text: string): Promise<number> {
  const ms = await duration(text, '--for')
  if (ms <= QUIET_MS_MAX) return ms
  throw usageError('--for: at most 48h, for as long as the mesh remembers', 'say it again before it ends')
}
