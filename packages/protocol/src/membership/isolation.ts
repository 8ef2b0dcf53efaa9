/**
 * "I hear nobody": the fault is then more likely here than everywhere else.
 *
 * In a mesh of more than two, a host that hears no other member within its deadline (or has no route) casts no vote and
 * accepts no verdict. After one more period and two probe rounds it opens an incident about itself.
 */

import { startRound } from '../catch-up.ts'
import { endHostIncident, openHostIncidentOf, openIsolationIncident } from '../incidents/host-incidents.ts'
import { isInMaintenance } from '../incidents/quieting.ts'
import { amendMember, holds, nowOf, report, type Work } from '../work.ts'
import { raiseEpoch } from './epoch.ts'
import { meshSize } from './observers.ts'
import { classOf, deadlineMs, roundMs } from './presence-class.ts'
import { counts } from './roster.ts'

/** Enters or ends isolation, by what has been heard until now. */
export function judgeIsolation(work: Work): void {
  const { state } = work
  if (!holds(state, 'isolation')) return
  const hearsNobody = meshSize(state) > 2 && (!state.routeUp || !hearsAnyone(work))
  if (hearsNobody && !state.isolated) enterIsolation(work)
  else if (!hearsNobody && state.isolated) endIsolation(work)
  if (state.isolated && missesAnyone(work)) openIsolationIncident(work, isolationDueAtMs(work))
}

function hearsAnyone(work: Work): boolean {
  for (const member of work.state.members.values()) {
    if (counts(member) && nowOf(work) - member.frameAtMs <= deadlineMs(work.state, member)) return true
  }
  return false
}

/** Whether anybody is missed: those who may sleep and those in maintenance are not. */
function missesAnyone({ state }: Work): boolean {
  for (const member of state.members.values()) {
    const sleeps = member.heartbeat?.body.sleeps ?? member.profile?.sleeps ?? false
    if (counts(member) && !sleeps && !isInMaintenance(state, member.host)) return true
  }
  return false
}

/** When this host may say of itself that it is isolated. */
export function isolationDueAtMs(work: Work): number {
  const { everyMs, graceMs } = work.state.options.presence
  return (work.state.isolatedSinceMs ?? nowOf(work)) + everyMs + 2 * roundMs({ graceMs })
}

function enterIsolation(work: Work): void {
  work.state.isolated = true
  work.state.isolatedSinceMs = nowOf(work)
  report(work, 'warn', 'this host hears nobody', { members: work.state.members.size })
  for (const member of [...work.state.members.values()]) {
    if (member.suspicion === null) continue
    amendMember(work, member.host, { suspicion: null, state: member.state === 'suspect' ? 'alive' : member.state })
  }
}

/** Heard again: whom else it has not heard yet, it does not blame for its own absence, so every watch starts anew. */
function endIsolation(work: Work): void {
  const { state } = work
  state.isolated = false
  state.isolatedSinceMs = null
  report(work, 'info', 'this host hears others again', {})
  restartWatch(work)
  if (openHostIncidentOf(work, state.options.self) !== null) {
    endHostIncident(work, { host: state.options.self })
    // The incident bears this life's name: the next isolation needs a name of its own.
    raiseEpoch(work)
  }
  startRound(work)
}

/** Forgets every doubt and starts every watch at this moment. */
export function restartWatch(work: Work): void {
  const now = nowOf(work)
  for (const member of [...work.state.members.values()]) {
    const { everyMs } = classOf(work.state, member)
    amendMember(work, member.host, {
      heardAtMs: Math.max(member.heardAtMs, now),
      frameAtMs: Math.max(member.frameAtMs, now - everyMs),
      suspicion: null,
      state: member.state === 'suspect' ? 'alive' : member.state,
    })
  }
}
