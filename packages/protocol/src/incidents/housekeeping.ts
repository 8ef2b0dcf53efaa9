/** What mesh records change beyond the set they join, and forgetting what is old. */
import { limits } from '../limits.ts'
import { memberOf } from '../membership/hearing.ts'
import { compareLives } from '../wire/names.ts'
import type { SignedAs } from '../wire/records.ts'
import { amendMember, drop, nowOf, report, type Work } from '../work.ts'
import { endHostIncident } from './host-incidents.ts'

/** Carries out a mesh record that is new here. */
export function applyMeshRecord(work: Work, { signer, body }: SignedAs<'record'>): void {
  if (body.kind !== 'member' && body.kind !== 'leave') return
  const member = memberOf(work, signer)
  if (member === null) return
  if (body.kind === 'member') {
    amendMember(work, signer, { profile: body })
    return
  }
  if (compareLives(body.life, member.life) < 0) return
  const left = amendMember(work, signer, {
    state: 'left',
    stateAtMs: nowOf(work),
    life: body.life,
    suspicion: null,
    offered: [],
  })
  report(work, 'info', 'host said goodbye', { host: signer })
  endHostIncident(work, left)
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
