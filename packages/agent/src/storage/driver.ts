/**
 * What the store needs of a database: ordered bytes, atomic batches, and a word when they are on disk.
 *
 * Two things implement it: LevelDB, and a fake in memory that can lose what was not synced.
 */

/** One change. */
export type DriverOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** Whether a write must survive a power cut before it is acknowledged. */
export interface WriteOptions {
  readonly sync: boolean
}

/** Keys from `gte` up to, and without, `lt`, in the order of their bytes. */
export interface DriverRange {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
  readonly signal?: AbortSignal | undefined
}

/** Ordered bytes. Everything throws a `StorageError`, or the signal's reason. */
export interface Driver {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** All or nothing. With `sync`, everything written before is on disk too. */
  batch(operations: readonly DriverOperation[], options: WriteOptions): Promise<void>
  /** A snapshot of when it was asked for. */
  iterate(range: DriverRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>
  /** Waits for writes under way. Safe to call twice. */
  close(): Promise<void>
}

/** A number outside of the database that must never go back, even when the database is lost. */
export interface CounterFile {
  /** 0 when there is none yet. */
  read(): Promise<number>
  /** On disk when it returns. */
  write(value: number): Promise<void>
}
