/**
 * The mergeable records: verdicts, notices and mesh records, a set that every member ends up with.
 *
 * A record is kept once under its id and never changes. What supersedes another says so itself.
 */
import type { RecipientId } from './ids.ts'
import { limits } from './limits.ts'
import { keepSorted, meshRecords, sortedOf } from './sorted-records.ts'
import type { HeldRecord, NoticeFact, State } from './state.ts'
import { hostIncidentId, recordIdOf } from './wire/names.ts'
import type { AnySigned, SignedAs } from './wire/records.ts'
import { drop, holds, nowOf, put, type Work } from './work.ts'

/**
 * Adds a record that was made `ageMs` ago. False when it is known already or superseded.
 */
export function keepRecord(work: Work, record: AnySigned, ageMs: number): boolean {
  const { state } = work
  const id = recordIdOf(record)
  if (state.records.has(id)) return false
  if (record.domain === 'record' && !supersede(work, record)) return false
  hold(work, id, { record, bornAtMs: state.clock.elapsedMs - ageMs, learntAtMs: nowOf(work) })
  work.effects.push({ kind: 'keep-record', id, record, ageMs })
  if (record.domain === 'notice') indexNotice(work, record, ageMs)
  if (state.records.size > limits.records) dropOldest(work)
  return true
}

/** How long ago a record that is held was made, milliseconds; 0 for one that is not held. */
export function recordAgeMs({ records, clock }: State, record: AnySigned): number {
  const held = records.get(recordIdOf(record))
  return held === undefined ? 0 : Math.max(0, Math.round(clock.elapsedMs - held.bornAtMs))
}

/** Puts a record into the set without storing it again: it came from this host's own disk. */
export function restoreRecord(work: Work, record: AnySigned, ageMs: number): void {
  const id = recordIdOf(record)
  if (work.state.records.has(id)) return
  hold(work, id, { record, bornAtMs: work.state.clock.elapsedMs - ageMs, learntAtMs: Number.NEGATIVE_INFINITY })
  if (record.domain === 'notice') indexNotice(work, record, ageMs)
}

/** Forgets the closed records that are older than the history. Looked for once in a while. */
export function expireRecords(work: Work): void {
  for (const [id, held] of work.state.records) {
    if (work.state.clock.elapsedMs - held.bornAtMs > limits.historyMs && isOver(work.state, held)) dropRecord(work, id)
  }
}

/** Whether nothing that goes on needs the record any more: no open incident, and no silence or maintenance that runs. */
function isOver(state: State, { record, bornAtMs }: HeldRecord): boolean {
  switch (record.domain) {
    case 'verdict':
      return !isOpen(state, hostIncidentId(state.options.mesh, record.body.subject, record.body.life))
    case 'notice':
      return !record.body.incidents.some((id) => isOpen(state, id))
    case 'record': {
      const { body } = record
      if (body.kind === 'ack') return !isOpen(state, body.incident)
      if (body.kind === 'silence' || body.kind === 'maintenance') {
        return state.clock.elapsedMs - bornAtMs > body.forMs
      }
      return false
    }
    default:
      return true
  }
}

function isOpen(state: State, id: string): boolean {
  const known = state.incidents.get(id)
  if (known !== undefined) return known.state === 'firing'
  for (const incident of state.incidents.values()) {
    if (incident.state === 'firing' && incident.aliases.includes(id)) return true
  }
  return false
}

function hold(work: Work, id: string, held: HeldRecord): void {
  const before = work.state.records
  const sorted = sortedOf(before)
  put(work, 'records', id, held)
  keepSorted(work.state.records, sorted, held)
  toggle(work, id)
}

function dropRecord(work: Work, id: string): void {
  const before = work.state.records
  const sorted = sortedOf(before)
  const held = before.get(id)
  drop(work, 'records', id)
  if (held !== undefined) keepSorted(work.state.records, sorted, held)
  toggle(work, id)
  work.effects.push({ kind: 'drop-record', id })
}

/** XOR is its own inverse: the same word adds an id to the hash of the set and takes it away. */
function toggle(work: Work, id: string): void {
  const [high, low] = work.state.sets
  work.state.sets = [high ^ Number.parseInt(id.slice(0, 8), 16), low ^ Number.parseInt(id.slice(8, 16), 16)]
}

function dropOldest(work: Work): void {
  let oldest: string | null = null
  let bornAtMs = Number.POSITIVE_INFINITY
  for (const [id, held] of work.state.records) {
    if (held.bornAtMs < bornAtMs && isOver(work.state, held)) {
      oldest = id
      bornAtMs = held.bornAtMs
    }
  }
  if (oldest !== null) dropRecord(work, oldest)
}

/** Drops what the new record replaces. False when the new one is itself replaced already. */
function supersede(work: Work, { signer, body }: SignedAs<'record'>): boolean {
  if (body.kind === 'member') {
    for (const other of meshRecords(work.state, 'member')) {
      if (other.signer !== signer) continue
      if (other.body.serial >= body.serial) return false
      dropRecord(work, other.id)
    }
  }
  return true
}

function indexNotice(work: Work, { signer, body }: SignedAs<'notice'>, ageMs: number): void {
  if (!holds(work.state, 'merged-log') && signer !== work.state.options.self) return
  const { transition, recipient, attempt, step } = body
  const fact: NoticeFact = { transition, recipient, peer: signer, attempt, step, atMs: nowOf(work) - ageMs }
  for (const incident of body.incidents) {
    put(work, 'facts', incident, [...(work.state.facts.get(incident) ?? []), fact])
    drop(work, 'settled', incident)
  }
}

/** A recipient as all agents know it. */
export interface Recipient {
  readonly id: RecipientId
  readonly record: string
  readonly name: string
  readonly publicKey: Uint8Array
}
