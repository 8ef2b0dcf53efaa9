/** What the core asks to be kept, on this host's store, and what is read back at the start. */
import {
  type AnySigned,
  type Carried,
  decodeCanonical,
  type Effect,
  encodeCanonical,
  encodeRecord,
  type HostId,
  type Incident,
  type Life,
  type LogHead,
  type Restored,
  type Result,
  type SignedAs,
} from '@muster/protocol'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { type Log, reasonOf } from '../log.ts'
import {
  ENTRY_BYTES_MAX,
  type Family,
  type RecordOperation,
  type Store,
  type StoredEntry,
  type StoreTrouble,
} from '../storage/index.ts'
import type { Inbound } from './inbound.ts'
import type { SealOfOrigin } from './seal-of-origin.ts'

/** Runs rarer than this would be out of the newest entries after a while. */
const RARE_MS = 10 * 60_000
/** Newest entries of each host that are looked through at the start. */
const RECENT_ENTRIES = 300
const INCIDENT_BYTES_MAX = 64 * 1024
/** Keys of last entries with rare checks (then host, `/`, check), and of the time spent of a check's period. */
export const NEWEST_PREFIX = 'newest/'
export const CHECK_TIME_PREFIX = 'check-time/'
const NEWEST_END = 'newest0'
/** A failing disk is said once in this time. */
const COMPLAINT_EVERY_MS = 60_000

type KeepEffect = Extract<
  Effect,
  { kind: 'keep-life' | 'keep-entry' | 'keep-record' | 'drop-record' | 'keep-check-time' | 'incident' }
>

type KeepEntry = Extract<KeepEffect, { kind: 'keep-entry' }>

/** A heartbeat is kept when it is a goodbye: like a verdict it says how a host went. */
const FAMILY: Readonly<Record<string, Family>> = {
  verdict: 'verdicts',
  heartbeat: 'verdicts',
  notice: 'notice-log',
  record: 'mesh-records',
}
const heldSchema = z.strictObject({ b: z.instanceof(Uint8Array), t: z.number() })
type Held = z.infer<typeof heldSchema>

/**
 * What the core keeps on the store. `keep` resolves also when the disk fails, which `trouble` then shows;
 * `restore` and `checkTimes` read it back, and reject when the disk cannot be read. Check times are milliseconds spent
 * of a check's period, by its name.
 */
export interface Keeping {
  keep(effect: KeepEffect): Promise<void>
  restore(incarnation: number): Promise<Restored>
  checkTimes(): Promise<Readonly<Record<string, number>>>
  /** Since when the store has not taken what it was given; null while it does. */
  trouble(): StoreTrouble | null
}

/**
 * What keeping works with: where it writes, who signs this host's own records before they are written, and whose wall
 * clock dates them.
 */
export interface KeepingDeps {
  readonly store: Store
  readonly seal: SealOfOrigin
  readonly clock: Clock
  readonly log: Log
  /** Parses and verifies what the disk gives back; null when it is damaged. */
  readonly read: Inbound['stored']
}

/** Keeps effects on a store. A disk that fails costs history, never a check, a vote or a notice. */
export function createKeeping(deps: KeepingDeps): Keeping {
  const { store, seal, clock, log } = deps
  let trouble: StoreTrouble | null = null
  /** The keys of last entries that are kept apart; true where that is the good end of a trouble. */
  const apart = new Map<string, boolean>()
  let gathered: KeepEntry[] = []
  let gathering: Promise<void> | null = null
  let complainedAtMs = Number.NEGATIVE_INFINITY

  async function guarded(work: Promise<unknown>): Promise<void> {
    try {
      await work
      if (trouble !== null) log.info('the store takes writes again', {})
      trouble = null
    } catch (error) {
      trouble ??= { sinceUnixMs: clock.unixMs(), reason: reasonOf(error), inMemory: false }
      if (clock.monotonicMs() - complainedAtMs < COMPLAINT_EVERY_MS) return
      complainedAtMs = clock.monotonicMs()
      log.warn('the store does not take what it is given, muster goes on without', { reason: reasonOf(error) })
    }
  }

  /** Entries of one turn are one append and share its fsync: a disk that takes seconds for each must keep up. */
  function keepEntry(effect: KeepEntry): Promise<void> {
    gathered.push(effect)
    gathering ??= Promise.resolve().then(keepGathered)
    return gathering
  }

  async function keepGathered(): Promise<void> {
    const entries = gathered
    gathered = []
    gathering = null
    const sync = entries.some((effect) => effect.sync)
    const stored: (StoredEntry & Pick<KeepEntry, 'entry'>)[] = []
    const failures: unknown[] = []
    for (const { entry, head, ageMs } of entries) {
      try {
        const bytes = encodeRecord(seal.signed(entry))
        stored.push({ entry, host: entry.signer, ...head, bytes, storedAtUnixMs: Math.round(clock.unixMs() - ageMs) })
      } catch (error) {
        // It costs itself, not those that came with it.
        failures.push(error)
      }
    }
    await store.log.append(stored, { sync })
    const newest = stored.flatMap(({ entry, bytes }) => newestOperations(entry, bytes, apart))
    if (newest.length > 0) await store.batch(newest, { sync })
    if (failures.length > 0) throw failures[0]
  }

  async function keepLife(life: Life): Promise<void> {
    // Raised above what peers knew of us: the next start must come after it as well.
    if ((await store.lastIncarnation()) < life.incarnation) await store.nextIncarnation(life.incarnation)
    await store.family('life').put('life', encodeCanonical(life), { sync: true })
  }

  function keepIncident(incident: Incident): Promise<void> {
    const family = 'incidents'
    const aliases = incident.aliases.map((key): RecordOperation => ({ family, type: 'del', key }))
    const value = encodeCanonical(incident)
    return store.batch([{ family, type: 'put', key: incident.id, value }, ...aliases], { sync: false })
  }

  function perform(effect: KeepEffect): Promise<void> {
    switch (effect.kind) {
      case 'keep-life':
        return keepLife(effect.life)
      case 'keep-entry':
        return keepEntry(effect)
      case 'keep-record': {
        const value = encodeCanonical({ b: encodeRecord(seal.signed(effect.record)), t: clock.unixMs() - effect.ageMs })
        return store.family(familyOf(effect.record)).put(effect.id, value, { sync: true })
      }
      case 'drop-record':
        return dropEverywhere(store, effect.id)
      case 'keep-check-time':
        return store
          .family('life')
          .put(`${CHECK_TIME_PREFIX}${effect.check}`, encodeCanonical(effect.spentMs), { sync: false })
      case 'incident':
        return keepIncident(effect.incident)
      default:
        return effect satisfies never
    }
  }

  return {
    keep: (effect) => guarded(perform(effect)),
    restore: (incarnation) => restore(deps, incarnation, apart),
    checkTimes: () => readCheckTimes(store),
    trouble: () => trouble,
  }
}

/** The key under which the last entry with a rare check is kept apart. */
function newestKey(host: HostId, check: string): string {
  return `${NEWEST_PREFIX}${host}/${check}`
}

/** Whether a result may still be the newest of its check when the history has gone past it: seldom, or for ever, late. */
function isKeptApart({ everyMs, heartbeat, status }: Result): boolean {
  return everyMs >= RARE_MS || heartbeat === 'never' || status !== 'ok'
}

/** Changes of what is kept apart. `apart` holds the keys that are there, and whether the good end of a trouble is what they hold. */
function newestOperations(
  { signer, body }: SignedAs<'entry'>,
  value: Uint8Array,
  apart: Map<string, boolean>,
): readonly RecordOperation[] {
  const family = 'members'
  const operations: RecordOperation[] = []
  for (const result of body.results) {
    const key = newestKey(signer, result.check)
    // The first good result after a bad one too: the next trouble counts its episode from there.
    const isEnd = !isKeptApart(result) && apart.get(key) === false
    if (!isEnd && !isKeptApart(result)) continue
    apart.set(key, isEnd)
    operations.push({ family, type: 'put', key, value })
  }
  // A check that was taken out of its host's config must not come back at the next start.
  for (const check of body.retired) {
    const key = newestKey(signer, check)
    if (apart.delete(key)) operations.push({ family, type: 'del', key })
  }
  return operations
}

function familyOf(record: AnySigned): Family {
  return FAMILY[record.domain] ?? 'mesh-records'
}

async function dropEverywhere(store: Store, key: string): Promise<void> {
  const families = new Set(Object.values(FAMILY))
  await store.batch(
    [...families].map((family) => ({ family, type: 'del' as const, key })),
    { sync: false },
  )
}

async function restore(deps: KeepingDeps, incarnation: number, apart: Map<string, boolean>): Promise<Restored> {
  for await (const [key] of deps.store.family('members').iterate({ gte: NEWEST_PREFIX, lt: NEWEST_END }))
    apart.set(key, false)
  const { store, log } = deps
  const carried = await readCarried(deps)
  const heads: Record<HostId, LogHead> = {}
  const entries: RestoredEntry[] = []
  for (const host of await store.log.hosts()) {
    const head = await store.log.head(host)
    if (head !== undefined) heads[host] = { incarnation: head.incarnation, seq: head.seq, cid: head.cid }
    entries.push(...(await readEntries(deps, host)))
  }
  const incidents = await readIncidents(store)
  if (carried.length + entries.length > 0) {
    log.debug('read from the store', { records: carried.length, entries: entries.length, incidents: incidents.length })
  }
  return { incarnation, heads, entries, carried, incidents }
}

async function readCarried({ store, clock, read }: KeepingDeps): Promise<readonly Carried[]> {
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
    for (const held of values) {
      const record = read(held.b)
      if (record !== null) carried.push({ record, ageMs: Math.max(0, Math.round(clock.unixMs() - held.t)) })
      else if (family === 'mesh-records') refused.push(held)
    }
  }
  return carried
}

type RestoredEntry = Restored['entries'][number]

async function readEntries({ store, clock, read }: KeepingDeps, host: HostId): Promise<readonly RestoredEntry[]> {
  const nowMs = clock.unixMs()
  const entries = new Map<string, RestoredEntry>()
  const take = (bytes: Uint8Array, madeAtUnixMs: number | null): void => {
    const record = read(bytes)
    if (record?.domain !== 'entry') return
    const { life, seq, atUnixMs } = record.body
    const ageMs = Math.max(0, Math.round(nowMs - (madeAtUnixMs ?? atUnixMs)))
    entries.set(`${life.incarnation}/${seq}`, { record, ageMs })
  }
  for await (const [, value] of store
    .family('members')
    .iterate({ gte: `${NEWEST_PREFIX}${host}/`, lt: `${NEWEST_PREFIX}${host}0` })) {
    // Kept apart without a time of ours: its host's own clock tells.
    take(value, null)
  }
  const recent = await store.log.read({ host, reverse: true, limit: RECENT_ENTRIES })
  for (const { bytes, storedAtUnixMs } of recent) take(bytes, storedAtUnixMs)
  return [...entries.values()].sort(
    ({ record: { body: a } }, { record: { body: b } }) => a.life.incarnation - b.life.incarnation || a.seq - b.seq,
  )
}

async function readIncidents(store: Store): Promise<readonly Incident[]> {
  const incidents: Incident[] = []
  for await (const [, value] of store.family('incidents').iterate()) {
    // Written by this agent in this folder: a shape that we made ourselves.
    incidents.push(decodeCanonical(value, INCIDENT_BYTES_MAX) as Incident)
  }
  return incidents.sort((a, b) => a.sinceUnixMs - b.sinceUnixMs)
}

async function readCheckTimes(store: Store): Promise<Readonly<Record<string, number>>> {
  const times: Record<string, number> = {}
  for await (const [key, value] of store.family('life').iterate({ gte: CHECK_TIME_PREFIX, lt: 'check-time0' })) {
    const spentMs = decodeCanonical(value, 64)
    if (typeof spentMs === 'number') times[key.slice(CHECK_TIME_PREFIX.length)] = spentMs
  }
  return times
}
