/**
 * Incidents of hosts: opened by verdicts and by isolation, ended by hearing a higher life.
 *
 * A newer life learnt of a host that is still missing renames its incident: the id is that of the newest life known, and
 * the old ids stay as aliases. From the third outage within ten minutes on, a host has one flapping incident, which
 * outlives its returns until it has been steady for a while.
 */
import type { HostId } from '../ids.ts'
import { PRESENCE } from '../ids.ts'
import { flapping } from '../limits.ts'
import type { Member } from '../state.ts'
import { hostIncidentId } from '../wire/names.ts'
import type { Life, SignedAs } from '../wire/records.ts'
import { drop, nowOf, put, type Work } from '../work.ts'
import type { Fault, Incident } from './incident.ts'
import { openIncidents } from './open-incidents.ts'
import { isBelieved, outagesOf } from './outages.ts'

/** The open incident of a host itself, if there is one. */
export function openHostIncidentOf(work: Work, host: HostId): Incident | null {
  for (const incident of openIncidents(work.state)) {
    if (incident.host === host && incident.check === PRESENCE) return incident
  }
  return null
}

/** Keeps an incident and shows it to the shell. */
export function keepIncident(work: Work, incident: Incident): void {
  put(work, 'incidents', incident.id, incident)
  work.effects.push({ kind: 'incident', incident })
}

/** Opens the incident of a verdict in force, or renames the one that is open. */
export function openHostIncident(work: Work, member: Member, verdict: SignedAs<'verdict'>): void {
  const { body } = verdict
  const open = openHostIncidentOf(work, member.host)
  const outages = Math.max(outagesOf(work.state, member.host, body.life), body.outages)
  if (open !== null) {
    keepIncident(work, { ...open, outages: Math.max(open.outages, outages) })
    renameHostIncident(work, member.host, body.life)
    return
  }
  const isFlapping = body.fault === 'silent' && outages >= flapping.outages && isBelieved(work.state, verdict)
  keepIncident(work, incidentOf(work, member, verdict, isFlapping ? 'flapping' : body.fault, outages))
}

/**
 * Opens the flapping incident of a host that is back, for somebody who was away when the others opened it, or who took
 * its last outage for one of its own and has ended that.
 */
export function openFlapping(work: Work, member: Member, verdict: SignedAs<'verdict'>, outages: number): void {
  const incident = incidentOf(work, member, verdict, 'flapping', outages)
  const known = work.state.incidents.get(incident.id)
  if (known !== undefined && (known.state === 'firing' || known.fault === 'flapping')) return
  const { aliases, sinceAtMs, sinceUnixMs } = known ?? incident
  drop(work, 'settled', incident.id)
  keepIncident(work, { ...incident, aliases, sinceAtMs, sinceUnixMs })
}

function incidentOf(
  work: Work,
  member: Member,
  { body, signer }: SignedAs<'verdict'>,
  fault: Fault,
  outages: number,
): Incident {
  return {
    id: hostIncidentId(work.state.options.mesh, member.host, body.life),
    aliases: [],
    host: member.host,
    check: PRESENCE,
    fault,
    severity: body.alone ? 'unknown' : 'critical',
    state: 'firing',
    life: body.life,
    episode: 0,
    openedAtMs: nowOf(work),
    sinceAtMs: member.heardAtMs,
    resolvedAtMs: null,
    worsenedAtMs: null,
    sinceUnixMs: member.heartbeat === null ? body.heardUnixMs : Math.round(member.heardUnixMs),
    resolvedUnixMs: null,
    voters: [...new Set([signer, ...body.votes.map((vote) => vote.signer)])].sort(),
    observers: body.observers,
    because: '',
    outages,
  }
}

/** Opens the incident that this host has about itself, once it is due. */
export function openIsolationIncident(work: Work, dueAtMs: number): void {
  const { state } = work
  const { self, mesh } = state.options
  if (nowOf(work) < dueAtMs || openHostIncidentOf(work, self) !== null) return
  keepIncident(work, {
    id: hostIncidentId(mesh, self, state.life),
    aliases: [],
    host: self,
    check: PRESENCE,
    fault: 'isolated',
    severity: 'critical',
    state: 'firing',
    life: state.life,
    episode: 0,
    openedAtMs: nowOf(work),
    sinceAtMs: state.isolatedSinceMs ?? nowOf(work),
    resolvedAtMs: null,
    worsenedAtMs: null,
    sinceUnixMs: state.clock.unixMs - Math.round(nowOf(work) - (state.isolatedSinceMs ?? nowOf(work))),
    resolvedUnixMs: null,
    voters: [self],
    observers: 1,
    because: '',
    outages: 1,
  })
}

/** Gives the open incident of a host the id of a newer life. */
export function renameHostIncident(work: Work, host: HostId, life: Life): void {
  const open = openHostIncidentOf(work, host)
  const id = hostIncidentId(work.state.options.mesh, host, life)
  if (open === null || open.id === id) return
  drop(work, 'incidents', open.id)
  const aliases = [...new Set([...open.aliases, open.id])].filter((alias) => alias !== id).sort()
  keepIncident(work, { ...open, id, aliases, life })
}

/** Ends the open incident of a host that was heard with a new life. A flapping one goes on until it is steady. */
export function endHostIncident(work: Work, { host }: Pick<Member, 'host'>): void {
  const open = openHostIncidentOf(work, host)
  if (open === null || open.fault === 'flapping') return
  resolveIncident(work, open)
}

/** Ends an incident, as well or for another reason. */
export function resolveIncident(work: Work, incident: Incident, because: string = incident.because): void {
  keepIncident(work, {
    ...incident,
    because,
    state: 'resolved',
    resolvedAtMs: nowOf(work),
    resolvedUnixMs: Math.round(work.state.clock.unixMs),
  })
}
