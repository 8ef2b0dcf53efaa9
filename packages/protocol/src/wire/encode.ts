/** Records to bytes, and the records inside records. */
import { bytesToSign, encodeEnvelope, type Signed } from './envelope.ts'
import type { AnySigned } from './records.ts'

/** The canonical bytes of a record's envelope, records nested in it included: what is sent, stored and measured. */
export function encodeRecord(record: AnySigned): Uint8Array {
  return encodeEnvelope(record)
}

/** Exactly the bytes that a record's signature covers, the signatures of the records nested in it included. */
export function bytesToSignOf(record: Omit<AnySigned, 'signature'>): Uint8Array {
  return bytesToSign(record)
}

/** The records inside a record, at any depth: a shell verifies the signature of each, as of the record itself. */
export function nestedOf(record: AnySigned): readonly Signed<unknown>[] {
  switch (record.domain) {
    case 'vote':
      return record.body.evidence === null ? [] : [record.body.evidence]
    case 'verdict': {
      const { votes, evidence } = record.body
      const nested = votes.flatMap((vote) => (vote.body.evidence === null ? [vote] : [vote, vote.body.evidence]))
      return evidence === null ? nested : [...nested, evidence]
    }
    default:
      return []
  }
}
