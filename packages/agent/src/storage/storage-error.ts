/**
 * Why the store could not do it.
 *
 * - `locked`: another agent runs on this folder
 * - `corrupt`: the bytes on disk are not what was written; the next opening sets the store aside
 * - `disk-full`, `read-only`: nothing can be written; the agent goes on in memory, and a later write may succeed again
 * - `io`: the system refused for another reason
 * - `newer-format`: a later release wrote this store
 * - `too-large`: a key, a value or the queue of writes is beyond its limit: a bug of the caller, or overload
 * - `closed`: used after `close`
 */
export type StorageErrorCode =
  | 'locked'
  | 'corrupt'
  | 'disk-full'
  | 'read-only'
  | 'io'
  | 'newer-format'
  | 'too-large'
  | 'closed'

/** The store failed. Its message is one line for a person. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code: StorageErrorCode
  /** The database key of the one value that is damaged, where that is known: what comes after it can still be read. */
  readonly key: Uint8Array | undefined

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions & { readonly key?: Uint8Array }) {
    super(message, options)
    this.code = code
    this.key = options?.key
  }
}
