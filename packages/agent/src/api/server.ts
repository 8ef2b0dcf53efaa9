/**
 * The local HTTP API: JSON for the command line and for people's scripts, pings for their jobs, metrics for Prometheus.
 *
 * Everything is bounded: connections, heads, bodies, times and listeners. A request that fails costs its own answer and
 * nothing else.
 */
import { unlink, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import type { AgentEvent, AgentPort } from '../agent-port.ts'
import type { Endpoint } from '../config/addresses.ts'
import { systemCode } from '../identity/key-file.ts'
import { listenError } from '../listen-error.ts'
import { readPingBody } from './body.ts'
import { createEventStream } from './event-stream.ts'
import { createGuard, fingerprintOf, isLoopbackAddress } from './guard.ts'
import { HttpError, notFound } from './http-error.ts'
import { viewIncidents } from './incident-views.ts'
import * as limits from './limits.ts'
import { METRICS_TYPE, metricsPage } from './metrics.ts'
import { createPairings } from './pairings.ts'
import { readPingPath } from './ping-path.ts'
import { createPresenceMarks } from './presence-marks.ts'
import { findRoute } from './routes.ts'
import { viewStatus } from './status-view.ts'

const API = '/api/v1/'
/** Between two looks at the mesh for the heartbeat bars. Milliseconds. */
const SAMPLE_MS = 2_000

/** How the server is set up. */
export interface ApiOptions {
  readonly listen: Endpoint
  /** The text of `api.token`. */
  readonly token: string
  /** Where to write the address that is listened on, for the commands of this folder; removed on stop. */
  readonly addressFile?: string
  /** The path of the config, to name when it cannot listen. */
  readonly configFile?: string
  /** Called after `muster leave`: the agent has said goodbye and may stop. */
  readonly onLeft?: () => void
  /** Told of requests that failed by a fault of ours. */
  readonly onBug?: (error: unknown) => void
}

/** The server of one agent. */
export interface ApiServer {
  /** Listens. Throws a `ConfigError` (`listen-error.ts`) when it cannot. */
  start(): Promise<void>
  /** Ends event streams and pairings, and closes all connections. */
  stop(): Promise<void>
  /** `http://127.0.0.1:4651` while it listens. */
  address(): string | undefined
  /** Why it no longer serves although it was started, in one line; null while it does. */
  health(): string | null
}

/** A server that does not listen yet. */
export function createApiServer(agent: AgentPort, options: ApiOptions): ApiServer {
  const isLoopback = isLoopbackAddress(options.listen.host)
  const guard = createGuard({
    token: options.token,
    names: [hostname().toLowerCase(), agent.name.toLowerCase()],
    isLoopback,
    port: () => portOf(server),
  })
  const marks = createPresenceMarks()
  const pairings = createPairings(agent)
  const events = createEventStream((event) => showEvent(agent, event))
  const deps = { agent, marks: marks.of, pairings, onLeft: options.onLeft ?? (() => undefined) }
  const headers = { ...SAFE_HEADERS, 'x-muster-agent': fingerprintOf(options.token) }
  const server = createServer(
    {
      maxHeaderSize: limits.HEADER_BYTES_MAX,
      headersTimeout: limits.HEADERS_TIMEOUT_MS,
      requestTimeout: limits.REQUEST_TIMEOUT_MS,
      keepAliveTimeout: limits.KEEP_ALIVE_MS,
      connectionsCheckingInterval: limits.HEADERS_TIMEOUT_MS,
    },
    (request, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      handle(request, response).catch((error: unknown) => refuse(request, response, error))
    },
  )
  server.maxConnections = limits.CONNECTIONS_MAX
  let unsubscribe = (): void => undefined
  let sampling: NodeJS.Timeout | undefined

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request
    if (url.length > limits.URL_CHARS_MAX) throw new HttpError(414, 'url-too-long', 'this URL is too long')
    guard.checkPlace(request)
    const [path = '/', search = ''] = url.split('?', 2)
    const query = new URLSearchParams(search)
    if (path.startsWith('/ping/')) return await ping(request, response, path, query)
    if (path === '/healthz') return text(response, 200, 'ok\n')
    if (path.startsWith(API)) return await api(request, response, method, path.slice(API.length), query)
    if (path === '/metrics' && (method === 'GET' || method === 'HEAD')) {
      guard.checkRead(request)
      const status = viewStatus(agent, agent.state(), agent.reach(), marks.of)
      const size = { rssBytes: process.memoryUsage.rss(), uptimeS: process.uptime() }
      return text(response, 200, metricsPage(status, size), METRICS_TYPE)
    }
    throw notFound('no-such-path', 'there is nothing here; the API is below /api/v1/')
  }

  async function api(
    request: IncomingMessage,
    response: ServerResponse,
    method: string,
    path: string,
    query: URLSearchParams,
  ): Promise<void> {
    if (path === 'events' && method === 'GET') {
      guard.checkRead(request)
      events.add(response)
      return
    }
    const { handler, id, needsToken } = findRoute(method, path)
    if (needsToken) guard.checkToken(request)
    else guard.checkRead(request)
    const { status, body } = await handler({ request, query, id }, deps)
    json(response, status, body)
  }

  async function ping(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: URLSearchParams,
  ): Promise<void> {
    const { method = '' } = request
    if (!['GET', 'HEAD', 'POST'].includes(method)) throw new HttpError(405, 'bad-method', 'ping with HEAD, GET or POST')
    guard.checkPing(request)
    const { check, ping } = readPingPath(path, query)
    const body = await readPingBody(request)
    if (!agent.ping(check, { ...ping, body })) throw notFound('no-such-check', 'not found')
    text(response, 200, 'OK')
  }

  function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    const known = knownError(error)
    if (known === undefined && !request.destroyed) options.onBug?.(error)
    const status = known?.status ?? 500
    // What is still coming of a body that we refused is not worth reading.
    if (!request.complete) response.setHeader('connection', 'close')
    const message = known?.message ?? 'the agent failed at this; its log says more'
    if (request.url?.startsWith('/ping/') === true) text(response, status, message)
    else json(response, status, { error: { code: known?.code ?? 'internal', message } })
  }

  return {
    async start() {
      await listen(server, options)
      marks.sample(agent.state(), performance.now())
      sampling = setInterval(() => marks.sample(agent.state(), performance.now()), SAMPLE_MS)
      sampling.unref()
      unsubscribe = agent.subscribe((event) => events.send(event))
      const address = addressOf(server, options.listen)
      // Only a help to the commands of this folder; without it they read the config.
      if (options.addressFile !== undefined) await writeFile(options.addressFile, `${address}\n`).catch(() => undefined)
    },
    async stop() {
      unsubscribe()
      clearInterval(sampling)
      events.close()
      pairings.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
      if (options.addressFile !== undefined) await unlink(options.addressFile).catch(() => undefined)
    },
    address: () => (server.listening ? addressOf(server, options.listen) : undefined),
    health: () => (server.listening ? null : 'it no longer listens'),
  }
}

/** Ours, and what the agent refuses for a reason that the user can mend. */
function knownError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error
  if (!(error instanceof Error) || error.name !== 'RecipientError') return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'refused'
  return new HttpError(409, code, error.message)
}

const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const

function listen(server: Server, { listen: { host, port }, configFile = 'muster.yaml' }: ApiOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
      reject(listenError('api.listen', { address, code: systemCode(cause) ?? 'unknown' }, configFile, cause))
    }
    server.once('error', fail)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', fail)
      resolve()
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function addressOf(server: Server, { host }: Endpoint): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${portOf(server)}`
}

function text(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const encoded = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(encoded),
  })
  response.end(encoded)
}

function showEvent(agent: AgentPort, event: AgentEvent): unknown {
  switch (event.kind) {
    case 'state':
      return {}
    case 'report':
      return { level: event.level, phrase: event.phrase, fields: event.fields }
    case 'incident': {
      const { id } = event.incident
      return viewIncidents(agent.state()).find((incident) => incident.id === id) ?? null
    }
    default:
      return event satisfies never
  }
}
