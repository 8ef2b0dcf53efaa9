/**
 * The agent's store: on the disk when that works, in memory while it does not.
 *
 * A disk that is full or read-only when the agent starts must not keep it from running: that is when it is needed. Then
 * it goes on in memory with what can be read of the disk, tries the disk again and again, and once that takes writes,
 * hands over what it holds. A disk that fails later is another matter: its database goes on being read, what cannot be
 * written is history, and the driver recovers by itself.
 *
 * Two agents on one folder: LevelDB's lock is a file that it must be able to open for writing. On a full disk it can, so
 * a second agent is refused as ever. On a read-only one it cannot, and Node has no other lock: there the second agent
 * is refused because the first listens on the ports of the config, the API's before all else. Whoever takes the lock
 * first when the disk is back keeps it; another that still ran (in a network namespace of its own) would stay in memory,
 * and so never write to what is not its own.
 */
import type { Clock } from '../clock.ts'
import { type Log, reasonOf } from '../log.ts'
import { createInterimStore, type InterimStore } from './interim-store.ts'
import { StorageError, type StorageErrorCode } from './storage-error.ts'
import { openStore, readLastIncarnation, type Store } from './store.ts'
import { type FolderLock, lockFolder } from './store-folder.ts'
import { lookIntoStore } from './store-look.ts'

/** Between two tries of the disk, milliseconds: from soon after somebody made room, to rarely on a disk that is lost. */
const RETRY_MIN_MS = 30_000
const RETRY_MAX_MS = 10 * 60_000

/** Why a disk may be done without. `corrupt` is that of a read, or of too many databases set aside already. */
const DISPENSABLE: readonly StorageErrorCode[] = ['disk-full', 'read-only', 'io', 'corrupt']

/** Since when the disk has not taken what it was given, by the wall clock, and why: one line for a person. */
export interface StoreTrouble {
  readonly sinceUnixMs: number
  readonly reason: string
  /** What is to be kept is in memory, and will be on the disk when that works again. */
  readonly inMemory: boolean
}

/** A store that may be in memory for a while. */
export interface FallbackStore extends Store {
  /** Null while the store is on the disk. */
  trouble(): StoreTrouble | null
  /**
   * Reads what a start needs. When the disk cannot be read, the store leaves it, with what can be, and the read is done
   * once more. Throws what the second read throws.
   */
  readBack<Result>(read: () => Promise<Result>): Promise<Result>
}

/** The disk as the fallback sees it. Everything throws a `StorageError`. */
export interface Disk {
  lock(): Promise<FolderLock>
  /** Opens the store. Called while the lock is held. */
  open(): Promise<Store>
  /** What the disk holds, to be read; null when nothing can be. */
  look(): Promise<Store | null>
  /** The number of the newest start, outside of the database; 0 when it cannot be told. */
  lastIncarnation(): Promise<number>
}

/** What the fallback needs beside the disk. `retryMinMs` is for tests: the first wait, which doubles. */
export interface FallbackDeps {
  readonly clock: Pick<Clock, 'unixMs'>
  readonly log: Log
  readonly retryMinMs?: number
}

/** The disk with the store of a folder. */
export function diskOf(path: string): Disk {
  return {
    lock: () => lockFolder(path),
    open: () => openStore(path),
    look: () => lookIntoStore(path),
    lastIncarnation: () => readLastIncarnation(path),
  }
}

/** How long to wait before the disk is tried for this time, counted from 1. Milliseconds. */
export function retryDelayMs(time: number, minMs = RETRY_MIN_MS): number {
  return Math.min(Math.max(RETRY_MAX_MS, minMs), minMs * 2 ** Math.min(time - 1, 20))
}

/** Opens the store on a disk, or goes on without. Throws a `StorageError` `locked` or `newer-format`. */
export async function openFallbackStore(disk: Disk, deps: FallbackDeps): Promise<FallbackStore> {
  const { clock, log, retryMinMs } = deps
  let lock: FolderLock | null = null
  let interim: InterimStore | null = null
  let inner: Store
  let trouble: StoreTrouble | null = null
  let setAside: string | undefined
  /** This start has its number: from here on a disk that fails is lived with. */
  let hasStarted = false
  let isClosed = false
  let retries = 0
  let timer: NodeJS.Timeout | undefined
  let trying: Promise<void> = Promise.resolve()

  /** Leaves the disk. `readable` is its store where that could be opened. */
  async function leaveDisk(error: unknown, readable: Store | null): Promise<InterimStore> {
    const source = readable ?? (await disk.look())
    const known = (await source?.lastIncarnation().catch(() => 0)) ?? 0
    const made = await createInterimStore(source, Math.max(known, await disk.lastIncarnation()))
    await source?.close().catch(() => undefined)
    interim = made
    inner = made
    trouble = { sinceUnixMs: clock.unixMs(), reason: reasonOf(error), inMemory: true }
    log.warn('the store on the disk cannot be used: muster goes on in memory and tries again', {
      reason: trouble.reason,
    })
    tryLater()
    return made
  }

  function tryLater(): void {
    clearTimeout(timer)
    if (isClosed || interim === null) return
    retries += 1
    timer = setTimeout(() => void tryNow().then(tryLater), retryDelayMs(retries, retryMinMs))
    timer.unref()
  }

  /** One try at a time. */
  function tryNow(): Promise<void> {
    trying = trying.then(tryDisk)
    return trying
  }

  /** Hands over to the disk, if that takes it. */
  async function tryDisk(): Promise<void> {
    const from = interim
    if (from === null) return
    try {
      lock ??= await disk.lock()
      await handOver(from, await disk.open())
    } catch (error) {
      const reason = reasonOf(error)
      if (trouble === null || trouble.reason === reason) return
      trouble = { ...trouble, reason }
      log.warn('the store on the disk still cannot be used', { reason })
    }
  }

  async function handOver(from: InterimStore, to: Store): Promise<void> {
    try {
      await from.handOver(to, () => {
        inner = to
        interim = null
        trouble = null
        retries = 0
      })
    } catch (error) {
      await to.close().catch(() => undefined)
      throw error
    }
    // What is still being read in memory may end there: all of it has been handed over.
    noteSetAside(to.setAside)
    log.info('the store takes writes again', {})
  }

  function noteSetAside(where: string | undefined): void {
    setAside = where
    if (where !== undefined) {
      log.warn('the store was damaged and is set aside, peers give the history back', { where })
    }
  }

  async function nextIncarnation(atLeast?: number): Promise<number> {
    const asked = inner
    try {
      const number = await asked.nextIncarnation(atLeast)
      hasStarted = true
      return number
    } catch (error) {
      if (hasStarted || interim !== null || !isDispensable(error)) throw error
      hasStarted = true
      return await (await leaveDisk(error, asked)).nextIncarnation(atLeast)
    }
  }

  async function readBack<Result>(read: () => Promise<Result>): Promise<Result> {
    try {
      return await read()
    } catch (error) {
      if (interim !== null || !isDispensable(error)) throw error
      await leaveDisk(error, inner)
      // A damaged database was marked as such when it was read: opening now sets it aside for a fresh one.
      if (error instanceof StorageError && error.code === 'corrupt') {
        await tryNow()
      }
      return await read()
    }
  }

  try {
    lock = await disk.lock()
    inner = await disk.open()
    noteSetAside(inner.setAside)
  } catch (error) {
    try {
      if (!isDispensable(error)) throw error
      inner = await leaveDisk(error, null)
    } catch (fatal) {
      await lock?.release()
      throw fatal
    }
  }

  return {
    get setAside() {
      return setAside
    },
    log: {
      append: (entries, options) => inner.log.append(entries, options),
      read: (range) => inner.log.read(range),
      head: (host) => inner.log.head(host),
      hosts: (signal) => inner.log.hosts(signal),
      trim: (beforeUnixMs, signal) => inner.log.trim(beforeUnixMs, signal),
    },
    family: (name) => ({
      get: (key) => inner.family(name).get(key),
      put: (key, value, options) => inner.family(name).put(key, value, options),
      del: (key, options) => inner.family(name).del(key, options),
      iterate: (range) => inner.family(name).iterate(range),
    }),
    batch: (operations, options) => inner.batch(operations, options),
    nextIncarnation,
    lastIncarnation: () => inner.lastIncarnation(),
    trouble: () => trouble,
    readBack,
    async close() {
      const isFirst = !isClosed
      isClosed = true
      clearTimeout(timer)
      // One last time: somebody may have made room, and stopped us to start afresh.
      if (isFirst) await tryNow()
      await inner.close()
      await lock?.release()
      lock = null
    },
  }
}

function isDispensable(error: unknown): boolean {
  return error instanceof StorageError && DISPENSABLE.includes(error.code)
}
