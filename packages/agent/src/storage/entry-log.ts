/**
 * The log of every host: signed entries in the order of their lives and sequence numbers, as bytes.
 */
import { decodeCanonical, encodeCanonical, type HostId, type UnixMs } from '@muster/protocol'
import { z } from 'zod'
import type { Driver, DriverOperation, WriteOptions } from './driver.ts'
import {
  after,
  ageEnd,
  ageKey,
  ageStart,
  entryKey,
  entryKeyOfAge,
  entryPrefix,
  type LogPosition,
  readEntryKey,
} from './keys.ts'
import { StorageError } from './storage-error.ts'

/** Bytes of one stored entry: the largest gossip message and what is kept beside it. */
export const ENTRY_BYTES_MAX = 128 * 1024
/** Entries that one `append` takes and one `read` returns: some 300 kB. */
export const ENTRIES_MAX = 1000

/** One entry as kept. */
export interface StoredEntry extends LogPosition {
  readonly host: HostId
  /** The entry's CID, for the `previous` of the next. */
  readonly cid: string
  /** The envelope's canonical bytes. */
  readonly bytes: Uint8Array
  /** When it was made, as well as this host knows, by its own wall clock: what is older than the history is trimmed by it. */
  readonly storedAtUnixMs: UnixMs
}

/** Which entries are wanted. */
export interface EntryRange {
  readonly host: HostId
  /** The first that may be read. Default: the oldest. */
  readonly from?: LogPosition
  /** The first that may not. Default: none. */
  readonly to?: LogPosition
  /** Newest first. */
  readonly reverse?: boolean
  /** At most `ENTRIES_MAX`, which is the default. */
  readonly limit?: number
  readonly signal?: AbortSignal
}

/** The logs of all hosts. Everything throws a `StorageError`. */
export interface EntryLog {
  /**
   * Adds entries, all or none, and returns how many were new. One that is there already stays as it is, whatever the
   * new one says: the first is the one that others built on.
   */
  append(entries: readonly StoredEntry[], options: WriteOptions): Promise<number>
  read(range: EntryRange): Promise<readonly StoredEntry[]>
  /** The newest entry of a host. */
  head(host: HostId): Promise<StoredEntry | undefined>
  /** All hosts with entries, in the order of their ids. */
  hosts(signal?: AbortSignal): Promise<readonly HostId[]>
  /**
   * Removes what was stored before a moment, but never the newest entry of a host, and returns how many it removed.
   * Takes at most `ENTRIES_MAX` steps: call it again while it returns more than 0.
   */
  trim(beforeUnixMs: UnixMs, signal?: AbortSignal): Promise<number>
}

const valueSchema = z.strictObject({ a: z.int().nonnegative(), b: z.instanceof(Uint8Array), c: z.string() })

/** The entry log on a database. */
export function createEntryLog(driver: Driver): EntryLog {
  /** The furthest place that was asked to be written of each host: nothing is there beyond it, which saves a look. */
  const furthest = new Map<HostId, LogPosition>()

  /** Which of these places are taken. */
  async function areTaken(entries: readonly StoredEntry[]): Promise<readonly boolean[]> {
    for (const host of new Set(entries.map((entry) => entry.host))) {
      if (furthest.has(host)) continue
      const head = await readHead(host)
      // Meanwhile another call may have gone further.
      if (!furthest.has(host)) furthest.set(host, head ?? { incarnation: 0, seq: 0 })
    }
    return await Promise.all(
      entries.map(async (entry) => {
        const last = furthest.get(entry.host)
        if (last !== undefined && isBeyond(entry, last)) return false
        return (await driver.get(entryKey(entry.host, entry))) !== undefined
      }),
    )
  }

  async function readHead(host: HostId): Promise<StoredEntry | undefined> {
    const [entry] = await read({ host, reverse: true, limit: 1 })
    return entry
  }

  async function read(range: EntryRange): Promise<readonly StoredEntry[]> {
    const { host, from, to, reverse = false, limit = ENTRIES_MAX, signal } = range
    const prefix = entryPrefix(host)
    const gte = from === undefined ? prefix : entryKey(host, from)
    const lt = to === undefined ? after(prefix) : entryKey(host, to)
    const entries: StoredEntry[] = []
    for await (const [key, value] of driver.iterate({
      gte,
      lt,
      reverse,
      limit: Math.min(limit, ENTRIES_MAX),
      signal,
    })) {
      entries.push(decodeEntry(key, value))
    }
    return entries
  }

  return {
    read,
    head: readHead,
    async append(entries, options) {
      if (entries.length > ENTRIES_MAX) throw new StorageError('too-large', `${ENTRIES_MAX} entries at a time`)
      const added = new Map<string, readonly DriverOperation[]>()
      const taken = await areTaken(entries)
      for (const [index, entry] of entries.entries()) {
        const place = `${entry.host} ${entry.incarnation} ${entry.seq}`
        if (taken[index] === true || added.has(place)) continue
        added.set(place, operationsOf(entry))
        // Before it is written: who comes while it is must find it taken, and look.
        const last = furthest.get(entry.host)
        if (last === undefined || isBeyond(entry, last)) furthest.set(entry.host, entry)
      }
      if (added.size > 0) await driver.batch([...added.values()].flat(), options)
      return added.size
    },
    async hosts(signal) {
      const hosts: HostId[] = []
      const lt = after(entryPrefix())
      let gte = entryPrefix()
      for (;;) {
        let next: HostId | undefined
        for await (const [key] of driver.iterate({ gte, lt, limit: 1, signal })) next = readEntryKey(key).host
        if (next === undefined) return hosts
        hosts.push(next)
        gte = after(entryPrefix(next))
      }
    },
    async trim(beforeUnixMs, signal) {
      const heads = new Map<HostId, StoredEntry | undefined>()
      const operations: DriverOperation[] = []
      const range = { gte: ageStart(), lt: ageEnd(beforeUnixMs), limit: ENTRIES_MAX, signal }
      for await (const [age] of driver.iterate(range)) {
        const key = entryKeyOfAge(age)
        const { host, incarnation, seq } = readEntryKey(key)
        if (!heads.has(host)) heads.set(host, await readHead(host))
        const head = heads.get(host)
        if (head?.incarnation === incarnation && head.seq === seq) continue
        operations.push({ type: 'del', key: age }, { type: 'del', key })
      }
      if (operations.length > 0) await driver.batch(operations, { sync: false })
      return operations.length / 2
    },
  }
}

function isBeyond(a: LogPosition, b: LogPosition): boolean {
  return a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.seq > b.seq)
}

function operationsOf(entry: StoredEntry): readonly DriverOperation[] {
  const { host, storedAtUnixMs, bytes, cid } = entry
  const key = entryKey(host, entry)
  const value = encodeCanonical({ a: storedAtUnixMs, b: bytes, c: cid })
  if (value.byteLength > ENTRY_BYTES_MAX) throw new StorageError('too-large', `${value.byteLength} bytes in an entry`)
  return [
    { type: 'put', key, value },
    { type: 'put', key: ageKey(storedAtUnixMs, key), value: new Uint8Array() },
  ]
}

/** An entry as it lies in the database. Throws a `StorageError` `corrupt` for a row that was not written by `append`. */
export function decodeEntry(key: Uint8Array, value: Uint8Array): StoredEntry {
  try {
    const { a: storedAtUnixMs, b: bytes, c: cid } = valueSchema.parse(decodeCanonical(value, ENTRY_BYTES_MAX))
    return { ...readEntryKey(key), storedAtUnixMs, bytes, cid }
  } catch (cause) {
    throw new StorageError('corrupt', 'an entry in the store is not what was written', { cause })
  }
}
