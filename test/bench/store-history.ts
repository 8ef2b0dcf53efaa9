/**
 * What a busy mesh of ten said in its last 48 hours: a million results, signed with the keys of its hosts and chained.
 *
 * Each host has ten checks that run every 17 s, so that an entry holds ten results, a backup once a day, three lives, and
 * some trouble every five hours, which was told to one device.
 */

import { encodeCertificate, issueCertificate } from '../../packages/agent/src/identity/certificate.ts'
import type { HostKey } from '../../packages/agent/src/identity/host-key.ts'
import { type MeshKey, meshKeyOf } from '../../packages/agent/src/identity/mesh-key.ts'
import {
  bytesToSignOf,
  type Carried,
  checkIncidentId,
  cidOf,
  encodeCanonical,
  type Life,
  type MeshRecord,
  type NoticeRecord,
  type Result,
  recipientIdOf,
  type SignedAs,
  WIRE_VERSION,
} from '../../packages/protocol/src/index.ts'

/** Checks of each host that run every `EVERY_MS`, and one more that runs daily. */
export const CHECKS = ['cpu', 'memory', 'load', 'disk', 'home', 'srv', 'var', 'tmp', 'boot', 'backup-disk'] as const
/** How often they run: 10,000 entries of a host fill the 48 hours that are kept, with an hour to spare. Milliseconds. */
export const EVERY_MS = 17_000
/** The check that runs once a day. */
export const DAILY = 'backup'
/** Lives of a host in that time. */
export const LIVES = 3

const DAY_MS = 86_400_000
const GRACE_MS = 30_000
/** Entries from one trouble to the next, and for how many one lasts. */
const TROUBLE_EVERY = 1_059
const TROUBLE_ENTRIES = 4

/** A host of the mesh. */
export interface Author {
  readonly key: HostKey
  readonly name: string
}

/** An entry and its age, milliseconds. */
export interface CarriedEntry {
  readonly record: SignedAs<'entry'>
  readonly ageMs: number
}

/** The log of one host: entries in their order, each with its age at `nowUnixMs`. */
export interface AuthorLog {
  /** So many more entries, `EVERY_MS` apart. With `hasRestarts` they are of three lives, else of the last. */
  next(count: number, hasRestarts: boolean): Generator<CarriedEntry>
}

/** Begins a host's log that will have so many entries, the last of them about now. */
export function createAuthorLog(author: Author, mesh: string, entries: number, nowUnixMs: number): AuthorLog {
  const { key } = author
  let made = 0
  let seq = 0
  let life: Life = { incarnation: 1, epoch: 0 }
  let previous: string | null = null

  function write(hasRestarts: boolean): CarriedEntry {
    const incarnation = hasRestarts ? 1 + Math.floor((made * LIVES) / entries) : life.incarnation
    if (incarnation !== life.incarnation) {
      life = { incarnation, epoch: 0 }
      seq = 0
    }
    seq += 1
    const ageMs = Math.max(0, (entries - made) * EVERY_MS)
    const atUnixMs = nowUnixMs - ageMs
    const body = { life, seq, previous, atUnixMs, results: resultsOf(made, atUnixMs), retired: [] }
    previous = cidOf(encodeCanonical(body))
    made += 1
    return { record: signed(key, mesh, 'entry', body), ageMs }
  }

  return {
    *next(count, hasRestarts) {
      for (let index = 0; index < count; index += 1) yield write(hasRestarts)
    },
  }
}

/** The results of a host's entry with this number. */
function resultsOf(number: number, atUnixMs: number): readonly Result[] {
  const results = CHECKS.map((check, index) => resultOf(check, number, index, atUnixMs))
  if (number % Math.floor(DAY_MS / EVERY_MS) !== 0) return results
  const daily = {
    kind: 'push',
    values: {},
    text: 'exit code 0',
    because: '',
    everyMs: DAY_MS,
    heartbeat: 'always',
  } as const
  return [...results, { ...resultOf(DAILY, 0, 0, atUnixMs), ...daily }]
}

function resultOf(check: string, number: number, index: number, atUnixMs: number): Result {
  const trouble = Math.floor(number / TROUBLE_EVERY)
  const isTrouble = trouble > 0 && number % TROUBLE_EVERY < TROUBLE_ENTRIES && index === trouble % CHECKS.length
  const used = 20 + ((number * 7 + index * 131) % 6_000) / 100
  const status = isTrouble ? 'critical' : 'ok'
  return {
    check,
    kind: 'disk',
    status,
    judgement: status,
    episode: episodeOf(number, index),
    values: {
      read_only: false,
      free_bytes: Math.round(270_553_174_016 * (1 - used / 100)),
      total_bytes: 270_553_174_016,
      free_percent: 100 - used,
      used_percent: used,
      inodes_free_percent: 96.362_507_343_292_24,
    },
    text: `${(100 - used).toFixed(1)} % free (${((270.55 * (100 - used)) / 100).toFixed(1)} GB)`,
    because: `${(100 - used).toFixed(2)} < 5 || false: ${isTrouble ? 'yes' : 'no'}`,
    durationMs: index,
    everyMs: EVERY_MS,
    graceMs: GRACE_MS,
    heartbeat: 'awake',
    atUnixMs: atUnixMs - 2_000 + index,
  }
}

/** How often a check has been in trouble up to this entry: the n-th trouble of a host hits the n-th check, in turns. */
function episodeOf(number: number, index: number): number {
  const troubles = Math.floor(number / TROUBLE_EVERY)
  return Math.floor((troubles + CHECKS.length - index) / CHECKS.length) - (index === 0 ? 1 : 0)
}

/** That the hosts are members, and that a device is told: what everybody holds from the first day on. */
export function membershipOf(authors: readonly Author[], swarmKey: Uint8Array, nowUnixMs: number): readonly Carried[] {
  const meshKey = meshKeyOf(swarmKey)
  const members = authors.map(({ key, name }, index) =>
    mergeable(key, meshKey, {
      kind: 'member',
      name,
      // Nobody listens there: the hosts are down when this one starts.
      addresses: [`/ip4/127.0.0.1/tcp/${2 + index}`],
      wakuAddresses: [],
      everyMs: 10_000,
      graceMs: 5_000,
      sleeps: false,
      certificate: certificateOf(meshKey, key, name, nowUnixMs),
      serial: 1,
    }),
  )
  const [first] = authors
  if (first === undefined) return members
  const phone: MeshRecord = { kind: 'recipient', name: 'phone', publicKey: PHONE, atUnixMs: nowUnixMs }
  return [...members, mergeable(first.key, meshKey, phone)]
}

/** A compressed public key that nobody has the secret of: nothing is ever sent to it here. */
const PHONE = Uint8Array.of(2, ...new Uint8Array(32).fill(7))

function mergeable(key: HostKey, { meshId }: MeshKey, body: MeshRecord): Carried {
  return { record: signed(key, meshId, 'record', body), ageMs: DAY_MS }
}

function certificateOf(meshKey: MeshKey, { hostId }: HostKey, name: string, nowUnixMs: number): Uint8Array {
  return encodeCertificate(issueCertificate(meshKey, { host: hostId, name, serial: 1, issuedAtUnixMs: nowUnixMs }))
}

/** The notice log of the troubles in so many entries of each host: each was told twice, in three lines. */
export function noticesOf(authors: readonly Author[], mesh: string, entries: number): readonly Carried[] {
  const lines: Carried[] = []
  let attempt = 1_000_000
  for (const [place, { key: about }] of authors.entries()) {
    const notifier = authors[(place + 1) % authors.length]?.key
    for (let trouble = 1; notifier !== undefined && trouble * TROUBLE_EVERY < entries; trouble += 1) {
      const index = trouble % CHECKS.length
      const number = trouble * TROUBLE_EVERY
      const incidents = [checkIncidentId(mesh, about.hostId, CHECKS[index] ?? '', episodeOf(number, index))]
      for (const transition of ['fired', 'resolved'] as const) {
        attempt += 1
        for (const step of ['claim', 'accepted', 'stored'] as const) {
          const body: NoticeRecord = { step, incidents, transition, recipient: recipientIdOf(PHONE), attempt }
          lines.push({ record: signed(notifier, mesh, 'notice', body), ageMs: (entries - number) * EVERY_MS })
        }
      }
    }
  }
  return lines
}

type Body<D extends 'entry' | 'notice' | 'record'> = SignedAs<D>['body']

function signed<D extends 'entry' | 'notice' | 'record'>(
  key: HostKey,
  mesh: string,
  domain: D,
  body: Body<D>,
): SignedAs<D> {
  const unsigned = { domain, version: WIRE_VERSION, mesh, signer: key.hostId, body, signature: new Uint8Array() }
  const record = unsigned as unknown as SignedAs<D>
  return { ...record, signature: key.sign(bytesToSignOf(record)) }
}
