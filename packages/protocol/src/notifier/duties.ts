/**
 * The notify policy, as a list of stages: what is due, whose turn it is, when, and what goes into one notice.
 */
import type { HostId, RecipientId } from '../ids.ts'
import { PRESENCE } from '../ids.ts'
import type { Incident } from '../incidents/incident.ts'
import { isAcknowledged, isTellable } from '../incidents/quieting.ts'
import { limits, turns } from '../limits.ts'
import { mayTell } from '../membership/quiet.ts'
import { isPresent } from '../membership/roster.ts'
import { recipientsOf } from '../recipients.ts'
import type { Duty, State } from '../state.ts'
import type { Transition } from '../wire/records.ts'
import { drop, holds, nowOf, put, type Work } from '../work.ts'
import { claim } from './attempts.ts'
import { factKey, factsOf, mayHaveBeenTold, standingOf } from './facts.ts'
import { ranksFor } from './ranks.ts'

/** Brings the duties in line with the incidents, and claims those whose turn at this host has come. */
export function tellWhenDue(work: Work): void {
  const recipients = recipientsOf(work.state).map(({ id }) => id)
  refreshDuties(work, recipients)
  if (!mayTell(work.state)) return
  for (const recipient of recipients) {
    const ready = new Map<Transition, Duty[]>()
    for (const duty of work.state.duties.values()) {
      if (duty.recipient !== recipient || !isMyTurn(work.state, duty)) continue
      ready.set(duty.transition, [...(ready.get(duty.transition) ?? []), duty])
    }
    for (const [transition, duties] of ready) claimTogether(work, transition, recipient, duties)
  }
}

/** Host incidents of one kind of news go into one notice; each check's goes into its own. */
function claimTogether(work: Work, transition: Transition, recipient: RecipientId, duties: readonly Duty[]): void {
  const incidents = duties.flatMap(({ incident }) => work.state.incidents.get(incident) ?? [])
  const ofHosts = incidents.filter(({ check }) => check === PRESENCE)
  if (ofHosts.length > 0) claim(work, transition, recipient, ofHosts)
  for (const incident of incidents) if (incident.check !== PRESENCE) claim(work, transition, recipient, [incident])
}

function refreshDuties(work: Work, recipients: readonly RecipientId[]): void {
  const current = new Set<string>()
  for (const incident of work.state.incidents.values()) {
    for (const recipient of recipients) {
      for (const transition of transitionsDue(work.state, incident, recipient)) {
        const key = factKey(incident.id, transition, recipient)
        current.add(key)
        if (!work.state.duties.has(key)) {
          const renamed = incident.aliases.map((alias) => work.state.duties.get(factKey(alias, transition, recipient)))
          const sinceMs = renamed.find((duty) => duty !== undefined)?.sinceMs ?? nowOf(work)
          put(work, 'duties', key, { incident: incident.id, transition, recipient, sinceMs })
        }
      }
    }
  }
  for (const key of work.state.duties.keys()) if (!current.has(key)) drop(work, 'duties', key)
}

/** What there is to tell one recipient of one incident now, told or not. */
function transitionsDue(state: State, incident: Incident, recipient: RecipientId): readonly Transition[] {
  const fired = factsOf(state, incident, 'fired', recipient)
  const transitions: Transition[] = []
  const standing = (transition: Transition) =>
    standingOf(factsOf(state, incident, transition, recipient), state.clock.awakeMs, (peer, saidAtMs) =>
      isGone(state, peer, saidAtMs),
    )
  if (incident.state === 'resolved') {
    if (mayHaveBeenTold(fired) && !standing('resolved').done) transitions.push('resolved')
    return transitions
  }
  if (!isTellable(state, incident)) return transitions
  if (!standing('fired').done) return ['fired']
  if (
    incident.worsenedAtMs !== null &&
    fired.every(({ step, atMs }) => step !== 'claim' || atMs < (incident.worsenedAtMs ?? 0))
  ) {
    if (!standing('worse').done) transitions.push('worse')
  }
  const reminders = Math.floor((state.clock.awakeMs - incident.openedAtMs) / state.options.remindMs)
  if (reminders >= 1 && !isAcknowledged(state, incident) && !standing(`reminder-${reminders}`).done) {
    transitions.push(`reminder-${reminders}`)
  }
  return transitions
}

/** A peer that was declared missing after it said something: its claim and its unconfirmed receipt are worth nothing. */
export function isGone(state: State, peer: HostId, saidAtMs: number): boolean {
  if (peer === state.options.self) return false
  const member = state.members.get(peer)
  return member === undefined || (!isPresent(member) && member.stateAtMs >= saidAtMs)
}

/** Whether this host is to claim the duty now. */
export function isMyTurn(state: State, duty: Duty): boolean {
  const incident = state.incidents.get(duty.incident)
  if (incident === undefined || isUnderWay(state, duty)) return false
  if (!holds(state, 'claim')) return true
  const now = state.clock.awakeMs
  if (incident.fault === 'check' && state.catchUps.size > 0 && now - duty.sinceMs < limits.catchUpMs) return false
  if (isHeld(state, duty, incident)) return false
  const facts = factsOf(state, incident, duty.transition, duty.recipient)
  const standing = standingOf(facts, now, (peer, saidAtMs) => isGone(state, peer, saidAtMs))
  if (standing.done || standing.claimedBy !== null) return false
  const ranks = ranksFor(state, incident).filter((host) => !standing.failed.has(host))
  const rank = ranks.indexOf(state.options.self)
  return rank >= 0 && now >= Math.max(duty.sinceMs, standing.failedAtMs) + rank * turns.waitMs
}

function isUnderWay(state: State, { incident, transition, recipient }: Duty): boolean {
  for (const attempt of state.attempts.values()) {
    if (attempt.transition === transition && attempt.recipient === recipient && attempt.incidents.includes(incident)) {
      return true
    }
  }
  return false
}

/** Another death may join the notice: it waits a little, but only while another member is suspect. */
function isHeld(state: State, duty: Duty, incident: Incident): boolean {
  if (incident.check !== PRESENCE || duty.transition !== 'fired') return false
  if (state.clock.awakeMs - duty.sinceMs >= turns.holdMs) return false
  for (const member of state.members.values()) {
    if (
      member.host !== incident.host &&
      isPresent(member) &&
      member.suspicion !== null &&
      member.suspicion.failures > 0
    ) {
      return true
    }
  }
  return false
}
