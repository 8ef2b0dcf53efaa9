/**
 * What a start reads back from the store: the newest result of each check, not the history.
 *
 * Of a log that is the entries that its row of places names, and those after it. What is no longer in the log, because the
 * check is a rare one, is kept apart.
 */
import {
  type AnySigned,
  type Carried,
  decodeCanonical,
  type HostId,
  type Incident,
  type LogHead,
  type Restored,
} from '@muster/protocol'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { ENTRY_BYTES_MAX, type LogPosition, type Store, type StoredEntry } from '../storage/index.ts'
import { applyEntry, type CheckPlaces, isAfter, type Places, placeOf, readPlaces } from './check-places.ts'

/** Keys of last entries with rare checks (then host, `/`, check), and of the time spent of a check's period. */
export const NEWEST_PREFIX = 'newest/'
/** Keys of the time spent of a check's period; its name follows. */
export const CHECK_TIME_PREFIX = 'check-time/'
const NEWEST_END = 'newest0'
const CHECK_TIME_END = 'check-time0'
/** Newest entries of a host that are looked through where no row of places tells where its checks are, and at most. */
const RECENT_ENTRIES = 300
/** Logs that are read at the same time: each waits for the disk more than it works. */
const HOSTS_AT_ONCE = 8
const INCIDENT_BYTES_MAX = 64 * 1024

/** A record of the mesh as kept: `b` its bytes, `t` when it was made by this host's wall clock. */
export const heldSchema = z.strictObject({ b: z.instanceof(Uint8Array), t: z.number() })
type Held = z.infer<typeof heldSchema>

/** Parses and verifies a record that the disk gives back; null when it is damaged. */
export type ReadStored = (bytes: Uint8Array) => AnySigned | null | Promise<AnySigned | null>

/** The key under which the last entry with a rare check is kept apart. */
export function newestKey(host: HostId, check: string): string {
  return `${NEWEST_PREFIX}${host}/${check}`
}

/** What restoring works with. */
export interface RestoringDeps {
  readonly store: Store
  readonly clock: Pick<Clock, 'unixMs'>
  readonly read: ReadStored
}

/**
 * What a start of this incarnation begins with. `apart` names what is kept apart; `places` is told what was found. Throws
 * a `StorageError`.
 */
export async function restore(
  deps: RestoringDeps,
  incarnation: number,
  apart: Iterable<string>,
  places: CheckPlaces,
): Promise<Restored> {
  const { store } = deps
  const carried = await readCarried(deps)
  const heads: Record<HostId, LogHead> = {}
  const entries: RestoredEntry[] = []
  const checksApart = checksByHost(apart)
  const hosts = [...(await store.log.hosts())]
  while (hosts.length > 0) {
    const read = hosts.splice(0, HOSTS_AT_ONCE).map(async (host) => {
      const head = await store.log.head(host)
      if (head === undefined) return []
      heads[host] = { incarnation: head.incarnation, seq: head.seq, cid: head.cid }
      return await readEntries(deps, head, checksApart.get(host) ?? [], places)
    })
    for (const found of await Promise.all(read)) entries.push(...found)
  }
  return { incarnation, heads, entries, carried, incidents: await readIncidents(store) }
}

/** The keys of all that is kept apart. Throws a `StorageError`. */
export async function readNewestKeys(store: Store): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const [key] of store.family('members').iterate({ gte: NEWEST_PREFIX, lt: NEWEST_END })) keys.push(key)
  return keys
}

function checksByHost(keys: Iterable<string>): ReadonlyMap<HostId, readonly string[]> {
  const checks = new Map<HostId, string[]>()
  for (const key of keys) {
    const end = key.indexOf('/', NEWEST_PREFIX.length)
    const host = key.slice(NEWEST_PREFIX.length, end)
    const known = checks.get(host) ?? []
    checks.set(host, known)
    known.push(key.slice(end + 1))
  }
  return checks
}

async function readCarried({ store, clock, read }: RestoringDeps): Promise<readonly Carried[]> {
  const carried: Carried[] = []
  // Mesh records first, and then once more those of them that were refused: among them are the certificates by which
  // the others are verified, and their keys, which are hashes, come in no order.
  let refused: Held[] = []
  for (const family of ['mesh-records', 'verdicts', 'notice-log'] as const) {
    const values: Held[] = refused
    refused = []
    for await (const [, value] of store.family(family).iterate()) {
      const held = heldSchema.safeParse(decodeCanonical(value, ENTRY_BYTES_MAX))
      if (held.success) values.push(held.data)
    }
    const records = await Promise.all(values.map(({ b }) => read(b)))
    for (const [index, held] of values.entries()) {
      const record = records[index] ?? null
      if (record !== null) carried.push({ record, ageMs: Math.max(0, Math.round(clock.unixMs() - held.t)) })
      else if (family === 'mesh-records') refused.push(held)
    }
  }
  return carried
}

type RestoredEntry = Restored['entries'][number]

/**
 * The entries of one host with the newest results of its checks, in their order, and its newest entry. Of an entry from
 * further back only the results that are still the newest: others of its checks may have been retired since.
 */
async function readEntries(
  { store, clock, read }: RestoringDeps,
  head: StoredEntry,
  checksApart: readonly string[],
  places: CheckPlaces,
): Promise<readonly RestoredEntry[]> {
  const { host } = head
  const nowMs = clock.unixMs()
  const taken = new Map<string, RestoredEntry>()
  /** Checks of which nothing older is wanted. */
  const settled = new Set<string>()

  async function take(bytes: Uint8Array, madeAtUnixMs: number | null, counts: Counts): Promise<void> {
    const record = await read(bytes)
    if (record?.domain !== 'entry') return
    const place = placeOf(record)
    const results = record.body.results.filter(({ check }) => counts(check, place))
    for (const { check } of results) settled.add(check)
    const known = taken.get(keyOf(place))?.record.body.results ?? []
    const body = { ...record.body, results: [...known, ...results] }
    const ageMs = Math.max(0, Math.round(nowMs - (madeAtUnixMs ?? body.atUnixMs)))
    taken.set(keyOf(place), { record: { ...record, body }, ageMs })
  }
  async function takeAll(found: readonly StoredEntry[], counts: Counts): Promise<void> {
    await Promise.all(found.map(({ bytes, storedAtUnixMs }) => take(bytes, storedAtUnixMs, counts)))
  }

  const row = await readRow(store, head)
  const of = new Map(row?.of)
  await takeAll(await readAfter(store, head, row?.upTo ?? null), () => true)
  for (const { record } of inOrder(taken)) {
    applyEntry(of, record)
    for (const check of record.body.retired) settled.add(check)
  }
  const wanted = [...of].filter(([check]) => !settled.has(check)).map(([, place]) => place)
  // The newest of all too: its life counts, even if no result of it does.
  const further = [...wanted, ...(taken.has(keyOf(head)) ? [] : [head])]
  await takeAll(await readAt(store, host, further), (check, place) => isAt(place, of.get(check)))
  for (const check of checksApart) {
    const value = settled.has(check) ? undefined : await store.family('members').get(newestKey(host, check))
    // Kept apart without a time of ours: its host's own clock tells.
    if (value !== undefined) await take(value, null, (each) => each === check)
  }
  places.restore(host, { upTo: head, of }, row?.upTo ?? null)
  return inOrder(taken)
}

/** Whether the result of a check in an entry at a place is one to begin with. */
type Counts = (check: string, place: LogPosition) => boolean

function isAt(place: LogPosition, other: LogPosition | undefined): boolean {
  return other !== undefined && keyOf(other) === keyOf(place)
}

/** The row of places of a log; none that is ahead of it, for entries may have been lost with a disk. */
async function readRow(store: Store, head: StoredEntry): Promise<Places | null> {
  const row = await readPlaces(store, head.host)
  return row === null || isAfter(row.upTo, head) ? null : row
}

/** The newest entries of a log beyond a place, the newest first. */
async function readAfter(
  store: Store,
  { host }: StoredEntry,
  place: LogPosition | null,
): Promise<readonly StoredEntry[]> {
  const newest = { host, reverse: true, limit: RECENT_ENTRIES }
  if (place === null) return await store.log.read(newest)
  return await store.log.read({ ...newest, from: { incarnation: place.incarnation, seq: place.seq + 1 } })
}

/** The entries at some places of a log, as far as they have not been trimmed. */
async function readAt(store: Store, host: HostId, places: readonly LogPosition[]): Promise<readonly StoredEntry[]> {
  const entries = new Map<string, StoredEntry>()
  for (const [key, from] of new Map(places.map((place) => [keyOf(place), place]))) {
    const [entry] = await store.log.read({ host, from, limit: 1 })
    if (entry !== undefined && keyOf(entry) === key) entries.set(key, entry)
  }
  return [...entries.values()]
}

function keyOf({ incarnation, seq }: LogPosition): string {
  return `${incarnation}/${seq}`
}

function inOrder(entries: ReadonlyMap<string, RestoredEntry>): readonly RestoredEntry[] {
  return [...entries.values()].sort(({ record: a }, { record: b }) => (isAfter(placeOf(a), placeOf(b)) ? 1 : -1))
}

async function readIncidents(store: Store): Promise<readonly Incident[]> {
  const incidents: Incident[] = []
  for await (const [, value] of store.family('incidents').iterate()) {
    // Written by this agent in this folder: a shape that we made ourselves.
    incidents.push(decodeCanonical(value, INCIDENT_BYTES_MAX) as Incident)
  }
  return incidents.sort((a, b) => a.sinceUnixMs - b.sinceUnixMs)
}

/** Milliseconds spent of the periods of checks, by their names. Throws a `StorageError`. */
export async function readCheckTimes(store: Store): Promise<Readonly<Record<string, number>>> {
  const times: Record<string, number> = {}
  for await (const [key, value] of store.family('life').iterate({ gte: CHECK_TIME_PREFIX, lt: CHECK_TIME_END })) {
    const spentMs = decodeCanonical(value, 64)
    if (typeof spentMs === 'number') times[key.slice(CHECK_TIME_PREFIX.length)] = spentMs
  }
  return times
}
