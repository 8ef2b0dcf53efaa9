export type { WriteOptions } from './driver.ts'
export { ENTRIES_MAX, ENTRY_BYTES_MAX, type EntryLog, type EntryRange, type StoredEntry } from './entry-log.ts'
export { diskOf, type FallbackStore, openFallbackStore, type StoreTrouble } from './fallback-store.ts'
export {
  FAMILIES,
  type Family,
  type KeyValue,
  RECORD_BYTES_MAX,
  RECORD_KEY_BYTES_MAX,
  type RecordOperation,
  type RecordRange,
} from './key-value.ts'
export type { LogPosition } from './keys.ts'
export { createMemoryDisk, type MemoryDisk } from './memory-driver.ts'
export { StorageError, type StorageErrorCode } from './storage-error.ts'
export { createMemoryStore, createStore, type Store } from './store.ts'
export { lookIntoStore } from './store-look.ts'
export { type DamagedEntry, openStoreScan, type ScannedRecord, type StoreScan } from './store-scan.ts'
