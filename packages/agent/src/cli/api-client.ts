/**
 * Talking to the agent of a folder, over its local API.
 *
 * The agent leaves its address in the folder; where that is missing, the config says where it should be. Whoever answers
 * there must show the fingerprint of the folder's token: another folder's agent is not asked.
 */
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { fingerprintOf } from '../api/guard.ts'
import { type Folder, readApiToken } from '../identity/folder.ts'
import { exists } from '../identity/key-file.ts'
import { CliError, EXIT } from './cli-error.ts'
import { hasOpen, readPid } from './pid-file.ts'
import { plain } from './plain-text.ts'
import type { Context } from './surroundings.ts'

/** The file that a running agent keeps its address in. */
export const ADDRESS_FILE = 'api.address'

const ANSWER_BYTES_MAX = 64 * 1024 * 1024
const TIMEOUT_MS = 10_000
/** When a person who waits for an answer is told so. Milliseconds. */
const PATIENCE_MS = 2_000

/** One answer of the agent. */
export interface ApiAnswer {
  readonly status: number
  readonly body: string
}

/** The API of one running agent. */
export interface ApiClient {
  readonly address: string
  get<T>(path: string, signal?: AbortSignal): Promise<T>
  /** Changes something; sends the token. */
  change<T>(method: 'POST' | 'DELETE' | 'GET', path: string, body?: unknown, signal?: AbortSignal): Promise<T>
}

/** What a request is made of. */
interface Request {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

/** The path of the address file. */
export function addressFileOf(folder: Folder): string {
  return join(folder.path, ADDRESS_FILE)
}

/**
 * The agent of a folder. Throws a `CliError` `no-agent` (exit code 3) when there is none to be found.
 *
 * A question that is not answered at once says so on stderr, but for one with a signal: whoever gives it knows of the wait.
 */
export async function findAgent(
  { folder, err }: Pick<Context, 'folder' | 'err'>,
  patienceMs: number = PATIENCE_MS,
): Promise<ApiClient> {
  const address = await findAddress(folder)
  // A user who may not read the token may still read the status.
  const token = await readApiToken(folder).catch(() => undefined)
  const ask = async (request: Request): Promise<string> => {
    const { timeoutMs = TIMEOUT_MS } = request
    const patience = setTimeout(() => {
      if (request.signal === undefined) err(`The agent does not answer yet; waiting ${timeoutMs / 1_000} s at most.\n`)
    }, patienceMs)
    const answer = await sendKnown(address, request, token)
      .catch(async (cause: unknown) => {
        throw isUnreachable(cause) ? await noAgent(folder, cause) : failed(cause)
      })
      .finally(() => clearTimeout(patience))
    if (token !== undefined && answer.agent !== fingerprintOf(token)) throw await notOurs(folder, address)
    if (answer.status >= 200 && answer.status < 300) return answer.body
    throw refused(answer)
  }
  return {
    address,
    get: async <T>(path: string, signal?: AbortSignal) => parse<T>(await ask({ method: 'GET', path, signal })),
    async change<T>(method: 'POST' | 'DELETE' | 'GET', path: string, body?: unknown, signal?: AbortSignal) {
      // Throws the error that says what is wrong with the token, or that there is none.
      const authorization = `Bearer ${token ?? (await readApiToken(folder))}`
      const json = body === undefined ? {} : { body: JSON.stringify(body), type: 'application/json' }
      const headers = { authorization, ...(json.type === undefined ? {} : { 'content-type': json.type }) }
      const request = { method, path, headers, signal, timeoutMs: 40_000 }
      return parse<T>(await ask(json.body === undefined ? request : { ...request, body: json.body }))
    },
  }
}

/** One ping to a push check. Throws a `CliError`: `no-agent`, or `refused` with what the agent said. */
export async function sendPing(
  folder: Folder,
  path: string,
  body: string,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const address = await findAddress(folder)
  const token = await readApiToken(folder).catch(() => undefined)
  let answer: Answered
  try {
    answer = await sendKnown(address, { method: 'POST', path, body, ...options }, token)
  } catch (cause) {
    throw isUnreachable(cause) ? await noAgent(folder, cause) : failed(cause)
  }
  if (token !== undefined && answer.agent !== fingerprintOf(token)) throw await notOurs(folder, address)
  if (answer.status === 200) return
  throw new CliError('refused', answer.status === 404 ? EXIT.usage : EXIT.bad, oneLine(answer.body), undefined)
}

interface Answered extends ApiAnswer {
  readonly agent: string
}

async function findAddress(folder: Folder): Promise<string> {
  const text = await readFile(addressFileOf(folder), 'utf8').catch(() => '')
  const written = /^(http:\/\/(?:\[[0-9a-fA-F:.]{2,45}\]|[0-9.]{7,15}):\d{1,5})\n$/.exec(text)?.[1]
  if (written !== undefined) return written
  if (!(await exists(folder.config).catch(() => false))) throw await noAgent(folder, undefined)
  const { loadConfig } = await import('../config/load.ts')
  const { config } = await loadConfig(folder.config, 'host')
  const { host, port } = config.api.listen
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** Off loopback reads and pings need the token too: it is sent once our own agent has asked for it. */
async function sendKnown(address: string, request: Request, token: string | undefined): Promise<Answered> {
  const answer = await send(address, request)
  if (answer.status !== 401 || token === undefined || answer.agent !== fingerprintOf(token)) return answer
  return await send(address, { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } })
}

function send(address: string, request: Request): Promise<Answered> {
  const { method, path, headers = {}, body, signal, timeoutMs = TIMEOUT_MS } = request
  const timeout = AbortSignal.timeout(timeoutMs)
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${address}${path}`,
      { method, headers, signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]), agent: false },
      (response) => {
        const chunks: Buffer[] = []
        let length = 0
        response.on('data', (chunk: Buffer) => {
          length += chunk.byteLength
          if (length > ANSWER_BYTES_MAX) outgoing.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => {
          const agent = response.headers['x-muster-agent']
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString('utf8'),
            agent: typeof agent === 'string' ? agent : '',
          })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function parse<T>(body: string): T {
  return JSON.parse(body) as T
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EPIPE'])

function isUnreachable(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && UNREACHABLE.has(String(cause.code))
}

async function noAgent(folder: Folder, cause: unknown): Promise<CliError> {
  const isThere = await exists(folder.path).catch(() => true)
  const message = `no agent runs on ${folder.path}${isThere ? '' : ': there is no such folder'}`
  const remedy = isThere
    ? 'start it with: muster run (the first time: muster init; another folder: --dir DIR)'
    : 'name the folder of a host with --dir DIR, or make one with: muster init'
  return new CliError('no-agent', EXIT.noAgent, message, remedy, { cause })
}

/** What answers has another token than the folder: most often it is another folder's agent, on a port that was ours. */
async function notOurs(folder: Folder, address: string): Promise<CliError> {
  const pid = await readPid(join(folder.data, 'agent.pid'))
  // An agent that runs on this folder holds its lock.
  if (pid !== undefined && (await hasOpen(pid, join(folder.data, 'lock', 'LOCK')))) {
    const message = `the agent that runs on ${folder.path} (pid ${pid}) has another token than ${folder.apiToken}`
    return new CliError('wrong-token', EXIT.usage, message, 'restart it: an agent reads the file when it starts')
  }
  const message = `no agent runs on ${folder.path}: what answers at ${address} is another program`
  return new CliError('no-agent', EXIT.noAgent, message, 'start the agent of this folder with: muster run')
}

function failed(cause: unknown): CliError {
  const isTimeout = cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError')
  const message = isTimeout ? 'the agent did not answer in time' : `asking the agent failed: ${String(cause)}`
  return new CliError('no-answer', EXIT.bad, message, 'its log may say why', { cause })
}

function refused({ status, body }: ApiAnswer): CliError {
  const usage = status === 400 || status === 404 || status === 409 || status === 413 || status === 415 || status === 422
  let code = 'refused'
  let message = oneLine(body)
  try {
    const { error, lines } = JSON.parse(body) as {
      error?: { code?: unknown; message?: unknown }
      lines?: readonly unknown[]
    }
    if (Array.isArray(lines)) message = lines.map((line) => plain(String(line), 300)).join('\n  ')
    if (typeof error?.code === 'string') code = error.code
    if (typeof error?.message === 'string') message = error.message
  } catch {
    // A plain text answer stands as it is.
  }
  return new CliError(code, usage ? EXIT.usage : EXIT.bad, message)
}

function oneLine(text: string): string {
  return text.split('\n', 1)[0]?.slice(0, 300) ?? ''
}
