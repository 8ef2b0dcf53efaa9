/** What may be changed through the API: bodies, what they mean, and the commands that follow. */
import { ECDH } from 'node:crypto'
import {
  limits as coreLimits,
  type HostId,
  hostsCalled,
  ID_PREFIX_MIN,
  type Incident,
  type MeshRecord,
  matches,
  nameOf,
  recipientsOf,
  type State,
  shortHostId,
} from '@muster/protocol'
import { z } from 'zod'
import type { AgentPort } from '../agent-port.ts'
import { viewHosts } from './host-views.ts'
import { badRequest, HttpError, notFound } from './http-error.ts'
import { findIncidents, shortIds } from './incident-views.ts'
import { MATCHER_CHARS_MAX, NAME_CHARS_MAX } from './limits.ts'

const SECOND_MS = 1_000
/** Names in one message. */
const NAMES_TOLD = 20
/** Mesh records of this kind are remembered as long as the history, so a longer end could not be kept. */
const QUIET_MS_MAX = coreLimits.historyMs

const PLAIN = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u
const name = z.string().min(1).max(NAME_CHARS_MAX).regex(PLAIN, 'no control characters')
const forMs = z
  .int()
  .min(SECOND_MS, 'at least one second')
  .max(QUIET_MS_MAX, `at most ${QUIET_MS_MAX / 3_600_000} h: what is longer than the history would be forgotten early`)

/** `POST /api/v1/acks`. A start that is too short is found to name nothing, in words for a person. */
export const ackBody = z.strictObject({ incident: z.string().max(64), by: name.optional() })
/** `POST /api/v1/silences` */
export const silenceBody = z.strictObject({ matcher: z.string().min(1).max(MATCHER_CHARS_MAX).regex(PLAIN), forMs })
/** `POST /api/v1/maintenances` */
export const maintenanceBody = z.strictObject({ host: name, forMs })
/** `POST /api/v1/recipients` */
export const recipientBody = z.strictObject({ name, publicKey: z.string().max(200) })
/** `POST /api/v1/pairings` */
export const pairingBody = z.strictObject({ name })

/** Somebody answers for an incident: it is not reminded of any more. */
export async function acknowledge(agent: AgentPort, { incident, by }: z.infer<typeof ackBody>): Promise<unknown> {
  const found = oneIncident(agent.state(), incident)
  await publish(agent, { kind: 'ack', incident: found.id, by: by ?? agent.name, atUnixMs: Date.now() })
  return { incident: found.id, state: found.state }
}

/** Nothing that the matcher names is told until the end. */
export async function silence(agent: AgentPort, { matcher, forMs }: z.infer<typeof silenceBody>): Promise<unknown> {
  const state = agent.state()
  const exact = exactMatcher(state, matcher)
  await publish(agent, { kind: 'silence', matcher: exact, forMs, atUnixMs: Date.now() })
  const open = [...state.incidents.values()].filter(
    (incident) => incident.state === 'firing' && matches(exact, incident, nameOf(state, incident.host)),
  )
  return { matcher: exact, untilUnixMs: Date.now() + forMs, matches: open.length, warnings: unknownCheck(state, exact) }
}

/** A check may come later, but most often such a name is a slip. */
function unknownCheck(state: State, matcher: string): readonly string[] {
  const [host = '', check] = matcher.split('/')
  if (check === undefined || matcher.includes('*')) return []
  const hosts = viewHosts(state).filter(({ id, name: each }) => id === host || each === host)
  const names = [...new Set(hosts.flatMap(({ checks }) => checks.map(({ name: each }) => each)))]
  if (names.includes(check)) return []
  const known = names.length === 0 ? 'none that is known here' : names.slice(0, NAMES_TOLD).join(', ')
  return [`${hosts[0]?.label ?? host} has no check called ${check} just now; it has ${known}`]
}

/** A host may be away until the end. */
export async function maintain(agent: AgentPort, body: z.infer<typeof maintenanceBody>): Promise<unknown> {
  const host = oneHost(agent.state(), body.host)
  await publish(agent, { kind: 'maintenance', host, forMs: body.forMs, atUnixMs: Date.now() })
  return { host, untilUnixMs: Date.now() + body.forMs }
}

/** Adds a recipient whose public key came by hand. */
export async function addRecipient(agent: AgentPort, body: z.infer<typeof recipientBody>): Promise<unknown> {
  const key = readPublicKey(body.publicKey)
  const known = recipientsOf(agent.state()).find(({ publicKey }) => compressed(Buffer.from(publicKey)).equals(key))
  if (known !== undefined) throw new HttpError(409, 'known-key', `this key is that of ${known.name} already`)
  return { name: body.name, warnings: await agent.addRecipient(body.name, new Uint8Array(key)) }
}

/** Takes a recipient back, by its name or a unique start of its id. */
export async function removeRecipient(agent: AgentPort, nameOrId: string): Promise<unknown> {
  const all = recipientsOf(agent.state())
  const named = all.filter((recipient) => recipient.name === nameOrId)
  const found = named.length > 0 ? named : all.filter(({ id }) => nameOrId.length >= 4 && id.startsWith(nameOrId))
  const [recipient, another] = found
  if (recipient === undefined) throw notFound('no-such-recipient', `no recipient is called ${nameOrId}`)
  if (another !== undefined) {
    const ids = found.map(({ id }) => id.slice(0, 8)).join(', ')
    throw new HttpError(409, 'ambiguous', `${found.length} recipients are called that: name one by its id: ${ids}`)
  }
  await publish(agent, { kind: 'recipient-removed', record: recipient.record, atUnixMs: Date.now() })
  return { id: recipient.id, name: recipient.name }
}

async function publish(agent: AgentPort, record: MeshRecord): Promise<void> {
  await agent.command({ kind: 'publish', record })
}

function oneIncident(state: State, start: string): Incident {
  const found = findIncidents(state, start)
  const [incident, another] = found
  if (incident === undefined) {
    throw notFound('no-such-incident', noIncident(start))
  }
  if (another !== undefined) throw ambiguous(found)
  return incident
}

function noIncident(start: string): string {
  const isStart = /^[0-9a-f]*$/i.test(start) && start.length >= ID_PREFIX_MIN
  const why = isStart ? 'as far as this host knows: ask one that was up then' : 'at least four hex digits are needed'
  return `no incident starts with ${start} (${why})`
}

function ambiguous(found: readonly Incident[]): HttpError {
  const short = shortIds(found)
  const ids = found.map(({ id }) => short.get(id) ?? id).join(', ')
  return new HttpError(409, 'ambiguous', `${found.length} incidents start like that: ${ids}`)
}

function oneHost(state: State, nameOrId: string): HostId {
  const host = hostCalled(state, nameOrId)
  if (host !== undefined) return host
  const names = [state.options.self, ...state.members.keys()].map((id) => nameOf(state, id)).sort()
  throw notFound('no-such-host', `no host is called ${nameOrId}; there are ${names.slice(0, NAMES_TOLD).join(', ')}`)
}

/** The one host of a name, or of a whole or short id. Throws an `HttpError` when there are more. */
function hostCalled(state: State, nameOrId: string): HostId | undefined {
  const found = hostsCalled(state, nameOrId)
  if (found.length <= 1) return found[0]
  const ids = found.map(shortHostId).join(', ')
  throw new HttpError(409, 'ambiguous', `${found.length} hosts are called ${nameOrId}: name one by its id: ${ids}`)
}

/** The matcher as it is signed: an incident's whole id, or a host pattern that can match something. */
function exactMatcher(state: State, matcher: string): string {
  const [host = '', ...rest] = matcher.split('/')
  if (rest.length > 1 || host === '') {
    throw badRequest('bad-matcher', 'write the start of an incident, HOST, HOST/CHECK, or either with *')
  }
  if (matcher.includes('*')) return matcher
  const called = hostCalled(state, host)
  if (called !== undefined) return nameOf(state, called) === host ? matcher : [called, ...rest].join('/')
  const found = rest.length === 0 ? findIncidents(state, matcher) : []
  const [incident, another] = found
  if (incident === undefined) throw notFound('no-match', `no host and no incident is called ${matcher}`)
  if (another !== undefined) throw ambiguous(found)
  return incident.id
}

function readPublicKey(text: string): Buffer {
  const digits = text.trim().replace(/^0x/i, '')
  try {
    if (!/^([0-9a-f]{66}|[0-9a-f]{130})$/i.test(digits)) throw new Error('not hex of that length')
    return compressed(Buffer.from(digits, 'hex'))
  } catch {
    throw badRequest('bad-key', 'this is not a secp256k1 public key: 33 or 65 bytes, in hex')
  }
}

/** The 33-byte form of a public key. Throws when it is no point of the curve. */
function compressed(key: Buffer): Buffer {
  return Buffer.from(ECDH.convertKey(key, 'secp256k1', undefined, 'hex', 'compressed') as string, 'hex')
}
