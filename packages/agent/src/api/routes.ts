/** What each path answers. */
import type { IncomingMessage } from 'node:http'
import type { AgentPort } from '../agent-port.ts'
import { readJson } from './body.ts'
import {
  ackBody,
  acknowledge,
  addRecipient,
  maintain,
  maintenanceBody,
  pairingBody,
  recipientBody,
  removeRecipient,
  silence,
  silenceBody,
} from './changes.ts'
import { viewEntry } from './history-view.ts'
import { type Marks, viewChecks, viewHosts } from './host-views.ts'
import { badRequest, notFound } from './http-error.ts'
import { viewIncidents, viewRecipients } from './incident-views.ts'
import { HISTORY_ENTRIES, HISTORY_ENTRIES_MAX, PAIRING_WAIT_MS_MAX } from './limits.ts'
import { readMissedIncidents } from './missed-incidents.ts'
import type { Pairings } from './pairings.ts'
import type { HistoryEntryView, HistoryView, IncidentView } from './shapes.ts'
import { viewStatus } from './status-view.ts'

/** What the routes stand on. */
export interface RouteDeps {
  readonly agent: AgentPort
  readonly marks: Marks
  readonly pairings: Pairings
  /** Called after this host has said goodbye for good. */
  readonly onLeft: () => void
}

/** One request, taken apart. */
export interface Asked {
  readonly request: IncomingMessage
  readonly query: URLSearchParams
  /** What the path's `:id` stands for. */
  readonly id: string
}

/** A status and the JSON of the answer. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

type Handler = (asked: Asked, deps: RouteDeps) => Promise<Answer> | Answer

const ok = (body: unknown, status = 200): Answer => ({ status, body })

/** Reads: by path. */
const READS: Readonly<Record<string, Handler>> = {
  status: (_, { agent, marks }) => ok(viewStatus(agent, agent.state(), agent.reach(), marks)),
  hosts: (_, { agent, marks }) => ok({ hosts: viewHosts(agent.state(), marks) }),
  checks: (_, { agent }) => ok({ checks: viewChecks(agent.state()) }),
  incidents: async (_, { agent }) => ok({ incidents: await readIncidents(agent) }),
  recipients: (_, { agent }) => ok({ recipients: viewRecipients(agent.state()) }),
  history: readHistory,
  digest: async (_, { agent }) => ok({ hosts: await agent.historyDigest() }),
}

/** Changes: by method and path. */
const CHANGES: Readonly<Record<string, Handler>> = {
  'POST acks': async ({ request }, { agent }) => ok(await acknowledge(agent, await readJson(request, ackBody)), 201),
  'POST silences': async ({ request }, { agent }) =>
    ok(await silence(agent, await readJson(request, silenceBody)), 201),
  'POST maintenances': async ({ request }, { agent }) =>
    ok(await maintain(agent, await readJson(request, maintenanceBody)), 201),
  'POST recipients': async ({ request }, { agent }) =>
    ok(await addRecipient(agent, await readJson(request, recipientBody)), 201),
  'DELETE recipients/:id': async ({ id }, { agent }) => ok(await removeRecipient(agent, id)),
  'POST pairings': async ({ request }, { pairings }) =>
    ok(await pairings.start((await readJson(request, pairingBody)).name), 201),
  'GET pairings/:id': async ({ id, query }, { pairings }) => ok(await pairings.state(id, waitMsOf(query))),
  'DELETE pairings/:id': ({ id }, { pairings }) => {
    pairings.cancel(id)
    return ok({})
  },
  'POST leave': async (_, { agent, onLeft }) => {
    await agent.command({ kind: 'leave' })
    setImmediate(onLeft)
    return ok({})
  },
  'POST reload': async (_, { agent }) => {
    const result = await agent.reload()
    return ok(result, result.ok ? 200 : 422)
  },
}

/** A route that was found, and whether it needs the token. */
export interface Route {
  readonly handler: Handler
  readonly id: string
  readonly needsToken: boolean
}

/** The route of a path below `/api/v1/`. Throws an `HttpError` 404 or 405. */
export function findRoute(method: string, path: string): Route {
  const [first = '', id, ...rest] = path.split('/')
  const pattern = id === undefined ? first : `${first}/:id`
  const key = `${method} ${pattern}`
  if (rest.length === 0 && Object.hasOwn(CHANGES, key)) {
    const handler = CHANGES[key]
    if (handler !== undefined) return { handler, id: decodeId(id ?? ''), needsToken: true }
  }
  const read = id === undefined && Object.hasOwn(READS, first) ? READS[first] : undefined
  if (read === undefined) throw notFound('no-such-path', `there is no ${method} /api/v1/${path}`)
  if (method !== 'GET' && method !== 'HEAD') throw badRequest('bad-method', `${method} is not possible here`)
  return { handler: read, id: '', needsToken: false }
}

function decodeId(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw badRequest('bad-path', 'the path is not text')
  }
}

function waitMsOf(query: URLSearchParams): number {
  const seconds = Number(query.get('wait') ?? '0')
  return Number.isFinite(seconds) ? Math.min(PAIRING_WAIT_MS_MAX, Math.max(0, seconds * 1_000)) : 0
}

async function readIncidents(agent: AgentPort): Promise<readonly IncidentView[]> {
  const state = agent.state()
  return viewIncidents(state, await readMissedIncidents(state, agent.returnOf))
}

async function readHistory({ query }: Asked, { agent }: RouteDeps): Promise<Answer> {
  const state = agent.state()
  const limit = wholeNumber(query, 'limit', HISTORY_ENTRIES, HISTORY_ENTRIES_MAX)
  const since = query.has('since') ? wholeNumber(query, 'since', 0, Number.MAX_SAFE_INTEGER) : undefined
  const check = query.get('check') ?? undefined
  const named = query.get('host')
  const hosts = viewHosts(state).filter(({ id, name }) => named === null || id === named || name === named)
  if (hosts.length === 0) throw notFound('no-such-host', `no host is called ${named}`)
  const entries: HistoryEntryView[] = []
  // Each host on its own, so that a talkative one does not hide the others.
  for (const { id } of hosts) {
    const wanted = { host: id, limit: limit + 1, ...(check === undefined ? {} : { check }) }
    for await (const entry of agent.history(since === undefined ? wanted : { ...wanted, sinceUnixMs: since })) {
      const view = viewEntry(state, entry, check)
      if (view !== null) entries.push(view)
    }
  }
  entries.sort((a, b) => b.atUnixMs - a.atUnixMs)
  const ids = new Set(hosts.map(({ id }) => id))
  const incidents = (await readIncidents(agent))
    .filter((incident) => ids.has(incident.host) && (check === undefined || incident.check === check))
    .filter(({ resolvedUnixMs }) => since === undefined || resolvedUnixMs === null || resolvedUnixMs >= since)
    .sort((a, b) => b.sinceUnixMs - a.sinceUnixMs)
  const view: HistoryView = { entries: entries.slice(0, limit), incidents, truncated: entries.length > limit }
  return ok(view)
}

function wholeNumber(query: URLSearchParams, name: string, otherwise: number, most: number): number {
  const text = query.get(name)
  if (text === null) return otherwise
  const number = Number(text)
  if (!/^[0-9]{1,16}$/.test(text) || number > most)
    throw badRequest('bad-query', `${name} is a whole number up to ${most}`)
  return number
}
