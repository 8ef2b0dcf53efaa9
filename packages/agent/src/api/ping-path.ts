/**
 * The paths of pings: `/ping/<name>[/start|/fail|/log|/<exit code>]`.
 *
 * Source: the ping API of healthchecks.io. 0 is success, a code above 255 is a bad request, `rid` must be a UUID.
 */
import type { Ping } from '../agent-port.ts'
import { badRequest, notFound } from './http-error.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const WORDS = { start: 'start', fail: 'fail', log: 'log' } as const
const EXIT_CODE_MAX = 255

/** Which check a path pings, and how. Throws an `HttpError` 400 or 404. */
export function readPingPath(
  path: string,
  query: URLSearchParams,
): { readonly check: string; readonly ping: Omit<Ping, 'body'> } {
  const [check = '', signal, ...rest] = decode(path).split('/').slice(2)
  if (!NAME.test(check) || rest.length > 0) throw notFound('no-such-check', 'not found')
  const runId = query.get('rid')
  if (runId !== null && !UUID.test(runId)) throw badRequest('bad-run-id', 'invalid uuid format')
  return { check, ping: { ...readSignal(signal), ...(runId === null ? {} : { runId: runId.toLowerCase() }) } }
}

function readSignal(signal: string | undefined): Pick<Ping, 'kind' | 'exitCode'> {
  if (signal === undefined) return { kind: 'success' }
  if (Object.hasOwn(WORDS, signal)) return { kind: WORDS[signal as keyof typeof WORDS] }
  if (!/^[0-9]{1,9}$/.test(signal)) throw notFound('no-such-ping', 'not found')
  const exitCode = Number(signal)
  if (exitCode > EXIT_CODE_MAX) throw badRequest('bad-exit-code', `invalid exit code: at most ${EXIT_CODE_MAX}`)
  return { kind: 'exit', exitCode }
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw badRequest('bad-path', 'the path is not text')
  }
}
