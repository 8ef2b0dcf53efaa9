/**
 * The notify policy, as a list of stages: what is due, whose turn it is, when, and what goes into one notice.
 */
import type { HostId, RecipientId } from '../ids.ts'
import { PRESENCE } from '../ids.ts'
import type { Incident } from '../incidents/incident.ts'
import { unsettledIncidents } from '../incidents/open-incidents.ts'
import { isAcknowledged, isQuietened, isTellable } from '../incidents/quieting.ts'
import { limits, turns } from '../limits.ts'
import { mayTell } from '../membership/quiet.ts'
import { isPresent } from '../membership/roster.ts'
import { recipientsOf } from '../recipients.ts'
import { verdictsOn } from '../sorted-records.ts'
import type { Duty, State } from '../state.ts'
import { compareLives } from '../wire/names.ts'
import type { Transition } from '../wire/records.ts'
import { drop, holds, nowOf, put, type Work } from '../work.ts'
import { claim } from './attempts.ts'
import { attemptsAt, dutyKey, factsOf, isDone, mayHaveBeenTold, type Standing, standingOf } from './facts.ts'
import { ranksFor } from './ranks.ts'

/** Brings the duties in line with the incidents, and claims those whose turn at this host has come. */
export function tellWhenDue(work: Work): void {
  const recipients = recipientsOf(work.state).map(({ id }) => id)
  refreshDuties(work, recipients)
  if (!mayTell(work.state) || nowOf(work) < work.state.wakuRestsUntilMs) return
  for (const recipient of recipients) {
    const ready = new Map<Transition, Duty[]>()
    for (const duty of work.state.duties.values()) {
      if (duty.recipient !== recipient || !isMyTurn(work.state, duty)) continue
      ready.set(duty.transition, [...(ready.get(duty.transition) ?? []), duty])
    }
    for (const [transition, duties] of ready) {
      claimTogether(work, transition, recipient, duties)
      // While Waku refuses, one notice at a time tries whether it works again.
      if (work.state.wakuRefusals > 0) return
    }
  }
}

/** Host incidents of one kind of news go into one notice; each check's goes into its own. */
function claimTogether(work: Work, transition: Transition, recipient: RecipientId, duties: readonly Duty[]): void {
  const incidents = duties.flatMap(({ incident }) => work.state.incidents.get(incident) ?? [])
  const ofHosts = incidents.filter(({ check }) => check === PRESENCE)
  for (let start = 0; start < ofHosts.length; start += limits.noticeIncidents) {
    claim(work, transition, recipient, ofHosts.slice(start, start + limits.noticeIncidents))
  }
  for (const incident of incidents) if (incident.check !== PRESENCE) claim(work, transition, recipient, [incident])
}

function refreshDuties(work: Work, recipients: readonly RecipientId[]): void {
  const current = new Set<string>()
  for (const incident of unsettledIncidents(work.state)) {
    // An end that falls into a silence is told after it, to whoever was told of the beginning.
    let isSettled = incident.state === 'resolved' && incident.fault !== 'isolated' && !isQuietened(work.state, incident)
    for (const recipient of recipients) {
      for (const transition of transitionsDue(work.state, incident, recipient)) {
        const key = dutyKey(incident.id, transition, recipient)
        isSettled = false
        current.add(key)
        if (!work.state.duties.has(key)) {
          const renamed = incident.aliases.map((alias) => work.state.duties.get(dutyKey(alias, transition, recipient)))
          const sinceMs = renamed.find((duty) => duty !== undefined)?.sinceMs ?? nowOf(work)
          put(work, 'duties', key, { incident: incident.id, transition, recipient, sinceMs })
        }
      }
    }
    if (isSettled && incident.aliases.length === 0) put(work, 'settled', incident.id, true)
  }
  for (const key of work.state.duties.keys()) if (!current.has(key)) drop(work, 'duties', key)
}

const NOTHING_DUE: readonly Transition[] = []

/** What there is to tell one recipient of one incident now, told or not. */
function transitionsDue(state: State, incident: Incident, recipient: RecipientId): readonly Transition[] {
  const isTold = (transition: Transition) => isDone(attemptsAt(state, incident, transition, recipient))
  if (incident.state === 'resolved') {
    const isKnown = mayHaveBeenTold(attemptsAt(state, incident, 'fired', recipient))
    const due = isKnown && !isOthersToEnd(state, incident) && !isTold('resolved')
    return due && !isQuietened(state, incident) ? ['resolved'] : NOTHING_DUE
  }
  if (!isTellable(state, incident)) return NOTHING_DUE
  if (!isTold('fired')) return ['fired']
  const transitions: Transition[] = []
  if (
    incident.worsenedAtMs !== null &&
    factsOf(state, incident, 'fired', recipient).every(
      ({ step, atMs }) => step !== 'claim' || atMs < (incident.worsenedAtMs ?? 0),
    )
  ) {
    if (!isTold('worse')) transitions.push('worse')
  }
  const reminders = Math.floor((state.clock.awakeMs - incident.openedAtMs) / state.options.remindMs)
  if (reminders >= 1 && !isAcknowledged(state, incident) && !isTold(`reminder-${reminders}`)) {
    transitions.push(`reminder-${reminders}`)
  }
  return transitions
}

/**
 * This host's own isolation, where others have declared it silent: the incident is theirs as well, and they tell its
 * end when they hear this host, or keep it open when it comes and goes.
 */
function isOthersToEnd(state: State, incident: Incident): boolean {
  if (incident.fault !== 'isolated') return false
  for (const { record } of verdictsOn(state, incident.host)) {
    if (incident.life !== null && compareLives(record.body.life, incident.life) === 0) return true
  }
  return state.clock.awakeMs - (incident.resolvedAtMs ?? 0) < limits.catchUpMs
}

/** A peer that was declared missing after it said something: its claim and its unconfirmed receipt are worth nothing. */
export function isGone(state: State, peer: HostId, saidAtMs: number): boolean {
  if (peer === state.options.self) return false
  const member = state.members.get(peer)
  return member === undefined || (!isPresent(member) && member.stateAtMs >= saidAtMs)
}

/**
 * Whose turn it is to claim a duty, as this host sees it. `mine`: this host's, now. `rank`: another's first, and this
 * host's when the ranks before it have had their time; `end-first`: the end of the trouble before is told first;
 * `passed-over`: this host failed at it lately; `unable`: never its.
 */
export type Turn =
  | { readonly kind: 'mine' | 'under-way' | 'catch-up' | 'held' | 'end-first' | 'done' | 'passed-over' | 'unable' }
  | { readonly kind: 'claimed'; readonly by: HostId }
  | { readonly kind: 'rank'; readonly ranks: readonly HostId[]; readonly inMs: number }

/** Whether this host is to claim the duty now. */
export function isMyTurn(state: State, duty: Duty): boolean {
  return turnOf(state, duty).kind === 'mine'
}

/** Whose turn it is. */
export function turnOf(state: State, duty: Duty): Turn {
  const incident = state.incidents.get(duty.incident)
  if (incident === undefined) return { kind: 'done' }
  if (isUnderWay(state, duty)) return { kind: 'under-way' }
  if (!holds(state, 'claim')) return { kind: 'mine' }
  const now = state.clock.awakeMs
  const waits = incident.fault === 'check' && state.catchUps.size > 0 && now - duty.sinceMs < limits.catchUpMs
  if (waits) return { kind: 'catch-up' }
  if (isHeld(state, duty, incident)) return { kind: 'held' }
  if (isEndFirst(state, duty, incident)) return { kind: 'end-first' }
  const attempts = attemptsAt(state, incident, duty.transition, duty.recipient)
  const standing = standingOf(attempts, now, (peer, saidAtMs) => isGone(state, peer, saidAtMs))
  if (standing.done) return { kind: 'done' }
  if (standing.claimedBy !== null) return { kind: 'claimed', by: standing.claimedBy }
  const all = ranksFor(state, incident)
  const ranks = all.filter((host) => !isPassedOver(state, standing, host))
  const rank = ranks.indexOf(state.options.self)
  if (rank < 0) return { kind: all.includes(state.options.self) ? 'passed-over' : 'unable' }
  const inMs = Math.max(duty.sinceMs, standing.failedAtMs) + rank * turns.waitMs - now
  return inMs <= 0 ? { kind: 'mine' } : { kind: 'rank', ranks, inMs }
}

/** Who failed at the duty lately is passed over, but this host not for failures from before its Waku worked again. */
function isPassedOver(state: State, { failed }: Standing, host: HostId): boolean {
  const failedAtMs = failed.get(host)
  if (failedAtMs === undefined) return false
  return host !== state.options.self || state.lastWakuAtMs === null || state.lastWakuAtMs <= failedAtMs
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

/**
 * At the end of a silence the end of one trouble and the beginning of the next fall due together. Told the other way
 * round they would read as if all were well; so the beginning waits a little, until somebody has told the end.
 */
function isEndFirst(state: State, { transition, recipient, sinceMs }: Duty, { host, check }: Incident): boolean {
  if (transition !== 'fired' || state.clock.awakeMs - sinceMs >= turns.holdMs) return false
  for (const other of state.duties.values()) {
    if (other.transition !== 'resolved' || other.recipient !== recipient) continue
    const ended = state.incidents.get(other.incident)
    if (ended?.host !== host || ended.check !== check) continue
    const isTaken = attemptsAt(state, ended, 'resolved', recipient).some(({ acceptedAtMs }) => acceptedAtMs !== null)
    if (!isTaken) return true
  }
  return false
}
