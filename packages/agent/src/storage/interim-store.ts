/**
 * A store in memory for the time in which the disk takes no writes. It knows what to hand over once the disk does.
 *
 * It begins with what could be read of the disk, the newest of it. What is written while it is handed over is noted
 * and follows, a few times over. Then, for the time of the last of it, writes are held back; and when the other store
 * has taken its place, they and all later ones go there.
 */
import type { WriteOptions } from './driver.ts'
import { ENTRIES_MAX, type StoredEntry } from './entry-log.ts'
import { FAMILIES, type Family, type RecordOperation } from './key-value.ts'
import { createMemoryDisk, type MemoryDisk } from './memory-driver.ts'
import { StorageError } from './storage-error.ts'
import { createMemoryStore, type Store } from './store.ts'

/** Bytes in memory beyond which the oldest entries go: half a day of a mesh of ten, and a small machine can spare it. */
const MEMORY_BYTES_MAX = 48 * 1024 * 1024
/** Entries that are read from the disk at the start, of all hosts together: some 30 MB. */
const READ_ENTRIES_MAX = 40_000
/** Bytes up to which Waku messages are read too. They come last: a node that lost them gives what comes from then on. */
const READ_BYTES_MAX = 40 * 1024 * 1024
/** Entries of one write while handing over: with the largest of them some 12 MB, which the driver still takes. */
const ENTRIES_PER_WRITE = 100
/** Records of one write while handing over, and their bytes. */
const RECORDS_PER_WRITE = 1_000
const WRITE_BYTES = 512 * 1024
/** Removed keys that are remembered. What the disk keeps beyond them is old, and the core drops it once more. */
const REMOVED_MAX = 20_000

const SYNCED: WriteOptions = { sync: true }

/** Rounds in which what was written meanwhile follows, before writes are held back for the last of it. */
const FOLLOWING_ROUNDS = 5

/** A store in memory that can be handed over. */
export interface InterimStore extends Store {
  /**
   * Copies all that this store holds to another, calls `done` in the turn in which nothing is left to copy, and from
   * then on writes to the other. Rejects when the other fails: everything is still here then, and it may be tried again.
   */
  handOver(to: Store, done: () => void): Promise<void>
}

/** What was written since a handing over began, in its order. Entries and records do not depend on each other. */
interface Following {
  readonly entries: StoredEntry[]
  readonly operations: RecordOperation[]
}

/**
 * Makes one that holds what can be read of `source` (null: nothing), and whose next incarnation is above
 * `lastIncarnation`.
 */
export async function createInterimStore(source: Store | null, lastIncarnation: number): Promise<InterimStore> {
  const disk = createMemoryDisk()
  await disk.counter.write(lastIncarnation)
  const memory = await createMemoryStore(disk)
  if (source !== null) await readNewest(source, memory, disk)
  /** What was removed here and may be on the disk: family, a space, key. The oldest first. */
  const removed = new Set<string>()
  let following: Following | null = null
  /** Writes that wait for the end of a handing over. */
  let held: (() => void)[] | null = null
  let successor: Store | null = null
  let raising: Promise<unknown> = Promise.resolve()

  function whenFree<Result>(write: () => Promise<Result>): Promise<Result> {
    const waiting = held
    if (waiting === null) return write()
    return new Promise((resolve, reject) => waiting.push(() => void write().then(resolve, reject)))
  }

  function noteRecords(operations: readonly RecordOperation[]): void {
    following?.operations.push(...operations)
    for (const { type, family, key } of operations) {
      const name = `${family} ${key}`
      removed.delete(name)
      if (type === 'del') removed.add(name)
    }
    for (const oldest of removed) {
      if (removed.size <= REMOVED_MAX) break
      removed.delete(oldest)
    }
  }

  function batch(operations: readonly RecordOperation[], options: WriteOptions): Promise<void> {
    return whenFree(async () => {
      if (successor !== null) return await successor.batch(operations, options)
      // Before it is written: what is under way when the other store takes over must have been noted.
      noteRecords(operations)
      return await memory.batch(operations, options)
    })
  }

  function append(entries: readonly StoredEntry[], options: WriteOptions): Promise<number> {
    return whenFree(async () => {
      if (successor !== null) return await successor.log.append(entries, options)
      following?.entries.push(...entries)
      const added = await memory.log.append(entries, options)
      while (disk.bytes() > MEMORY_BYTES_MAX && (await memory.log.trim(Number.MAX_SAFE_INTEGER)) > 0);
      return added
    })
  }

  function nextIncarnation(atLeast?: number): Promise<number> {
    return whenFree(() => {
      const next = (successor ?? memory).nextIncarnation(atLeast)
      raising = Promise.allSettled([raising, next])
      return next
    })
  }

  async function follow(to: Store): Promise<void> {
    const { entries = [], operations = [] } = following ?? {}
    following = { entries: [], operations: [] }
    for (let first = 0; first < entries.length; first += ENTRIES_PER_WRITE) {
      await to.log.append(entries.slice(first, first + ENTRIES_PER_WRITE), SYNCED)
    }
    await writeRecords(to, operations)
  }

  async function handOver(to: Store, done: () => void): Promise<void> {
    const waiting: (() => void)[] = []
    following = { entries: [], operations: [] }
    try {
      await copyEntries(memory, to)
      for (const family of FAMILIES) await copyRecords(memory, to, family)
      await writeRecords(to, [...removed].map(removal))
      for (let round = 0; round < FOLLOWING_ROUNDS; round += 1) await follow(to)
      held = waiting
      await raising
      const number = await memory.lastIncarnation()
      if ((await to.lastIncarnation()) < number) await to.nextIncarnation(number)
      await follow(to)
      successor = to
      done()
    } finally {
      following = null
      held = null
      for (const write of waiting) write()
    }
  }

  return {
    ...memory,
    log: { ...memory.log, append },
    batch,
    family(name) {
      const records = memory.family(name)
      return {
        ...records,
        put: (key, value, options) => batch([{ family: name, type: 'put', key, value }], options),
        del: (key, options) => batch([{ family: name, type: 'del', key }], options),
      }
    },
    nextIncarnation,
    handOver,
  }
}

/** Reads the newest of a store, which may be damaged: what cannot be read is left out. */
async function readNewest(from: Store, to: Store, disk: MemoryDisk): Promise<void> {
  for (const family of FAMILIES) if (family !== 'waku-messages') await readRecords(from, to, family)
  await asFarAsReadable(async () => {
    const hosts = await from.log.hosts()
    const limit = Math.min(ENTRIES_MAX, Math.max(1, Math.floor(READ_ENTRIES_MAX / hosts.length)))
    for (const host of hosts) {
      await asFarAsReadable(async () => {
        await to.log.append(await from.log.read({ host, reverse: true, limit }), SYNCED)
      })
    }
  })
  await readRecords(from, to, 'waku-messages', () => disk.bytes() < READ_BYTES_MAX)
}

async function readRecords(from: Store, to: Store, family: Family, hasRoom = () => true): Promise<void> {
  await asFarAsReadable(async () => {
    for await (const [key, value] of from.family(family).iterate()) {
      if (!hasRoom()) return
      await to.family(family).put(key, value, SYNCED)
    }
  })
}

async function asFarAsReadable(read: () => Promise<void>): Promise<void> {
  try {
    await read()
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
  }
}

/** Entries that are there already stay as they are: they were on the disk first. */
async function copyEntries(from: Store, to: Store): Promise<void> {
  for (const host of await from.log.hosts()) {
    let page: readonly StoredEntry[] = await from.log.read({ host, limit: ENTRIES_PER_WRITE })
    while (page.length > 0) {
      await to.log.append(page, SYNCED)
      const last = page.at(-1)
      if (last === undefined || page.length < ENTRIES_PER_WRITE) break
      const next = { incarnation: last.incarnation, seq: last.seq + 1 }
      page = await from.log.read({ host, from: next, limit: ENTRIES_PER_WRITE })
    }
  }
}

/** What is on the disk as it is here is not written again: a disk that has little room shall get by. */
async function copyRecords(from: Store, to: Store, family: Family): Promise<void> {
  async function* changed(): AsyncIterable<RecordOperation> {
    for await (const [key, value] of from.family(family).iterate()) {
      const there = await to.family(family).get(key)
      if (there === undefined || Buffer.compare(there, value) !== 0) yield { family, type: 'put', key, value }
    }
  }
  await writeRecords(to, changed())
}

function removal(name: string): RecordOperation {
  const end = name.indexOf(' ')
  return { type: 'del', family: name.slice(0, end) as Family, key: name.slice(end + 1) }
}

async function writeRecords(
  to: Store,
  operations: Iterable<RecordOperation> | AsyncIterable<RecordOperation>,
): Promise<void> {
  let waiting: RecordOperation[] = []
  let bytes = 0
  for await (const operation of operations) {
    waiting.push(operation)
    if (operation.type === 'put') bytes += operation.value.byteLength
    if (bytes < WRITE_BYTES && waiting.length < RECORDS_PER_WRITE) continue
    await to.batch(waiting, SYNCED)
    waiting = []
    bytes = 0
  }
  if (waiting.length > 0) await to.batch(waiting, SYNCED)
}
