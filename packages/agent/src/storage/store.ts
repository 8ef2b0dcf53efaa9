/**
 * Everything of this host that survives a restart.
 *
 * In the folder: `store/` (the database), `incarnation` (a number that must never go back, so it is kept a second time
 * outside of the database), `lock/` (an empty database that is held open, so that nobody else touches the folder even
 * while `store/` is being replaced) and `agent.pid`. A damaged database is renamed to `store.damaged-N` and never
 * emptied; a fresh one is opened in its place, and the peers give back what they have.
 */
import { mkdir, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exists, ignoreMissing, replaceFile, systemCode } from '../identity/key-file.ts'
import type { CounterFile, Driver, WriteOptions } from './driver.ts'
import { createEntryLog, type EntryLog } from './entry-log.ts'
import { createKeyValue, type Family, type KeyValue, type RecordOperation, writeRecords } from './key-value.ts'
import { FORMAT_VERSION, metaKey } from './keys.ts'
import { openLevel } from './level-driver.ts'
import { createMemoryDisk, type MemoryDisk } from './memory-driver.ts'
import { StorageError } from './storage-error.ts'

/** Damaged databases that are kept for a look. Beyond it the folder must be tidied by hand before we set one more aside. */
export const SET_ASIDE_MAX = 8

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
 * `newer-format`. A damaged database is no error: see `setAside`.
 */
export async function createStore(path: string): Promise<Store> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw writeError(cause)
  }
  const lock = await takeLock(path)
  let driver: Driver | undefined
  try {
    // Only a courtesy to who starts a second agent: a failure is no reason not to run.
    await writeFile(pidPath(path), `${process.pid}\n`, { mode: 0o600 }).catch(() => undefined)
    const opened = await openOrSetAside(path)
    driver = opened.driver
    const store = await assembleStore(damageNoting(driver, path), incarnationFile(path), opened.setAside)
    return {
      ...store,
      async close() {
        await store.close()
        await lock.close()
      },
    }
  } catch (error) {
    await driver?.close()
    await lock.close()
    throw error
  }
}

async function takeLock(path: string): Promise<Driver> {
  const lock = join(path, 'lock')
  try {
    return await openLevel(lock)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    if (error.code === 'locked') throw new StorageError('locked', await lockedMessage(path), { cause: error })
    if (error.code !== 'corrupt') throw error
    // Nothing is ever written into it, so nothing is lost.
    await rm(lock, { recursive: true })
    return await openLevel(lock)
  }
}

/** A store that forgets: for tests, and for an agent whose disk fails. */
export async function createMemoryStore(disk: MemoryDisk = createMemoryDisk()): Promise<Store> {
  return await assembleStore(disk.open(), disk.counter, undefined)
}

async function assembleStore(driver: Driver, counter: CounterFile, setAside: string | undefined): Promise<Store> {
  const version = await readNumber(driver, VERSION_KEY)
  if (version > FORMAT_VERSION) {
    throw new StorageError(
      'newer-format',
      `a later release wrote this store (format ${version}, we read ${FORMAT_VERSION})`,
    )
  }
  if (version === 0) await writeNumber(driver, VERSION_KEY, FORMAT_VERSION)
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

function incarnationFile(folder: string): CounterFile {
  const path = join(folder, 'incarnation')
  return {
    async read() {
      // Unreadable or nonsense: the copy in the database decides alone.
      const text = await readFile(path, 'utf8').catch(() => '')
      return /^[0-9]{1,15}\n$/.test(text) ? Number(text) : 0
    },
    async write(value) {
      try {
        await replaceFile(path, `${value}\n`)
      } catch (cause) {
        throw writeError(cause)
      }
    },
  }
}

function writeError(cause: unknown): StorageError {
  const code = systemCode(cause)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StorageError('disk-full', 'no space left on the disk', { cause })
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return new StorageError('read-only', 'the disk takes no writes', { cause })
  }
  return new StorageError('io', `the store failed: ${code ?? String(cause)}`, { cause })
}

interface Opened {
  readonly driver: Driver
  readonly setAside: string | undefined
}

async function openOrSetAside(path: string): Promise<Opened> {
  const database = join(path, 'store')
  try {
    if (!(await isSuspect(path))) return { driver: await openLevel(database), setAside: undefined }
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'corrupt') throw error
  }
  const setAside = await moveAside(path)
  return { driver: await openLevel(database), setAside }
}

/** Noted as damaged by the run before, or without the file that LevelDB starts from: it would silently begin anew. */
async function isSuspect(path: string): Promise<boolean> {
  if (await exists(markPath(path))) return true
  const files = await readdir(join(path, 'store')).catch((error: unknown) => {
    ignoreMissing(error)
    const none: string[] = []
    return none
  })
  return !files.includes('CURRENT') && files.some((file) => /\.(ldb|sst)$|^MANIFEST-/.test(file))
}

async function moveAside(path: string): Promise<string> {
  for (let number = 1; number <= SET_ASIDE_MAX; number += 1) {
    const target = join(path, `store.damaged-${number}`)
    if (await exists(target)) continue
    try {
      await rename(join(path, 'store'), target)
      await unlink(markPath(path)).catch(ignoreMissing)
    } catch (cause) {
      throw writeError(cause)
    }
    return target
  }
  const what = `the store in ${path} is damaged, and ${SET_ASIDE_MAX} damaged ones are there already: move them away`
  throw new StorageError('corrupt', what)
}

async function lockedMessage(path: string): Promise<string> {
  const text = await readFile(pidPath(path), 'utf8').catch(() => '')
  const pid = /^([0-9]{1,10})\n$/.exec(text)?.[1]
  return `another muster runs on this folder${pid === undefined ? '' : ` (pid ${pid})`}: ${path}`
}

const pidPath = (path: string): string => join(path, 'agent.pid')
const markPath = (path: string): string => join(path, 'damaged')

/** Leaves a mark when a read finds damage, so that the next start sets the database aside. */
function damageNoting(driver: Driver, path: string): Driver {
  async function note(error: unknown): Promise<never> {
    if (error instanceof StorageError && error.code === 'corrupt') {
      await writeFile(markPath(path), '').catch(() => undefined)
    }
    throw error
  }
  return {
    get: (key) => driver.get(key).catch(note),
    batch: (operations, options) => driver.batch(operations, options).catch(note),
    async *iterate(range) {
      try {
        yield* driver.iterate(range)
      } catch (error) {
        await note(error)
      }
    },
    close: () => driver.close(),
  }
}
