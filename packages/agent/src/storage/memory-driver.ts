/**
 * The fake: a database in memory. It loses what was not synced when it "crashes", and fails when told to.
 */
import type { CounterFile, Driver, DriverOperation } from './driver.ts'
import { StorageError, type StorageErrorCode } from './storage-error.ts'

/** The fake's disk: it outlives the stores that are opened on it. */
export interface MemoryDisk {
  open(): Driver
  readonly counter: CounterFile
  /** Power cut: what was not synced is gone, and the open driver is dead. */
  crash(): void
  /** From now on every write fails with this code; `undefined` heals it. */
  failWrites(code: StorageErrorCode | undefined): void
}

/** Bytes as text whose order is the bytes' order. */
const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

/** An empty disk. */
export function createMemoryDisk(): MemoryDisk {
  let written = new Map<string, Uint8Array>()
  let synced = new Map<string, Uint8Array>()
  let counterValue = 0
  let failure: StorageErrorCode | undefined
  let generation = 0

  const checkWritable = (): void => {
    if (failure !== undefined) throw new StorageError(failure, 'the disk was told to fail')
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
        return value === undefined ? undefined : new Uint8Array(value)
      },
      async batch(operations, { sync }) {
        checkOpen()
        checkWritable()
        for (const operation of operations) apply(written, operation)
        if (sync) synced = new Map(written)
      },
      async *iterate({ gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY, signal }) {
        checkOpen()
        const [first, end] = [toText(gte), toText(lt)]
        const found = [...written].filter(([key]) => key >= first && key < end).sort(([a], [b]) => (a < b ? -1 : 1))
        if (reverse) found.reverse()
        for (const [key, value] of found.slice(0, limit)) {
          signal?.throwIfAborted()
          yield [toBytes(key), new Uint8Array(value)] as const
        }
      },
      async close() {
        if (mine !== generation) return
        generation += 1
        synced = new Map(written)
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
    crash() {
      generation += 1
      written = new Map(synced)
    },
    failWrites(code) {
      failure = code
    },
  }
}

function apply(map: Map<string, Uint8Array>, operation: DriverOperation): void {
  if (operation.type === 'put') map.set(toText(operation.key), new Uint8Array(operation.value))
  else map.delete(toText(operation.key))
}
