/** What the core asks to be kept, on this host's store, and what is read back at the start. */
import {
  type AnySigned,
  type Effect,
  encodeCanonical,
  encodeRecord,
  type Incident,
  type Life,
  type Restored,
  type Result,
  type SignedAs,
} from '@muster/protocol'
import type { Clock } from '../clock.ts'
import { type Log, reasonOf } from '../log.ts'
import type { Family, RecordOperation, Store, StoredEntry, StoreTrouble } from '../storage/index.ts'
import { createCheckPlaces } from './check-places.ts'
import { CHECK_TIME_PREFIX, newestKey, type ReadStored, readCheckTimes, readNewestKeys, restore } from './restoring.ts'
import type { SealOfOrigin } from './seal-of-origin.ts'

/** Runs rarer than this would be out of the newest entries after a while. */
const RARE_MS = 10 * 60_000
/** A failing disk is said once in this time. */
const COMPLAINT_EVERY_MS = 60_000

type KeepEffect = Extract<
  Effect,
  { kind: 'keep-life' | 'keep-entry' | 'keep-record' | 'drop-record' | 'keep-check-time' | 'incident' }
>

type KeepEntry = Extract<KeepEffect, { kind: 'keep-entry' }>
type StoredEntryOf = StoredEntry & Pick<KeepEntry, 'entry'>

/** A heartbeat is kept when it is a goodbye: like a verdict it says how a host went. */
const FAMILY: Readonly<Record<string, Family>> = {
  verdict: 'verdicts',
  heartbeat: 'verdicts',
  notice: 'notice-log',
  record: 'mesh-records',
}

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
  readonly read: ReadStored
}

/** Keeps effects on a store. A disk that fails costs history, never a check, a vote or a notice. */
export function createKeeping(deps: KeepingDeps): Keeping {
  const { store, seal, clock, log } = deps
  let trouble: StoreTrouble | null = null
  /** The keys of last entries that are kept apart; true where that is the good end of a trouble. */
  const apart = new Map<string, boolean>()
  const places = createCheckPlaces()
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
    const stored: StoredEntryOf[] = []
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
    await append(stored, sync)
    const newest = stored.flatMap(({ entry, bytes }) => newestOperations(entry, bytes, apart))
    if (newest.length > 0) await store.batch(newest, { sync })
    if (failures.length > 0) throw failures[0]
  }

  async function append(entries: readonly StoredEntryOf[], sync: boolean): Promise<void> {
    try {
      await store.log.append(entries, { sync })
    } catch (error) {
      places.doubt(entries.map(({ host }) => host))
      throw error
    }
    const rows = places.note(entries.map(({ entry }) => entry))
    // Nothing waits for it: a start gets by with a row that is behind.
    if (rows.length > 0) void guarded(store.batch(rows, { sync: false }))
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
    async restore(incarnation) {
      for (const key of await readNewestKeys(store)) apart.set(key, false)
      const restored = await restore(deps, incarnation, apart.keys(), places)
      const { carried, entries, incidents } = restored
      if (carried.length + entries.length > 0) {
        log.debug('read from the store', {
          records: carried.length,
          entries: entries.length,
          incidents: incidents.length,
        })
      }
      return restored
    },
    checkTimes: () => readCheckTimes(store),
    trouble: () => trouble,
  }
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
