/**
 * Where in the log of each host the newest result of each of its checks is: what a start must read of a history of days.
 *
 * One row for each host says so of all entries up to one. It is written after the entries that it tells of, and less often
 * than they are where a host has many checks, so that it may be behind, and never ahead: a start reads what came after it
 * as well. A row that is missing or damaged costs the next start some time.
 */
import { decodeCanonical, encodeCanonical, type HostId, limits, type SignedAs } from '@muster/protocol'
import { z } from 'zod'
import type { LogPosition, RecordOperation, Store } from '../storage/index.ts'

/** A row is written again after one entry for each so many checks: it then costs an entry no more than 1 kB, and mostly 0.2. */
const CHECKS_PER_ENTRY = 32
/** A longer row is not written: only who makes up names of checks gets there. */
const ROW_BYTES_MAX = 128 * 1024
/** One row for each host, under its id. */
const FAMILY = 'check-places'
/** Before the first entry of any log. */
const NOWHERE: LogPosition = { incarnation: 0, seq: 0 }

/** What is known of a host's log: of all entries up to one, where the newest result of each check is. */
export interface Places {
  readonly upTo: LogPosition
  readonly of: ReadonlyMap<string, LogPosition>
}

/** The places of all hosts, as this agent keeps them. */
export interface CheckPlaces {
  /** Begins with what a start has found. `written`: up to where the row on the disk tells, null without one. */
  restore(host: HostId, places: Places, written: LogPosition | null): void
  /** Takes in entries that are on the disk, and gives the rows that are due. */
  note(entries: readonly SignedAs<'entry'>[]): readonly RecordOperation[]
  /**
   * An entry of these hosts was not written, or perhaps it was: the rows of today go no further, and the next start looks
   * for itself.
   */
  doubt(hosts: readonly HostId[]): void
}

interface Kept {
  upTo: LogPosition
  written: LogPosition | null
  isDoubtful: boolean
  readonly of: Map<string, LogPosition>
}

/** Knows nothing yet: what the disk holds of a host must be told before its next entry. */
export function createCheckPlaces(): CheckPlaces {
  const hosts = new Map<HostId, Kept>()
  /** Hosts whose rows are due. */
  const due = new Set<HostId>()

  function noteEntry(entry: SignedAs<'entry'>): void {
    const { signer } = entry
    const place = placeOf(entry)
    const kept = hosts.get(signer) ?? newKept(NOWHERE, null)
    if (!isAfter(place, kept.upTo)) return
    hosts.set(signer, kept)
    kept.upTo = place
    applyEntry(kept.of, entry)
    if (isDue(kept)) due.add(signer)
  }

  function rowOf(host: HostId): readonly RecordOperation[] {
    const kept = hosts.get(host)
    const value = kept === undefined ? null : encodePlaces(kept)
    if (kept === undefined || value === null || value.byteLength > ROW_BYTES_MAX) return []
    kept.written = kept.upTo
    return [{ family: FAMILY, type: 'put', key: host, value }]
  }

  return {
    restore(host, { upTo, of }, written) {
      const kept = newKept(upTo, written, of)
      hosts.set(host, kept)
      if (isDue(kept)) due.add(host)
    },
    note(entries) {
      for (const entry of entries) noteEntry(entry)
      const rows = [...due].flatMap(rowOf)
      due.clear()
      return rows
    },
    doubt(doubted) {
      for (const host of doubted) {
        const kept = hosts.get(host) ?? newKept(NOWHERE, null)
        hosts.set(host, kept)
        kept.isDoubtful = true
        due.delete(host)
      }
    },
  }
}

function newKept(
  upTo: LogPosition,
  written: LogPosition | null,
  of: ReadonlyMap<string, LogPosition> = new Map(),
): Kept {
  return { upTo, written, isDoubtful: false, of: new Map(of) }
}

function isDue({ upTo, written, isDoubtful, of }: Kept): boolean {
  if (isDoubtful) return false
  if (written === null || written.incarnation !== upTo.incarnation) return true
  return upTo.seq > written.seq && upTo.seq - written.seq >= of.size / CHECKS_PER_ENTRY
}

/** Changes places to what they are after one more entry. */
export function applyEntry(of: Map<string, LogPosition>, entry: SignedAs<'entry'>): void {
  const place = placeOf(entry)
  for (const { check } of entry.body.results) {
    if (of.has(check) || of.size < limits.resultsOfHost) of.set(check, place)
  }
  for (const check of entry.body.retired) of.delete(check)
}

/** Where an entry stands in its log. */
export function placeOf({ body: { life, seq } }: SignedAs<'entry'>): LogPosition {
  return { incarnation: life.incarnation, seq }
}

/** Whether the first of two places is further on in a log. */
export function isAfter(a: LogPosition, b: LogPosition): boolean {
  return a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.seq > b.seq)
}

const number = z.int().nonnegative()
/** `u`: up to where it tells; `p`: places, each with the checks whose newest results are there. */
const rowSchema = z.strictObject({
  u: z.tuple([number, number]),
  p: z.array(z.tuple([number, number, z.array(z.string())])),
})

function encodePlaces({ upTo, of }: Places): Uint8Array {
  const checks = new Map<string, [number, number, string[]]>()
  for (const [check, { incarnation, seq }] of of) {
    const key = `${incarnation}/${seq}`
    const known = checks.get(key)
    if (known === undefined) checks.set(key, [incarnation, seq, [check]])
    else known[2].push(check)
  }
  return encodeCanonical({ u: [upTo.incarnation, upTo.seq], p: [...checks.values()] })
}

/** What the disk says of a host; null when it says nothing that can be read. Throws a `StorageError`. */
export async function readPlaces(store: Store, host: HostId): Promise<Places | null> {
  const value = await store.family(FAMILY).get(host)
  if (value === undefined) return null
  try {
    const { u, p } = rowSchema.parse(decodeCanonical(value, ROW_BYTES_MAX))
    const of = new Map<string, LogPosition>()
    for (const [incarnation, seq, checks] of p) for (const check of checks) of.set(check, { incarnation, seq })
    return { upTo: { incarnation: u[0], seq: u[1] }, of }
  } catch {
    return null
  }
}
