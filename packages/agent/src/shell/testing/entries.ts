/** Entries of logs for tests: well-formed, of hosts without a key. */
import {
  type AnySigned,
  cidOf,
  encodeCanonical,
  type HostId,
  parseRecord,
  type Result,
  type SignedAs,
  wireLimits,
} from '@muster/protocol'

/** The mesh of these entries. */
export const MESH = 'aa'.repeat(16)

/** A host id of no real key. `digit` is any base58 character. */
export function hostIdOf(digit: string): HostId {
  return `12D3KooW${digit.repeat(44)}`
}

/** A result with what matters to a test; the rest is usual. */
export function resultOf(check: string, some: Partial<Result> = {}): Result {
  return {
    check,
    kind: 'disk',
    status: 'ok',
    judgement: 'ok',
    episode: 0,
    values: {},
    text: '',
    because: '',
    durationMs: 1,
    everyMs: 60_000,
    graceMs: 30_000,
    heartbeat: 'awake',
    atUnixMs: 0,
    ...some,
  }
}

/** What an entry of a test says. */
export interface EntryContent {
  readonly signer: HostId
  readonly seq: number
  readonly incarnation?: number
  readonly epoch?: number
  readonly atUnixMs?: number
  readonly results?: readonly Result[]
  readonly retired?: readonly string[]
}

/** An entry. */
export function entryOf(content: EntryContent): SignedAs<'entry'> {
  const { signer, seq, incarnation = 1, epoch = 0, atUnixMs = 0, results = [], retired = [] } = content
  const body = { life: { incarnation, epoch }, seq, previous: null, atUnixMs, results, retired }
  const record = { domain: 'entry', version: 1, mesh: MESH, signer, body, signature: new Uint8Array(64) }
  return record as unknown as SignedAs<'entry'>
}

/** Where it stands in its log. */
export function headOf({ body }: SignedAs<'entry'>) {
  return { incarnation: body.life.incarnation, seq: body.seq, cid: cidOf(encodeCanonical(body)) }
}

/** Reads a record of this mesh without asking who signed it; null for what is none. */
export function readUnverified(bytes: Uint8Array): AnySigned | null {
  try {
    return parseRecord(bytes, { mesh: MESH, bytesMax: wireLimits.recordBytes })
  } catch {
    return null
  }
}
