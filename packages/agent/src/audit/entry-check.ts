/** One entry from a log: a genuine record, of that host, in its own place and under its own hash. */
import { cidOf, encodeCanonical, type HostId, type SignedAs } from '@muster/protocol'
import type { LogPosition, StoredEntry } from '../storage/index.ts'
import { type Fault, faultOf } from './finding.ts'
import type { RecordCheck } from './record-check.ts'

/** A row of a log after its check: where it is kept, and the entry with its CID unless it is none. */
export interface CheckedEntry {
  readonly place: LogPosition
  readonly storedAtUnixMs: number | null
  readonly entry: SignedAs<'entry'> | null
  readonly cid: string | null
  /** Null for a genuine entry in its own place. */
  readonly fault: Fault | null
}

/** Reads another place of the same log; undefined when nothing can be read there. */
export type EntryAt = (host: HostId, place: LogPosition) => Promise<StoredEntry | undefined>

/** Checks a row. Of one in another's place `entryAt` shows what is kept in its own: two that differ are proof. */
export async function checkEntry(row: StoredEntry, records: RecordCheck, entryAt: EntryAt): Promise<CheckedEntry> {
  const { incarnation, seq, storedAtUnixMs } = row
  const place = { incarnation, seq }
  const { record, fault } = await records.check(row.bytes)
  if (record?.domain !== 'entry') {
    const none = fault ?? faultOf('malformed', `a ${record?.domain ?? 'thing'} is kept where an entry belongs`)
    return { place, storedAtUnixMs, entry: null, cid: null, fault: none }
  }
  const cid = cidOf(encodeCanonical(record.body))
  const misplaced = fault ?? placeFault(row, record, cid)
  const proof = fault === null && misplaced !== null ? await proofOf(row, record, cid, records, entryAt) : null
  return { place, storedAtUnixMs, entry: record, cid, fault: proof ?? misplaced }
}

/** Where the entry says that it belongs. */
export function placeOfEntry({ body }: SignedAs<'entry'>): LogPosition {
  return { incarnation: body.life.incarnation, seq: body.seq }
}

/** "entry 7 of life 1". */
export function placeText({ incarnation, seq }: LogPosition): string {
  return `entry ${seq} of life ${incarnation}`
}

/** What two entries of one number prove. */
export function twoHistories(first: string, second: string): Fault {
  return faultOf('equivocation', `two entries of this number bear its host's signature${TWO_HISTORIES}`, first, second)
}

/** How an honest host comes to it. */
export const TWO_HISTORIES = ': its data was lost or put back, or its key is used twice'

function placeFault(row: StoredEntry, entry: SignedAs<'entry'>, cid: string): Fault | null {
  if (entry.signer !== row.host) return faultOf('displaced', 'an entry of another host is kept in its place')
  const own = placeOfEntry(entry)
  if (!isSamePlace(own, row)) return faultOf('displaced', `${placeText(own)} is kept in its place`)
  if (cid !== row.cid) return faultOf('displaced', 'it is kept under the hash of another', cid, row.cid)
  return null
}

async function proofOf(
  row: StoredEntry,
  entry: SignedAs<'entry'>,
  cid: string,
  records: RecordCheck,
  entryAt: EntryAt,
): Promise<Fault | null> {
  const own = placeOfEntry(entry)
  if (entry.signer !== row.host || isSamePlace(own, row)) return null
  const other = await entryAt(row.host, own)
  const { record, fault } = other === undefined ? { record: null, fault: null } : await records.check(other.bytes)
  if (fault !== null || record?.domain !== 'entry' || record.signer !== row.host) return null
  const otherCid = cidOf(encodeCanonical(record.body))
  if (!isSamePlace(placeOfEntry(record), own) || otherCid === cid) return null
  const both = twoHistories(otherCid, cid)
  return {
    ...both,
    what: `${placeText(own)} is kept in its place, and is another than the one in its own${TWO_HISTORIES}`,
  }
}

function isSamePlace(a: LogPosition, b: LogPosition): boolean {
  return a.incarnation === b.incarnation && a.seq === b.seq
}
