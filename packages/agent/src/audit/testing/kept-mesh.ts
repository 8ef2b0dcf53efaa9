/** A folder with a real store, as a host of a small mesh leaves it, and a hand that reaches into its database. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AnySigned,
  bytesToSignOf,
  type Domain,
  type Entry,
  encodeCanonical,
  encodeRecord,
  type Heartbeat,
  type HostId,
  idOfBytes,
  type MeshRecord,
  recordIdOf,
  type SignedAs,
  WIRE_VERSION,
} from '@muster/protocol'
import { systemClock } from '../../clock.ts'
import { hostKeyOf } from '../../identity/host-key.ts'
import { formatSwarmKey } from '../../identity/swarm-key.ts'
import { createOrigin, type Origin } from '../../shell/origin.ts'
import { headOf, resultOf } from '../../shell/testing/entries.ts'
import { createStore, type Family, type LogPosition, type StoredEntry } from '../../storage/index.ts'
import { entryKey, recordKey } from '../../storage/keys.ts'
import { openLevel } from '../../storage/level-driver.ts'
import { databasePath } from '../../storage/store-folder.ts'

/** The swarm key of these folders. */
export const SWARM_KEY = new Uint8Array(32).map((_, index) => index + 7)
/** When the first entry was made, and how far apart they are, milliseconds. */
export const BEGAN_MS = Date.UTC(2026, 10, 20)
export const APART_MS = 10_000

/** A host of the mesh; another `swarmKey` makes it one of another mesh. */
export function memberOf(name: string, seed: number, swarmKey: Uint8Array = SWARM_KEY): Origin {
  return createOrigin({ swarmKey, hostKey: hostKeyOf(new Uint8Array(32).fill(seed)), name }, systemClock)
}

/** A record with its host's signature. */
export function signedBy<D extends Domain>(host: Origin, domain: D, body: SignedAs<D>['body']): SignedAs<D> {
  const record = { domain, version: WIRE_VERSION, mesh: host.mesh, signer: host.self, body }
  const signature = host.hostKey.sign(bytesToSignOf(record as Omit<AnySigned, 'signature'>))
  return { ...record, signature } as unknown as SignedAs<D>
}

/** What an entry says; the rest is usual. */
export function entryBy(host: Origin, place: LogPosition, previous: string | null, some: Partial<Entry> = {}) {
  const life = { incarnation: place.incarnation, epoch: 0 }
  const results = [resultOf('disk', { durationMs: place.seq })]
  return signedBy(host, 'entry', { life, seq: place.seq, previous, atUnixMs: BEGAN_MS, results, retired: [], ...some })
}

/** A host's log: `counts` are the entries of each of its lives. */
export function logOf(host: Origin, ...counts: readonly number[]): readonly SignedAs<'entry'>[] {
  const entries: SignedAs<'entry'>[] = []
  let previous: string | null = null
  for (const [index, count] of counts.entries()) {
    for (let seq = 1; seq <= count; seq += 1) {
      const entry = entryBy(host, { incarnation: index + 1, seq }, previous)
      previous = headOf(entry).cid
      entries.push(entry)
    }
  }
  return entries
}

/** What a host says of itself to the mesh. */
export function memberRecord(host: Origin, name: string, some: Partial<MeshRecord> = {}): SignedAs<'record'> {
  const { certificate } = host
  const presence = { everyMs: 10_000, graceMs: 5_000, sleeps: false }
  const body = { kind: 'member', name, addresses: [], wakuAddresses: [], ...presence, certificate, serial: 1, ...some }
  return signedBy(host, 'record', body as MeshRecord)
}

/** A heartbeat whose newest entry is this one. */
export function heartbeatBy(host: Origin, head: Heartbeat['head']): SignedAs<'heartbeat'> {
  const presence = { everyMs: 10_000, graceMs: 5_000, sleeps: false, mode: 'up', restartMs: 300_000 } as const
  const rest = { observers: [], wakuAgeMs: null, sets: '0'.repeat(16), nonce: null }
  return signedBy(host, 'heartbeat', { life: { incarnation: 1, epoch: 0 }, beat: 9, ...presence, head, ...rest })
}

/** A verdict of one host on another, with the heartbeat that was heard last. */
export function verdictBy(host: Origin, evidence: SignedAs<'heartbeat'>): SignedAs<'verdict'> {
  const { signer: subject, body } = evidence
  const said = { subject, life: body.life, beat: body.beat, ageMs: 15_000, fault: 'silent', observers: 1 } as const
  const rest = { votes: [], alone: true, evidence, heardUnixMs: BEGAN_MS, outages: 1 }
  return signedBy(host, 'verdict', { ...said, ...rest })
}

/** How an entry is kept, the `index`th of what was stored. */
export function storedEntry(entry: SignedAs<'entry'>, index = 0, atUnixMs = BEGAN_MS + index * APART_MS): StoredEntry {
  return { host: entry.signer, ...headOf(entry), bytes: encodeRecord(entry), storedAtUnixMs: atUnixMs }
}

/** Writes a folder as `muster run` would: keys, log entries and records. */
export async function writeFolder(
  path: string,
  entries: readonly StoredEntry[],
  records: readonly AnySigned[],
): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  await writeFile(join(path, 'swarm.key'), formatSwarmKey(SWARM_KEY), { mode: 0o600 })
  const store = await createStore(join(path, 'data'))
  for (let first = 0; first < entries.length; first += 1_000) {
    await store.log.append(entries.slice(first, first + 1_000), { sync: false })
  }
  for (const record of records) {
    await store.family(FAMILY[record.domain] ?? 'mesh-records').put(recordIdOf(record), held(record), { sync: true })
  }
  await store.close()
}

const FAMILY: Readonly<Record<string, Family>> = { verdict: 'verdicts', notice: 'notice-log' }

/** A record as it is kept. */
export function held(record: AnySigned): Uint8Array {
  return encodeCanonical({ b: encodeRecord(record), t: BEGAN_MS })
}

/** Changes rows of the database in a folder: what no agent would write. A null takes a row away. */
export async function meddle(path: string, rows: readonly Row[]): Promise<void> {
  const driver = await openLevel(databasePath(join(path, 'data')))
  await driver.batch(
    rows.map(([key, value]) => (value === null ? { type: 'del', key } : { type: 'put', key, value })),
    { sync: true },
  )
  await driver.close()
}

/** A key of the database and its new value. */
export type Row = readonly [key: Uint8Array, value: Uint8Array | null]

/** An entry put into a place of a log, its own or not. */
export function entryRow(host: HostId, place: LogPosition, { bytes, cid, storedAtUnixMs }: StoredEntry): Row {
  return [entryKey(host, place), encodeCanonical({ a: storedAtUnixMs, b: bytes, c: cid })]
}

/** A record put under a key of its family. */
export function recordRow(family: Family, key: string, value: Uint8Array | null): Row {
  return [recordKey(family, key), value]
}

/** The id of anything, for what only needs one. */
export const anyId = idOfBytes(new Uint8Array(1))
