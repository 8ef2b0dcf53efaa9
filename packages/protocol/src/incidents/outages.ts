/** Counting outages: from the verdicts that all members share, so that all count alike. */
import type { HostId } from '../ids.ts'
import { flapping } from '../limits.ts'
import { isWitnessed } from '../membership/witness.ts'
import { meshRecords, verdictsOn } from '../sorted-records.ts'
import type { State } from '../state.ts'
import { compareLives } from '../wire/names.ts'
import type { Life, SignedAs } from '../wire/records.ts'

/** How many lives of a host have ended in outages within the flapping window, `life` included. */
export function outagesOf(state: State, host: HostId, life: Life): number {
  const lives = new Set([`${life.incarnation}/${life.epoch}`])
  for (const { record, bornAtMs } of verdictsOn(state, host)) {
    if (!isOutage(state, record)) continue
    if (state.clock.elapsedMs - bornAtMs > flapping.withinMs) continue
    lives.add(`${record.body.life.incarnation}/${record.body.life.epoch}`)
  }
  return lives.size
}

/** Whether a verdict counts among its host's outages. Who comes back from a goodbye begins anew: none before it does. */
export function isOutage(state: State, verdict: SignedAs<'verdict'>): boolean {
  const { subject, life, fault } = verdict.body
  if (fault !== 'silent' || !isBelieved(state, verdict)) return false
  return !meshRecords(state, 'leave').some(
    ({ signer, body }) => signer === subject && compareLives(life, body.life) <= 0,
  )
}

/**
 * Verdicts that count: those with witnesses. What one host says alone is no outage for the others, and so for nobody, but
 * in a mesh of two, where there is nobody else.
 */
export function isBelieved(state: State, verdict: SignedAs<'verdict'>): boolean {
  return isWitnessed(verdict) || (verdict.signer === state.options.self && state.members.size <= 1)
}
