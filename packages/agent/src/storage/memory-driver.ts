/**
 * A database in memory: for an agent whose disk fails, and for tests. It loses what was not synced when it "crashes", and
 * fails when told to.
 */
import type { CounterFile, Driver, DriverOperation } from './driver.ts'
import { createOrderedBytes } from './ordered-bytes.ts'
import { StorageError, type StorageErrorCode } from './storage-error.ts'

/** What the database lies on: it outlives the stores that are opened on it. */
export interface MemoryDisk {
  open(): Driver
  readonly counter: CounterFile
  /** Bytes of all keys and values. */
  bytes(): number
  /** Power cut: what was not synced is gone, and the open driver is dead. */
  crash(): void
  /** From now on every write fails with this code; `undefined` heals it. */
  failWrites(code: StorageErrorCode | undefined): void
}

const toText = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

/** An empty disk. */
export function createMemoryDisk(): MemoryDisk {
  const written = createOrderedBytes()
  /** What a power cut would bring back: the values from before the writes that were not synced. */
  const before = new Map<string, string | undefined>()
  let counterValue = 0
  let failure: StorageErrorCode | undefined
  let generation = 0

  const checkWritable = (): void => {
    if (failure !== undefined) throw new StorageError(failure, 'the disk was told to fail')
  }

  function change(key: string, value: string | undefined): void {
    if (value === undefined) written.delete(key)
    else written.set(key, value)
  }

  function apply(operation: DriverOperation): void {
    const key = toText(operation.key)
    if (!before.has(key)) before.set(key, written.get(key))
    change(key, operation.type === 'put' ? toText(operation.value) : undefined)
  }

  function open(): Driver {
    generation += 1
    const mine = generation
    const checkOpen = (): void => {
      if (mine !== generation) throw new StorageError('closed', 'the store is closed')
    }
    return {
      async get(key) {
        checkOpen()
        const value = written.get(toText(key))
        return value === undefined ? undefined : toBytes(value)
      },
      async batch(operations, { sync }) {
        checkOpen()
        checkWritable()
        for (const operation of operations) apply(operation)
        if (sync) before.clear()
      },
      async *iterate({ gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY, signal }) {
        checkOpen()
        for (const [key, value] of written.range(toText(gte), toText(lt), { reverse, limit })) {
          signal?.throwIfAborted()
          yield [toBytes(key), toBytes(value)] as const
        }
      },
      async close() {
        if (mine !== generation) return
        generation += 1
        before.clear()
      },
    }
  }

  return {
    open,
    counter: {
      read: async () => counterValue,
      async write(value) {
        checkWritable()
        counterValue = value
      },
    },
    bytes: () => written.bytes(),
    crash() {
      generation += 1
      for (const [key, value] of before) change(key, value)
      before.clear()
    },
    failWrites(code) {
      failure = code
    },
  }
}
