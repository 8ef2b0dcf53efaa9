/** The records beside the logs: verdicts, notices, mesh records, heartbeats of note, and last entries of rare checks. */
import {
  type AnySigned,
  cidOf,
  decodeCanonical,
  encodeCanonical,
  type HostId,
  nestedOf,
  ProtocolError,
  recordIdOf,
  type SignedAs,
} from '@muster/protocol'
import { heldSchema, NEWEST_PREFIX, newestKey } from '../shell/restoring.ts'
import { ENTRY_BYTES_MAX, type Family, type ScannedRecord, type StoreScan } from '../storage/index.ts'
import type { Claim } from './chain.ts'
import { placeOfEntry } from './entry-check.ts'
import { type Fault, faultOf } from './finding.ts'
import type { CheckedRecord, RecordCheck } from './record-check.ts'

/** Families of mesh records as kept, and what one of each is called. */
const HELD: readonly (readonly [Family, string])[] = [
  ['mesh-records', 'mesh record'],
  ['verdicts', 'verdict'],
  ['notice-log', 'notice'],
]

/** A record that was checked: whose it is as far as it says so, what it is called, and what it claims of logs. */
export interface WalkedRecord {
  readonly signer: HostId | null
  /** All who signed something in it. */
  readonly hosts: readonly HostId[]
  readonly name: string
  readonly fault: Fault | null
  readonly claims: readonly (Claim & { readonly host: HostId })[]
}

/** Learns all certificates that a store holds: records are checked by them, in whatever order they lie. */
export async function learnCertificates(scan: StoreScan, records: RecordCheck, signal: AbortSignal): Promise<void> {
  for await (const [, value] of scan.records('mesh-records', signal)) {
    const bytes = value === null ? null : heldBytes(value)
    if (bytes !== null) records.learn(bytes)
  }
}

/** Checks the records of a store, one at a time. */
export async function* walkRecords(
  scan: StoreScan,
  records: RecordCheck,
  signal: AbortSignal,
): AsyncIterable<WalkedRecord> {
  for (const [family, noun] of HELD) {
    for await (const [key, value] of scan.records(family, signal))
      yield await walkHeld(family, noun, key, value, records)
  }
  for await (const [key, value] of scan.records('members', signal)) {
    if (key.startsWith(NEWEST_PREFIX)) yield await walkNewest(key, value, records)
  }
}

async function walkHeld(
  family: Family,
  noun: string,
  key: string,
  value: ScannedRecord[1],
  records: RecordCheck,
): Promise<WalkedRecord> {
  const name = key.includes('/') ? `heartbeat ${key}` : `${noun} ${key.slice(0, SHORT_ID)}`
  const bytes = value === null ? null : heldBytes(value)
  if (bytes === null) return walked(name, null, UNREADABLE)
  const { record, fault } = await records.check(bytes)
  return walked(name, record, fault ?? (record === null ? null : keyFault(family, key, record)))
}

async function walkNewest(key: string, value: ScannedRecord[1], records: RecordCheck): Promise<WalkedRecord> {
  const check = key.slice(key.indexOf('/', NEWEST_PREFIX.length) + 1)
  const name = `last entry with check ${check}`
  const { record, fault }: CheckedRecord =
    value === null ? { record: null, fault: UNREADABLE } : await records.check(value)
  const isOwn = record?.domain === 'entry' && key === newestKey(record.signer, check) && holdsCheck(record, check)
  return walked(name, record, fault ?? (isOwn ? null : DISPLACED))
}

/** What a forged record says of others is nobody's word. */
function walked(name: string, record: AnySigned | null, fault: Fault | null): WalkedRecord {
  if (record === null) return { signer: null, hosts: [], name, fault, claims: [] }
  const { signer } = record
  if (fault !== null) return { signer, hosts: [signer], name, fault, claims: [] }
  const hosts = new Set([signer, ...nestedOf(record).map((part) => part.signer)])
  return { signer, hosts: [...hosts], name, fault, claims: claimsOf(record) }
}

/** Characters of a record's id by which a person tells it. */
const SHORT_ID = 8
const DISPLACED = faultOf('displaced', 'another record is kept in its place')
const UNREADABLE = faultOf('unreadable', 'the bytes on disk are not those that were written')

function holdsCheck({ body }: SignedAs<'entry'>, check: string): boolean {
  return body.results.some((result) => result.check === check)
}

/** The bytes of a record as kept, or null when that is not what was written. */
function heldBytes(value: Uint8Array): Uint8Array | null {
  try {
    const held = heldSchema.safeParse(decodeCanonical(value, ENTRY_BYTES_MAX))
    return held.success ? held.data.b : null
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}

/** A record is kept under its id, in the family of its kind; of heartbeats one of each sort, under its host's. */
function keyFault(family: Family, key: string, record: AnySigned): Fault | null {
  const { domain, signer } = record
  const belongs =
    domain === 'heartbeat'
      ? family === 'verdicts' && (key === `goodbye/${signer}` || key === `return/${signer}`)
      : DOMAINS[family] === domain && key === recordIdOf(record)
  return belongs ? null : DISPLACED
}

const DOMAINS: Readonly<Record<string, AnySigned['domain']>> = {
  'mesh-records': 'record',
  verdicts: 'verdict',
  'notice-log': 'notice',
}

/** What a genuine record, and those inside it, say of the logs of those who signed them. */
function claimsOf(record: AnySigned): WalkedRecord['claims'] {
  return [record, ...(nestedOf(record) as readonly AnySigned[])].flatMap((part) => {
    const { signer: host } = part
    if (part.domain === 'entry') return [{ host, place: placeOfEntry(part), cid: cidOf(encodeCanonical(part.body)) }]
    if (part.domain !== 'heartbeat' || part.body.head === null) return []
    const { cid, ...place } = part.body.head
    return [{ host, place, cid }]
  })
}
