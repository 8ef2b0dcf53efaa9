/** One host of a small mesh: its disk, its clock's faults, its Waku. */
import type { HostId } from '../ids.ts'
import type { Incident } from '../incidents/incident.ts'
import type { Presence, Restored } from '../options.ts'
import type { State } from '../state.ts'
import type { AnySigned, LogHead, MeshRecord, SignedAs } from '../wire/records.ts'

/** The default class: 10 s, grace 5 s. */
export const DEFAULT_PRESENCE: Presence = { everyMs: 10_000, graceMs: 5_000, sleeps: false, restartMs: 300_000 }

/** What Waku does with a host's notices: takes and stores them, refuses them, or lets the host die with its claim. */
export type Waku = 'works' | 'refuses' | 'dies-with-claim'

/** What survives a loss of power. */
export interface Disk {
  incarnation: number
  readonly heads: Map<HostId, LogHead>
  readonly entries: { readonly record: SignedAs<'entry'>; readonly atMs: number }[]
  readonly records: Map<string, { readonly record: AnySigned; readonly atMs: number }>
  readonly incidents: Map<string, Incident>
}

/** A host: its disk, and its core while it is up. */
export interface Host {
  readonly id: HostId
  readonly presence: Presence
  disk: Disk
  state: State | null
  frozen: 'stopped' | 'suspended' | null
  /** How long its monotonic clock has stood still, milliseconds. */
  suspendedMs: number
  waku: Waku
  readonly reports: string[]
}

/** A host that was never started. */
export function newHost(id: HostId, presence: Partial<Presence> = {}): Host {
  return {
    id,
    presence: { ...DEFAULT_PRESENCE, ...presence },
    disk: emptyDisk(),
    state: null,
    frozen: null,
    suspendedMs: 0,
    waku: 'works',
    reports: [],
  }
}

/** A disk on which nothing was ever written. */
export function emptyDisk(): Disk {
  return { incarnation: 0, heads: new Map(), entries: [], records: new Map(), incidents: new Map() }
}

/** A backup of a disk: what is written to the one does not show in the other. */
export function copyOfDisk({ incarnation, heads, entries, records, incidents }: Disk): Disk {
  return {
    incarnation,
    heads: new Map(heads),
    entries: [...entries],
    records: new Map(records),
    incidents: new Map(incidents),
  }
}

/** What a start finds on the disk. */
export function restoredFrom({ incarnation, heads, entries, records, incidents }: Disk, nowMs: number): Restored {
  return {
    incarnation,
    heads: Object.fromEntries(heads),
    entries: entries.map(({ record, atMs }) => ({ record, ageMs: nowMs - atMs })),
    carried: [...records.values()].map(({ record, atMs }) => ({ record, ageMs: nowMs - atMs })),
    incidents: [...incidents.values()],
  }
}

/** What a host announces of itself at its start. */
export function memberRecord(name: string, { presence, disk }: Host): MeshRecord {
  const { everyMs, graceMs, sleeps } = presence
  const certificate = new Uint8Array()
  const serial = disk.incarnation
  return { kind: 'member', name, addresses: [], wakuAddresses: [], everyMs, graceMs, sleeps, certificate, serial }
}

/** Whether an entry comes after the head that somebody holds. */
export function isAfter({ life, seq }: SignedAs<'entry'>['body'], head: LogHead | null): boolean {
  if (head === null || life.incarnation > head.incarnation) return true
  return life.incarnation === head.incarnation && seq > head.seq
}

/** Whether a record claims a notice. */
export function isClaim(record: AnySigned): boolean {
  return record.domain === 'notice' && record.body.step === 'claim'
}
