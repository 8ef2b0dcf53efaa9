/**
 * The folder of a store: its lock, the incarnation beside the database, and damaged databases that are set aside.
 */
import { mkdir, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exists, ignoreMissing, replaceFile, systemCode } from '../identity/key-file.ts'
import type { CounterFile, Driver } from './driver.ts'
import { openLevel } from './level-driver.ts'
import { StorageError } from './storage-error.ts'

/** Damaged databases that are kept for a look. Beyond it the folder must be tidied by hand before we set one more aside. */
export const SET_ASIDE_MAX = 8

/** Keeps other agents off a folder for as long as it is held. */
export interface FolderLock {
  release(): Promise<void>
}

/**
 * Makes the folder where there is none, and takes its lock. Throws a `StorageError`: `locked` ("another muster runs on
 * this folder"), `disk-full`, `read-only`, `io`.
 */
export async function lockFolder(path: string): Promise<FolderLock> {
  const lock = await translated(async () => {
    await mkdir(path, { recursive: true, mode: 0o700 })
    return await takeLock(path)
  })
  // Only a courtesy to who starts a second agent: a failure is no reason not to run.
  await writeFile(pidPath(path), `${process.pid}\n`, { mode: 0o600 }).catch(() => undefined)
  return {
    async release() {
      // Nobody is to be killed by the number of one who has gone.
      await unlink(pidPath(path)).catch(() => undefined)
      await lock.close()
    },
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

async function lockedMessage(path: string): Promise<string> {
  const text = await readFile(pidPath(path), 'utf8').catch(() => '')
  const pid = /^([0-9]{1,10})\n$/.exec(text)?.[1]
  return `another muster runs on this folder${pid === undefined ? '' : ` (pid ${pid})`}: ${path}`
}

/** The number of the newest start, outside of the database. An unreadable one is 0. */
export function incarnationFile(folder: string): CounterFile {
  const path = join(folder, 'incarnation')
  return {
    async read() {
      // Unreadable or nonsense: the copy in the database decides alone.
      const text = await readFile(path, 'utf8').catch(() => '')
      return /^[0-9]{1,15}\n$/.test(text) ? Number(text) : 0
    },
    write: (value) => translated(() => replaceFile(path, `${value}\n`)),
  }
}

/** A database that was opened, and where a damaged one was put for it. */
export interface Opened {
  readonly driver: Driver
  readonly setAside: string | undefined
}

/** Opens the database of a folder; a damaged one is set aside for a fresh one. Throws a `StorageError`. */
export async function openOrSetAside(path: string): Promise<Opened> {
  return await translated(async () => {
    const database = databasePath(path)
    try {
      if (!(await isSuspect(path))) return opened(path, await openLevel(database), undefined)
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'corrupt') throw error
    }
    const setAside = await moveAside(path)
    return opened(path, await openLevel(database), setAside)
  })
}

function opened(path: string, driver: Driver, setAside: string | undefined): Opened {
  return { driver: damageNoting(driver, path), setAside }
}

/** Noted as damaged by the run before, or without the file that LevelDB starts from: it would silently begin anew. */
async function isSuspect(path: string): Promise<boolean> {
  if (await exists(markPath(path))) return true
  const files = await readdir(databasePath(path)).catch((error: unknown) => {
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
    await rename(databasePath(path), target)
    await unlink(markPath(path)).catch(ignoreMissing)
    return target
  }
  const what = `the store in ${path} is damaged, and ${SET_ASIDE_MAX} damaged ones are there already: move them away`
  throw new StorageError('corrupt', what)
}

/** Leaves a mark when a read finds damage, so that the next opening sets the database aside. */
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

/** Where the database of a folder is. */
export const databasePath = (path: string): string => join(path, 'store')

const pidPath = (path: string): string => join(path, 'agent.pid')
const markPath = (path: string): string => join(path, 'damaged')

/** Gives the system's refusals the words of a `StorageError`. */
async function translated<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    throw error instanceof StorageError ? error : systemError(error)
  }
}

function systemError(cause: unknown): StorageError {
  const code = systemCode(cause)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StorageError('disk-full', 'no space left on the disk', { cause })
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return new StorageError('read-only', 'the disk takes no writes', { cause })
  }
  return new StorageError('io', `the store failed: ${code ?? String(cause)}`, { cause })
}
