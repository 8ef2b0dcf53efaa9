/**
 * The database on disk: LevelDB. The only importer of `level`.
 *
 * Writes go one at a time, and those that wait meanwhile go together as one (one fsync for all of them). After a write
 * that failed nothing more is acknowledged until the database was opened anew: a half-written record makes LevelDB's
 * recovery skip what follows it in the same block, so a later "success" could be lost.
 * Every value carries a CRC-32, because LevelDB does not check what it reads.
 */
import { open, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { Level } from 'level'
import { ignoreMissing } from '../identity/key-file.ts'
import type { Driver, DriverOperation } from './driver.ts'
import { StorageError, type StorageErrorCode } from './storage-error.ts'

/** Free bytes on the disk before we try to open again: LevelDB rewrites its log (4 MiB) when it opens. */
const REOPEN_BYTES_MIN = 8 * 1024 * 1024
/** Bytes that may wait to be written; beyond it the disk is too slow for what we write. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024
const CRC_BYTES = 4

type Database = Level<Uint8Array, Uint8Array>

interface WaitingWrite {
  readonly operations: readonly DriverOperation[]
  readonly sync: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Opens, or makes, the database in a folder. Throws a `StorageError`: `locked`, `corrupt`, `disk-full`, `read-only`, `io`. */
export async function openLevel(path: string): Promise<Driver> {
  let database = await openDatabase(path)
  let waiting: WaitingWrite[] = []
  let waitingBytes = 0
  let isWriting = false
  let isClosed = false
  /** Set by a failed write: nothing is acknowledged until the database was opened anew. */
  let mustReopen = false
  let lastFailure: StorageError | undefined
  let idle: Promise<void> = Promise.resolve()

  async function reopen(): Promise<void> {
    await checkRoom(path)
    await database.close()
    database = await openDatabase(path)
    mustReopen = false
    lastFailure = undefined
  }

  async function writeWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const writes = waiting
      waiting = []
      waitingBytes = 0
      try {
        if (mustReopen) await reopen()
        const operations = writes.flatMap((write) => write.operations)
        await database.batch(operations.map(sealed), { sync: writes.some((write) => write.sync) })
        for (const write of writes) write.resolve()
      } catch (error) {
        mustReopen = true
        const failure = storageError(error)
        lastFailure = failure
        for (const write of writes) write.reject(failure)
      }
    }
    isWriting = false
  }

  const checkOpen = (): void => {
    if (isClosed) throw new StorageError('closed', 'the store is closed')
    // A failed attempt to open anew leaves nothing to read from until the next attempt.
    if (lastFailure !== undefined && database.status !== 'open' && !isWriting) throw lastFailure
  }
  const checkWritable = (): void => {
    if (isClosed) throw new StorageError('closed', 'the store is closed')
  }

  return {
    async get(key) {
      checkOpen()
      const value = await translated(() => database.get(key))
      return value === undefined ? undefined : unsealed(key, value)
    },
    async batch(operations, { sync }) {
      checkWritable()
      if (operations.length === 0 && !sync) return
      waitingBytes += operations.reduce((sum, operation) => sum + bytesOf(operation), 0)
      if (waitingBytes > WAITING_BYTES_MAX)
        throw new StorageError('too-large', 'the disk is too slow for what we write')
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      waiting.push({ operations, sync, resolve, reject })
      if (!isWriting) {
        isWriting = true
        idle = writeWaiting()
      }
      await promise
    },
    async *iterate({ gte, lt, reverse = false, limit = -1, signal }) {
      checkOpen()
      const iterator = database.iterator({ gte, lt, reverse, limit, signal })
      try {
        for (;;) {
          const found = await translated(() => iterator.next(), signal)
          if (found === undefined) return
          const [key, value] = found
          yield [key, unsealed(key, value)] as const
        }
      } finally {
        await iterator.close()
      }
    },
    async close() {
      isClosed = true
      await idle
      await translated(() => database.close())
    },
  }
}

async function openDatabase(path: string): Promise<Database> {
  const database: Database = new Level(path, { keyEncoding: 'view', valueEncoding: 'view' })
  try {
    await database.open()
  } catch (error) {
    throw storageError(error)
  }
  return database
}

function bytesOf(operation: DriverOperation): number {
  return operation.key.byteLength + (operation.type === 'put' ? operation.value.byteLength : 0)
}

function sealed(operation: DriverOperation): DriverOperation {
  if (operation.type === 'del') return operation
  const value = Buffer.alloc(CRC_BYTES + operation.value.byteLength)
  value.writeUInt32BE(crc32(operation.value))
  value.set(operation.value, CRC_BYTES)
  return { type: 'put', key: operation.key, value }
}

function unsealed(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  // A copy of its own, and no Buffer: callers compare, encode and keep it.
  const value = new Uint8Array(bytes.subarray(CRC_BYTES))
  const sum = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < CRC_BYTES || sum.readUInt32BE() !== crc32(value)) {
    throw new StorageError('corrupt', 'a value in the store is not what was written', { key })
  }
  return value
}

/** Looks before we close a database that can still be read: opening it anew needs room, and a disk that takes writes. */
async function checkRoom(path: string): Promise<void> {
  try {
    const { bavail, bsize } = await statfs(path)
    if (bavail * bsize < REOPEN_BYTES_MIN) throw new StorageError('disk-full', 'no space left on the disk')
    const probe = join(path, 'probe')
    const file = await open(probe, 'w', 0o600)
    await file.close()
    await unlink(probe).catch(ignoreMissing)
  } catch (error) {
    throw storageError(error)
  }
}

async function translated<Result>(run: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    signal?.throwIfAborted()
    throw storageError(error)
  }
}

const CAUSES: readonly (readonly [RegExp, StorageErrorCode, string])[] = [
  [/LEVEL_LOCKED/, 'locked', 'another agent runs on this folder'],
  [/LEVEL_CORRUPTION/, 'corrupt', 'the store is damaged'],
  [/LEVEL_DATABASE_NOT_OPEN/, 'closed', 'the store is not open'],
  [/No space left|Disk quota exceeded|ENOSPC|EDQUOT|File too large/, 'disk-full', 'no space left on the disk'],
  [/Read-only file system|Permission denied|EROFS|EACCES|EPERM/, 'read-only', 'the disk takes no writes'],
  // A file of the database is missing, or empty where it must not be.
  [/LEVEL_IO_ERROR.*(No such file|Invalid argument)/, 'corrupt', 'the store is damaged'],
]

/** What a library's or the system's error means to us. */
function storageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const said = `${code} ${cause instanceof Error ? cause.message : String(cause)}`
  const [, known, message] = CAUSES.find(([pattern]) => pattern.test(said)) ?? []
  return new StorageError(known ?? 'io', message ?? `the store failed: ${said.trim()}`, { cause: error })
}
