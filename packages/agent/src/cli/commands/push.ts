/** `muster push`: a heartbeat for a push check of this host's agent. */
import { sendPing } from '../api-client.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import { wholeNumber } from '../options.ts'
import type { Context } from '../surroundings.ts'

/** Options of `muster push`. */
interface PushOptions {
  readonly start?: boolean
  readonly log?: boolean
  readonly fail?: boolean
  readonly exit?: string
  readonly message?: string
}

/** Sends one ping. */
export async function push({ folder }: Context, name: string, options: PushOptions): Promise<number> {
  try {
    await sendPing(folder, pingPath(name, signalOf(options)), options.message ?? '')
    return EXIT.done
  } catch (error) {
    throw isNotFound(error) ? noSuchCheck(name) : error
  }
}

/** The agent has no push check of that name. */
export function isNotFound(error: unknown): boolean {
  return error instanceof CliError && error.message === 'not found'
}

/** What to tell then, and what to do. */
export function noSuchCheck(name: string): CliError {
  return usageError(`no push check is called ${name}`, `muster.yaml takes it: - {name: ${name}, kind: push, every: 1d}`)
}

function signalOf({ start, log, fail, exit }: PushOptions): string {
  const given = [
    start === true ? '/start' : '',
    log === true ? '/log' : '',
    fail === true ? '/fail' : '',
    exit === undefined ? '' : `/${wholeNumber(exit, '--exit', 0, 255)}`,
  ].filter((each) => each !== '')
  if (given.length > 1) throw usageError('one of --start, --log, --fail and --exit at a time')
  return given[0] ?? ''
}

/** The path of a ping. Throws a `CliError` when no check can be called that. */
export function pingPath(name: string, signal: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw usageError(
      `no check can be called "${name.slice(0, 64).replace(/[^\x20-\x7e]/g, '?')}"`,
      'muster check list shows the names',
    )
  }
  return `/ping/${name}${signal}`
}
