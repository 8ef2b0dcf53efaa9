/**
 * Reads a store row by row, damage and all: for who asks whether it is whole.
 *
 * An agent stops at the first damaged value and sets the database aside. Here what is damaged is told with its place, and
 * reading goes on after it. Damaged blocks are found first and never shown to LevelDB. The database is never opened itself, for LevelDB writes when it opens one, but looked into by
 * links (`store-look.ts`). The folder's lock is held meanwhile, where the disk allows: under a running agent files come
 * and go.
 */
import { readdir } from 'node:fs/promises'
import type { HostId } from '@muster/protocol'
import { exists } from '../identity/key-file.ts'
import type { Driver, DriverRange } from './driver.ts'
import { decodeEntry, type StoredEntry } from './entry-log.ts'
import { damageTexts, findDamage } from './find-damage.ts'
import type { Family } from './key-value.ts'
import { after, entryKey, entryPrefix, type LogPosition, readEntryKey, readRecordKey, recordPrefix } from './keys.ts'
import { StorageError } from './storage-error.ts'
import { databasePath, type FolderLock, lockFolder } from './store-folder.ts'
import { lookIntoDatabase, ROOMY_PLACES } from './store-look.ts'

/** A row of a log that is not what was written. Its place is null where even its key is none. */
export interface DamagedEntry {
  readonly place: LogPosition | null
}

/** A record as it is kept; null where the value is not what was written. */
export type ScannedRecord = readonly [key: string, value: Uint8Array | null]

/** A store that is looked through. All but `close` throw a `StorageError` `corrupt` where the database cannot be read on. */
export interface StoreScan {
  /** Names of databases that were damaged and set aside; nothing of them is read. */
  readonly setAside: readonly string[]
  /** Blocks of the database's files that are not what was written: what was in them is not read. */
  readonly damage: readonly string[]
  /** All hosts with entries, in the order of their ids, as the keys say, and how many keys are no entry's. */
  hosts(signal: AbortSignal): Promise<{ readonly ids: readonly HostId[]; readonly strayKeys: number }>
  /** The rows of a log in their order, one at a time. */
  entries(host: HostId, signal: AbortSignal): AsyncIterable<StoredEntry | DamagedEntry>
  /** The entry at a place; undefined where there is none, or none that can be read. */
  entryAt(host: HostId, place: LogPosition): Promise<StoredEntry | undefined>
  /** The newest entry of a host; undefined where there is none, or it cannot be read. */
  newest(host: HostId): Promise<StoredEntry | undefined>
  records(family: Family, signal: AbortSignal): AsyncIterable<ScannedRecord>
  close(): Promise<void>
}

/**
 * Opens the store of a data folder to look through it; null when there is none. Nothing in the database is changed.
 *
 * Throws a `StorageError`: `locked`, `corrupt` when it cannot be opened at all, `newer-format`, `io`.
 */
export async function openStoreScan(path: string): Promise<StoreScan | null> {
  // Looked for first: taking the lock would make the folder.
  if (!(await exists(databasePath(path)))) return null
  const lock = await lockWhereAllowed(path)
  try {
    const damage = await findDamage(databasePath(path))
    const look = await lookIntoDatabase(path, ROOMY_PLACES, damage)
    const setAside = (await readdir(path)).filter((name) => name.startsWith('store.damaged-')).sort()
    return {
      ...scanOf(look.driver),
      setAside,
      damage: damageTexts(damage),
      async close() {
        await look.store.close()
        await lock?.release()
      },
    }
  } catch (error) {
    await lock?.release()
    throw error
  }
}

/** A disk that takes no writes has no lock to give, and no agent that writes to it. */
async function lockWhereAllowed(path: string): Promise<FolderLock | null> {
  try {
    return await lockFolder(path)
  } catch (error) {
    if (error instanceof StorageError && (error.code === 'disk-full' || error.code === 'read-only')) return null
    throw error
  }
}

function scanOf(driver: Driver): Omit<StoreScan, 'setAside' | 'damage' | 'close'> {
  return {
    async hosts(signal) {
      const ids: HostId[] = []
      let strayKeys = 0
      const lt = after(entryPrefix())
      let gte = entryPrefix()
      for (;;) {
        let next: Uint8Array | undefined
        for await (const [key] of rowsOf(driver, { gte, lt, limit: 1, signal })) next = key
        if (next === undefined) return { ids, strayKeys }
        const host = hostOfKey(next)
        if (host === null) strayKeys += 1
        else ids.push(host)
        gte = host === null ? keyAfter(next) : after(entryPrefix(host))
      }
    },
    async *entries(host, signal) {
      const prefix = entryPrefix(host)
      for await (const [key, value] of rowsOf(driver, { gte: prefix, lt: after(prefix), signal })) {
        yield entryOf(host, key, value)
      }
    },
    entryAt(host, place) {
      const gte = entryKey(host, place)
      return firstOf(driver, host, { gte, lt: keyAfter(gte) })
    },
    newest(host) {
      const gte = entryPrefix(host)
      return firstOf(driver, host, { gte, lt: after(gte), reverse: true })
    },
    async *records(family, signal) {
      const prefix = recordPrefix(family)
      for await (const [key, value] of rowsOf(driver, { gte: prefix, lt: after(prefix), signal })) {
        yield [readRecordKey(family, key), value]
      }
    },
  }
}

/** The entry in the first row of a range. */
async function firstOf(driver: Driver, host: HostId, range: DriverRange): Promise<StoredEntry | undefined> {
  try {
    for await (const [key, value] of driver.iterate({ ...range, limit: 1 })) {
      const entry = entryOf(host, key, value)
      return 'bytes' in entry ? entry : undefined
    }
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'corrupt') throw error
  }
  return undefined
}

/** The rows of a range, in their order; one whose value is damaged comes without it. */
async function* rowsOf(driver: Driver, range: DriverRange): AsyncIterable<readonly [Uint8Array, Uint8Array | null]> {
  let { gte } = range
  let left = range.limit ?? Number.POSITIVE_INFINITY
  while (left > 0) {
    try {
      const limit = Number.isFinite(left) ? { limit: left } : {}
      for await (const row of driver.iterate({ ...range, ...limit, gte })) {
        left -= 1
        gte = keyAfter(row[0])
        yield row
      }
      return
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'corrupt' || error.key === undefined) throw error
      const { key } = error
      left -= 1
      gte = keyAfter(key)
      yield [key, null]
    }
  }
}

function entryOf(host: HostId, key: Uint8Array, value: Uint8Array | null): StoredEntry | DamagedEntry {
  const isKey = key.byteLength === entryKey(host, { incarnation: 0, seq: 0 }).byteLength
  if (!isKey) return { place: null }
  const { incarnation, seq } = readEntryKey(key)
  const place = { incarnation, seq }
  if (value === null) return { place }
  try {
    return decodeEntry(key, value)
  } catch (error) {
    if (error instanceof StorageError && error.code === 'corrupt') return { place }
    throw error
  }
}

/** Whose entry a key is of, or null when it is none that can be asked for. */
function hostOfKey(key: Uint8Array): HostId | null {
  const [, ...rest] = key
  const host = Buffer.from(rest.slice(0, rest.indexOf(0))).toString('latin1')
  return rest.includes(0) && /^[\x21-\x7e]{1,128}$/.test(host) ? host : null
}

/** The key right after one. */
function keyAfter(key: Uint8Array): Uint8Array {
  return new Uint8Array([...key, 0])
}
