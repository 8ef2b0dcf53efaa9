/** What mesh records change beyond the set they join, and forgetting what is old. */
import type { HostId } from '../ids.ts'
import { limits } from '../limits.ts'
import { memberOf } from '../membership/hearing.ts'
import { compareLives } from '../wire/names.ts'
import type { Life, SignedAs } from '../wire/records.ts'
import { amendMember, drop, nowOf, report, type Work } from '../work.ts'
import { openHostIncidentOf, resolveIncident } from './host-incidents.ts'
import { CLOSED_BY_LEAVE } from './incident.ts'

/** Carries out a mesh record that is new here. */
export function applyMeshRecord(work: Work, { signer, body }: SignedAs<'record'>): void {
  if (body.kind !== 'member' && body.kind !== 'leave') return
  const member = memberOf(work, signer)
  if (member === null) return
  if (body.kind === 'member') {
    amendMember(work, signer, { profile: body })
    return
  }
  if (compareLives(body.life, member.life) < 0) {
    endFlappingBefore(work, signer, body.life)
    return
  }
  amendMember(work, signer, {
    state: 'left',
    stateAtMs: nowOf(work),
    life: body.life,
    suspicion: null,
    offered: [],
  })
  report(work, 'info', 'host said goodbye', { host: signer })
  // Who has gone for good is not missing, and has no checks to be told of.
  for (const incident of work.state.incidents.values()) {
    if (incident.host === signer && incident.state === 'firing') resolveIncident(work, incident, CLOSED_BY_LEAVE)
  }
}

/** The goodbye of a host that is back: what it flapped before is over here too, as it is for those who heard it at the time. */
function endFlappingBefore(work: Work, host: HostId, life: Life): void {
  const open = openHostIncidentOf(work, host)
  if (open?.fault !== 'flapping' || open.life === null || compareLives(open.life, life) > 0) return
  resolveIncident(work, open, CLOSED_BY_LEAVE)
}

/** Forgets what the notice log said of incidents that are long forgotten themselves. */
export function forgetOldFacts(work: Work): void {
  const named = new Set<string>()
  for (const incident of work.state.incidents.values())
    for (const id of [incident.id, ...incident.aliases]) named.add(id)
  for (const [id, facts] of work.state.facts) {
    const newestMs = Math.max(...facts.map(({ atMs }) => atMs))
    if (!named.has(id) && nowOf(work) - newestMs > limits.historyMs) drop(work, 'facts', id)
  }
  for (const id of work.state.settled.keys()) if (!named.has(id)) drop(work, 'settled', id)
}

/** Forgets incidents that ended longer ago than the history goes, and the oldest ended ones above the limit. */
export function forgetOldIncidents(work: Work): void {
  for (const [id, incident] of work.state.incidents) {
    if (incident.resolvedAtMs !== null && nowOf(work) - incident.resolvedAtMs > limits.historyMs) {
      drop(work, 'incidents', id)
    }
  }
  for (const [id, incident] of work.state.incidents) {
    if (work.state.incidents.size <= limits.incidents) return
    if (incident.state === 'resolved') drop(work, 'incidents', id)
  }
}
