/**
 * What follows from the set of records alone, and is asked for again and again: mesh records by kind, verdicts by host, the
 * ids for a catch-up, and when the newest line of the notice log came.
 *
 * All of it is a memo. It goes with the set that it was made from, and what a record that comes or goes does not touch goes
 * on to the next set: otherwise each heartbeat, verdict and tick would look through all records anew.
 */
import type { HostId } from './ids.ts'
import type { HeldRecord, State } from './state.ts'
import type { MeshRecord, SignedAs } from './wire/records.ts'

type Records = State['records']

/** A mesh record of one kind, as held. */
export interface HeldMeshRecord<K extends MeshRecord['kind']> {
  readonly id: string
  readonly signer: HostId
  readonly body: Extract<MeshRecord, { kind: K }>
  readonly bornAtMs: number
}

/** A verdict as held. */
export interface HeldVerdict {
  readonly record: SignedAs<'verdict'>
  readonly bornAtMs: number
}

/** Mesh records by kind. */
export type Kinds = ReadonlyMap<string, readonly HeldMeshRecord<MeshRecord['kind']>[]>

/** What has been worked out so far for one set; null for what nobody has asked for. */
interface Sorted {
  kinds: Kinds | null
  verdicts: ReadonlyMap<HostId, readonly HeldVerdict[]> | null
  newestNoticeMs: number | null
  ids: readonly string[] | null
}

const memo = new WeakMap<Records, Sorted>()
const NO_VERDICTS: readonly HeldVerdict[] = []

/** What is known of a set, to be handed on to the one that it becomes. */
export function sortedOf(records: Records): Readonly<Sorted> {
  const known = memo.get(records) ?? { kinds: null, verdicts: null, newestNoticeMs: null, ids: null }
  memo.set(records, known)
  return known
}

/** Hands on what stays as it was when one record comes or goes. */
export function keepSorted(records: Records, before: Readonly<Sorted>, { record, learntAtMs }: HeldRecord): void {
  const { domain } = record
  const { newestNoticeMs: newestMs } = before
  memo.set(records, {
    kinds: domain === 'record' ? null : before.kinds,
    verdicts: domain === 'verdict' ? null : before.verdicts,
    // One that has gone counts on: who asks looks closer when it may still matter.
    newestNoticeMs: newestMs !== null && domain === 'notice' ? Math.max(newestMs, learntAtMs) : newestMs,
    ids: null,
  })
}

/** All mesh records of one kind. */
export function meshRecords<K extends MeshRecord['kind']>(
  state: Pick<State, 'records'>,
  kind: K,
): readonly HeldMeshRecord<K>[] {
  return (kindsOf(state).get(kind) ?? []) as unknown as readonly HeldMeshRecord<K>[]
}

/** Mesh records by kind: the same object as long as they are the same. */
export function kindsOf({ records }: Pick<State, 'records'>): Kinds {
  const sorted: Sorted = sortedOf(records)
  sorted.kinds ??= sortByKind(records)
  return sorted.kinds
}

function sortByKind(records: Records): Kinds {
  const byKind = new Map<string, HeldMeshRecord<MeshRecord['kind']>[]>()
  for (const [id, { record, bornAtMs }] of records) {
    if (record.domain !== 'record') continue
    const { kind } = record.body
    const held = { id, signer: record.signer, body: record.body, bornAtMs }
    const known = byKind.get(kind)
    if (known === undefined) byKind.set(kind, [held])
    else known.push(held)
  }
  return byKind
}

/** All verdicts on one host that are held, in the order in which they were learnt. */
export function verdictsOn(state: Pick<State, 'records'>, subject: HostId): readonly HeldVerdict[] {
  return verdictsBySubject(state).get(subject) ?? NO_VERDICTS
}

/** All verdicts that are held, by the host that they are on. */
export function verdictsBySubject({ records }: Pick<State, 'records'>): ReadonlyMap<HostId, readonly HeldVerdict[]> {
  const sorted: Sorted = sortedOf(records)
  sorted.verdicts ??= sortBySubject(records)
  return sorted.verdicts
}

function sortBySubject(records: Records): ReadonlyMap<HostId, readonly HeldVerdict[]> {
  const bySubject = new Map<HostId, HeldVerdict[]>()
  for (const { record, bornAtMs } of records.values()) {
    if (record.domain !== 'verdict') continue
    const known = bySubject.get(record.body.subject)
    if (known === undefined) bySubject.set(record.body.subject, [{ record, bornAtMs }])
    else known.push({ record, bornAtMs })
  }
  return bySubject
}

/** When the newest line of the notice log was learnt, or one that is forgotten by now. Awake clock. */
export function newestNoticeMs({ records }: Pick<State, 'records'>): number {
  const sorted: Sorted = sortedOf(records)
  if (sorted.newestNoticeMs !== null) return sorted.newestNoticeMs
  let newestMs = Number.NEGATIVE_INFINITY
  for (const { record, learntAtMs } of records.values()) {
    if (record.domain === 'notice') newestMs = Math.max(newestMs, learntAtMs)
  }
  sorted.newestNoticeMs = newestMs
  return newestMs
}

/** The ids of all records held. */
export function idsOf({ records }: Pick<State, 'records'>): readonly string[] {
  const sorted: Sorted = sortedOf(records)
  sorted.ids ??= [...records.keys()]
  return sorted.ids
}
