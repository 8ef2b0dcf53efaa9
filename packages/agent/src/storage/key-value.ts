/**
 * Durable records by family and key: all that must survive a restart and is no log entry.
 */
import type { Driver, DriverOperation, WriteOptions } from './driver.ts'
import { after, readRecordKey, recordKey, recordPrefix } from './keys.ts'
import { StorageError } from './storage-error.ts'

/** Bytes of a record's key, as UTF-8: a few ids in a row. */
export const RECORD_KEY_BYTES_MAX = 512
/** Bytes of a record's value: the largest Waku message (150 KiB) and what is kept beside it. */
export const RECORD_BYTES_MAX = 256 * 1024
/** Operations of one batch. */
export const BATCH_OPERATIONS_MAX = 4096

/** What is kept, by purpose. */
export const FAMILIES = [
  'check-places',
  'incidents',
  'life',
  'members',
  'mesh-records',
  'notice-log',
  'outbox',
  'verdicts',
  'waku-messages',
] as const

/** The name of a family. */
export type Family = (typeof FAMILIES)[number]

/** Keys from `gte` up to, and without, `lt`, in the order of their UTF-8 bytes. */
export interface RecordRange {
  readonly gte?: string
  readonly lt?: string
  readonly reverse?: boolean
  readonly limit?: number
  readonly signal?: AbortSignal
}

/** The records of one family. Everything throws a `StorageError`. */
export interface KeyValue {
  get(key: string): Promise<Uint8Array | undefined>
  put(key: string, value: Uint8Array, options: WriteOptions): Promise<void>
  /** Removing what is not there is fine. */
  del(key: string, options: WriteOptions): Promise<void>
  /** A snapshot of when it was asked for. */
  iterate(range?: RecordRange): AsyncIterable<readonly [key: string, value: Uint8Array]>
}

/** One change in a batch across families. */
export type RecordOperation =
  | { readonly family: Family; readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly family: Family; readonly type: 'del'; readonly key: string }

/** The family's records on a database. */
export function createKeyValue(driver: Driver, family: Family): KeyValue {
  const prefix = recordPrefix(family)
  return {
    get: (key) => driver.get(recordKey(family, key)),
    put: (key, value, options) => writeRecords(driver, [{ family, type: 'put', key, value }], options),
    del: (key, options) => writeRecords(driver, [{ family, type: 'del', key }], options),
    async *iterate({ gte, lt, ...rest } = {}) {
      const range = {
        gte: gte === undefined ? prefix : recordKey(family, gte),
        lt: lt === undefined ? after(prefix) : recordKey(family, lt),
        ...rest,
      }
      for await (const [key, value] of driver.iterate(range)) yield [readRecordKey(family, key), value] as const
    },
  }
}

/** Writes records of any families, all or none. Throws a `StorageError`. */
export async function writeRecords(
  driver: Driver,
  operations: readonly RecordOperation[],
  options: WriteOptions,
): Promise<void> {
  if (operations.length > BATCH_OPERATIONS_MAX) {
    throw new StorageError('too-large', `${operations.length} operations in a batch, at most ${BATCH_OPERATIONS_MAX}`)
  }
  await driver.batch(operations.map(toDriver), options)
}

function toDriver(operation: RecordOperation): DriverOperation {
  const { family, key } = operation
  if (Buffer.byteLength(key) > RECORD_KEY_BYTES_MAX) {
    throw new StorageError('too-large', `a key of ${family} is longer than ${RECORD_KEY_BYTES_MAX} bytes`)
  }
  if (operation.type === 'del') return { type: 'del', key: recordKey(family, key) }
  const { value } = operation
  if (value.byteLength > RECORD_BYTES_MAX) {
    throw new StorageError('too-large', `${value.byteLength} bytes in ${family}, at most ${RECORD_BYTES_MAX}`)
  }
  return { type: 'put', key: recordKey(family, key), value }
}
