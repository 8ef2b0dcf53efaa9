/**
 * Everything of this host that survives a restart.
 *
 * In the folder: `store/` (the database), `incarnation` (a number that must never go back, so it is kept a second time
 * outside of the database), `lock/` (an empty database that is held open, so that nobody else touches the folder even
 * while `store/` is being replaced) and `agent.pid`. A damaged database is renamed to `store.damaged-N` and never
 * emptied; a fresh one is opened in its place, and the peers give back what they have.
 */
import type { CounterFile, Driver, WriteOptions } from './driver.ts'
import { createEntryLog, type EntryLog } from './entry-log.ts'
import { createKeyValue, type Family, type KeyValue, type RecordOperation, writeRecords } from './key-value.ts'
import { FORMAT_VERSION, metaKey } from './keys.ts'
import { createMemoryDisk, type MemoryDisk } from './memory-driver.ts'
import { StorageError } from './storage-error.ts'
import { incarnationFile, lockFolder, openOrSetAside } from './store-folder.ts'

const NUMBER_BYTES = 8
const VERSION_KEY = metaKey('version')
const INCARNATION_KEY = metaKey('incarnation')

/** This host's store. Everything throws a `StorageError`. */
export interface Store {
  readonly log: EntryLog
  /** Where a damaged database was put when this one was opened, or undefined when all was well. */
  readonly setAside: string | undefined
  family(name: Family): KeyValue
  /** Writes records of any families, all or none. */
  batch(operations: readonly RecordOperation[], options: WriteOptions): Promise<void>
  /**
   * The number of this start: one more than the last, and at least `atLeast` (the peers' newest plus one, when a restored
   * disk is behind them). On disk before it returns, so no two starts share one.
   */
  nextIncarnation(atLeast?: number): Promise<number>
  /** The number of the newest start that is on disk, this one or the one before; 0 when there was none. */
  lastIncarnation(): Promise<number>
  close(): Promise<void>
}

/**
 * Opens the store in a folder, which is made when there is none.
 *
 * Throws a `StorageError`: `locked` ("another muster runs on this folder"), `disk-full`, `read-only`, `io`,
 * `newer-format`; `corrupt` only when too many damaged databases are there already. See `setAside`.
 */
export async function createStore(path: string): Promise<Store> {
  const lock = await lockFolder(path)
  try {
    const store = await openStore(path)
    return {
      ...store,
      async close() {
        await store.close()
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Opens the store in a folder whose lock is held. Throws what `createStore` throws, but for `locked`. */
export async function openStore(path: string): Promise<Store> {
  const { driver, setAside } = await openOrSetAside(path)
  return await assembleStore(driver, incarnationFile(path), setAside)
}

/** A store that forgets: for tests, and for an agent whose disk fails. */
export async function createMemoryStore(disk: MemoryDisk = createMemoryDisk()): Promise<Store> {
  return await assembleStore(disk.open(), disk.counter, undefined)
}

/** A store on a database, which is closed when it throws a `StorageError`: `newer-format`, or that it cannot be used. */
export async function assembleStore(
  driver: Driver,
  counter: CounterFile,
  setAside: string | undefined,
): Promise<Store> {
  try {
    await checkVersion(driver)
  } catch (error) {
    await driver.close().catch(() => undefined)
    throw error
  }
  const lastIncarnation = async (): Promise<number> =>
    Math.max(await readNumber(driver, INCARNATION_KEY), await counter.read())
  return {
    log: createEntryLog(driver),
    setAside,
    family: (name) => createKeyValue(driver, name),
    batch: (operations, options) => writeRecords(driver, operations, options),
    async nextIncarnation(atLeast = 1) {
      const next = Math.max((await lastIncarnation()) + 1, atLeast)
      await counter.write(next)
      await writeNumber(driver, INCARNATION_KEY, next)
      return next
    },
    lastIncarnation,
    close: () => driver.close(),
  }
}

async function checkVersion(driver: Driver): Promise<void> {
  const version = await readNumber(driver, VERSION_KEY)
  if (version > FORMAT_VERSION) {
    throw new StorageError(
      'newer-format',
      `a later release wrote this store (format ${version}, we read ${FORMAT_VERSION})`,
    )
  }
  if (version === 0) await writeNumber(driver, VERSION_KEY, FORMAT_VERSION)
}

/**
 * The number of the newest start in a folder whose store cannot be opened; 0 when it cannot be told.
 *
 * For an agent that goes on in memory: it must start above this, and above what its peers have seen.
 */
export async function readLastIncarnation(path: string): Promise<number> {
  return await incarnationFile(path).read()
}

async function readNumber(driver: Driver, key: Uint8Array): Promise<number> {
  const bytes = await driver.get(key)
  return bytes === undefined ? 0 : Number(Buffer.from(bytes).readBigUInt64BE())
}

async function writeNumber(driver: Driver, key: Uint8Array, number: number): Promise<void> {
  const value = Buffer.alloc(NUMBER_BYTES)
  value.writeBigUInt64BE(BigInt(number))
  await driver.batch([{ type: 'put', key, value }], { sync: true })
}
