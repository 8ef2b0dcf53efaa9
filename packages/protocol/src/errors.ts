/** A peer sent something that the protocol does not allow. Never fatal: the record is dropped and counted. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  /** Stable and short, for logs, counters and tests. */
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Why a record was refused. */
export type ProtocolErrorCode =
  | 'too-large'
  | 'malformed'
  | 'not-canonical'
  | 'newer-version'
  | 'other-mesh'
  | 'bad-signature'
  | 'not-a-member'

/** States what our own code guarantees; a failure is a bug of ours, not of a peer or a user. */
export function assert(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${claim}`)
}
