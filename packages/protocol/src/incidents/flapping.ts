/**
 * Repeated outages of one host.
 *
 * Outages are counted from the verdicts that all members share, so that all count alike, also after a restart.
 */
import type { HostId } from '../ids.ts'
import { flapping } from '../limits.ts'
import { isPresent } from '../membership/roster.ts'
import { verdictsOn } from '../sorted-records.ts'
import type { State } from '../state.ts'
import { compareLives } from '../wire/names.ts'
import type { SignedAs } from '../wire/records.ts'
import { nowOf, type Work } from '../work.ts'
import { keepIncident, openFlapping, openHostIncidentOf, resolveIncident } from './host-incidents.ts'
import type { Incident } from './incident.ts'
import { openIncidents } from './open-incidents.ts'
import { isOutage, outagesOf } from './outages.ts'

/**
 * A verdict learnt later may show that an open incident is one of many, and who was away meanwhile may learn that a host
 * which is back is still within the hold of its flapping: both have a flapping incident then, like everybody else.
 */
export function noticeFlapping(work: Work, host: HostId): void {
  const newest = newestOutage(work.state, host)
  if (newest === null) return
  const { verdict, agoMs } = newest
  const outages = outagesOf(work.state, host, verdict.body.life)
  if (outages < flapping.outages) return
  const open = openHostIncidentOf(work, host)
  if (open !== null) {
    if (open.fault === 'silent') keepIncident(work, { ...open, fault: 'flapping', outages })
    return
  }
  const member = work.state.members.get(host)
  if (member !== undefined && isPresent(member) && agoMs < holdMs(outages)) openFlapping(work, member, verdict, outages)
}

function newestOutage(state: State, host: HostId): { verdict: SignedAs<'verdict'>; agoMs: number } | null {
  let newest: { verdict: SignedAs<'verdict'>; agoMs: number } | null = null
  for (const { record, bornAtMs } of verdictsOn(state, host)) {
    if (!isOutage(state, record)) continue
    if (newest !== null && compareLives(record.body.life, newest.verdict.body.life) <= 0) continue
    newest = { verdict: record, agoMs: state.clock.elapsedMs - bornAtMs }
  }
  return newest
}

/** How long a flapping host must be steady: longer with each further outage. */
function holdMs(outages: number): number {
  const doublings = Math.min(10, Math.max(0, outages - flapping.outages))
  return Math.min(flapping.holdMostMs, flapping.holdMs * 2 ** doublings)
}

/** Ends the flapping incidents of hosts that have been steady for long enough. */
export function endSteadyFlapping(work: Work): void {
  for (const incident of openIncidents(work.state)) {
    if (incident.fault !== 'flapping') continue
    const member = work.state.members.get(incident.host)
    if (member === undefined || (member.state !== 'alive' && member.state !== 'suspect')) continue
    // Whoever had a road to the host when others had none saw no outage at all, and yet knows of it.
    const steadyMs = Math.min(
      nowOf(work) - member.stateAtMs,
      newestOutage(work.state, incident.host)?.agoMs ?? Number.POSITIVE_INFINITY,
    )
    const isSteady = steadyMs >= holdMs(incident.outages)
    if (isSteady || isEndTold(work.state, incident)) resolveIncident(work, incident)
  }
}

/** Whether somebody who had seen it steady has told so since its last outage: a restart here counts from anew. */
function isEndTold(state: State, { id, aliases, host }: Incident): boolean {
  const outageAgoMs = newestOutage(state, host)?.agoMs ?? Number.POSITIVE_INFINITY
  const facts = [id, ...aliases].flatMap((name) => state.facts.get(name) ?? [])
  return facts.some(({ transition, atMs }) => transition === 'resolved' && state.clock.awakeMs - atMs < outageAgoMs)
}
