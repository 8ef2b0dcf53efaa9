/**
 * From doubt to verdict.
 *
 * Near its deadline a silent host is probed; with a failed probe we vote; with enough votes of those who watch it,
 * past the deadline and unrefuted for one round, we conclude. A lone watcher waits one period longer and says so.
 */
import type { HostId } from '../ids.ts'
import { openHostIncident } from '../incidents/host-incidents.ts'
import { outagesOf } from '../incidents/outages.ts'
import { limits } from '../limits.ts'
import { keepRecord } from '../records.ts'
import type { Member, State, Suspicion } from '../state.ts'
import { compareLives } from '../wire/names.ts'
import type { AbsenceFault, SignedAs } from '../wire/records.ts'
import { amendMember, chance, holds, nowOf, ownRecord, report, sendTo, type Work } from '../work.ts'
import { balanceOf } from './balance.ts'
import { isMineToWatch, observersOf, votersOn } from './observers.ts'
import { ageMs, classOf, deadlineMs, roundMs } from './presence-class.ts'
import { isPresent } from './roster.ts'

const NO_SUSPICION: Suspicion = {
  probe: null,
  nextProbeAtMs: Number.NEGATIVE_INFINITY,
  failures: 0,
  round: 0,
  castAtMs: null,
  votes: new Map(),
}

/** The member's suspicion, or an empty one. */
export function suspicionOf(member: Member): Suspicion {
  return member.suspicion ?? NO_SUSPICION
}

/** Looks at every member that this host watches: probes, votes and concludes as its age demands. */
export function watchMembers(work: Work): void {
  if (work.state.quiet !== null || !isAnyoneLate(work.state)) return
  for (const { host } of [...work.state.members.values()]) {
    const member = work.state.members.get(host)
    if (member !== undefined && isPresent(member) && isMineToWatch(work.state, member)) watch(work, member)
  }
}

/** The usual case first: nobody is near a deadline, and there is nobody to be looked at. */
function isAnyoneLate(state: State): boolean {
  for (const member of state.members.values()) if (isPresent(member) && isNearDeadline(state, member)) return true
  return false
}

function isNearDeadline(state: State, member: Member): boolean {
  return ageMs(state, member) >= deadlineMs(state, member) - 2 * roundMs(classOf(state, member))
}

function watch(work: Work, member: Member): void {
  const { state } = work
  if (!isNearDeadline(state, member)) return
  const R = roundMs(classOf(state, member))
  const failed = endLateProbe(work, member, R)
  const probing = startProbe(work, failed, R)
  if (!state.isolated) conclude(work, probing)
}

/** A probe that has not been answered within its round has failed. A later answer still counts as hearing. */
function endLateProbe(work: Work, member: Member, R: number): Member {
  const suspicion = suspicionOf(member)
  if (suspicion.probe === null || nowOf(work) < suspicion.probe.sentAtMs + R) return member
  return failProbe(work, member)
}

/** A probe has failed: near enough to the deadline, that is a vote. */
export function failProbe(work: Work, member: Member): Member {
  const suspicion = suspicionOf(member)
  const failed = amendMember(work, member.host, {
    suspicion: { ...suspicion, probe: null, failures: suspicion.failures + 1 },
  })
  const R = roundMs(classOf(work.state, failed))
  const near = ageMs(work.state, failed) >= deadlineMs(work.state, failed) - R
  const silenced = work.state.isolated || work.state.quiet !== null || !isPresent(failed)
  if (!near || silenced || !isMineToWatch(work.state, failed) || !holds(work.state, 'corroboration')) return failed
  return castVote(work, failed)
}

/** Asks the member for a fresh heartbeat, unless it is being asked or was a round ago. */
export function startProbe(work: Work, member: Member, R: number): Member {
  const { state } = work
  const suspicion = suspicionOf(member)
  const now = nowOf(work)
  if (suspicion.probe !== null || now < suspicion.nextProbeAtMs) return member
  const nonce = `${state.options.self.slice(-8)}-${state.life.incarnation}-${Math.floor(chance(work) * 2 ** 32).toString(16)}`
  const relays = observersOf(state, member.host).filter(
    (host) => host !== state.options.self && state.connected.has(host),
  )
  const start = Math.floor(chance(work) * Math.max(1, relays.length))
  const chosen = [...relays.slice(start), ...relays.slice(0, start)].slice(0, limits.probeRelays)
  const relaying = holds(state, 'corroboration') ? chosen : []
  work.effects.push({ kind: 'probe', target: member.host, nonce, relays: relaying, timeoutMs: R })
  return amendMember(work, member.host, {
    suspicion: { ...suspicion, probe: { nonce, sentAtMs: now }, nextProbeAtMs: now + R },
  })
}

function castVote(work: Work, member: Member): Member {
  const { state } = work
  const suspicion = suspicionOf(member)
  const now = nowOf(work)
  const round = suspicion.round + 1
  if (suspicion.castAtMs === null) report(work, 'info', 'host is late, asking the others', { host: member.host })
  const record = ownRecord(state, 'vote', {
    subject: member.host,
    life: member.life,
    beat: member.heartbeat?.body.beat ?? 0,
    ageMs: Math.round(ageMs(state, member)),
    round,
    // Every other vote: whoever missed it is told with the next, and a verdict carries few of them.
    evidence: round % 2 === 1 ? member.heartbeat : null,
  })
  work.effects.push({ kind: 'gossip', record })
  // Straight to the other voters too: gossip between two hosts may need seconds to flow after they have connected.
  for (const voter of votersOn(state, member)) if (state.connected.has(voter)) sendTo(work, voter, record, 0)
  return amendMember(work, member.host, {
    state: 'suspect',
    stateAtMs: member.state === 'suspect' ? member.stateAtMs : now,
    suspicion: {
      ...suspicion,
      round,
      castAtMs: suspicion.castAtMs ?? now,
    },
  })
}

function conclude(work: Work, member: Member): void {
  const { state } = work
  if (!holds(state, 'corroboration')) {
    const isLate = ageMs(state, member) > deadlineMs(state, member)
    if (isLate && suspicionOf(member).failures > 0) pronounce(work, member, 'alone', [], 1)
    return
  }
  const { verdict, votes, voters } = balanceOf(state, member)
  if (verdict === null) return
  pronounce(work, member, verdict, votes.slice(0, limits.votesNeeded), Math.max(votes.length + 1, voters.length))
}

/** Makes the verdict known and stands by it. */
function pronounce(
  work: Work,
  member: Member,
  how: 'votes' | 'alone',
  votes: readonly SignedAs<'vote'>[],
  observers: number,
): void {
  const { state } = work
  const record = ownRecord(state, 'verdict', {
    subject: member.host,
    life: member.life,
    beat: member.heartbeat?.body.beat ?? 0,
    ageMs: Math.round(ageMs(state, member)),
    fault: faultOf(member),
    observers,
    votes,
    alone: how === 'alone',
    evidence: member.heartbeat,
    heardUnixMs: Math.round(member.heardUnixMs),
    outages: outagesOf(work.state, member.host, member.life),
  })
  keepRecord(work, record, 0)
  work.effects.push({ kind: 'gossip', record })
  declare(work, member, record, how)
}

/** Puts a verdict into force at this host, be it its own or an adopted one. */
export function declare(
  work: Work,
  member: Member,
  verdict: SignedAs<'verdict'>,
  how: 'votes' | 'alone' | 'adopted',
): void {
  const { body } = verdict
  const now = nowOf(work)
  const watched = new Set(
    [...work.state.members.values()].filter((other) => isMineToWatch(work.state, other)).map((other) => other.host),
  )
  const declared = amendMember(work, member.host, {
    state: body.fault === 'asleep' ? 'asleep' : 'silent',
    stateAtMs: now,
    life: compareLives(body.life, member.life) > 0 ? body.life : member.life,
    suspicion: null,
    verdict,
    offered: [],
  })
  work.effects.push({
    kind: 'concluded',
    subject: member.host,
    life: body.life,
    beat: body.beat,
    ageMs: body.ageMs,
    how,
  })
  openHostIncident(work, declared, verdict)
  enterForSilent(work, watched)
}

/** Those that this host now has to watch in place of the silent one: their clocks start one period back. */
function enterForSilent(work: Work, watchedBefore: ReadonlySet<HostId>): void {
  if (work.state.members.size < limits.observeAllUpTo) return
  for (const other of [...work.state.members.values()]) {
    if (watchedBefore.has(other.host) || !isPresent(other) || !isMineToWatch(work.state, other)) continue
    const { everyMs } = classOf(work.state, other)
    amendMember(work, other.host, { heardAtMs: nowOf(work) - everyMs, suspicion: null })
  }
}

function faultOf(member: Member): AbsenceFault {
  const beat = member.heartbeat?.body
  if (beat?.mode === 'stopping') return 'stopped'
  return (beat?.sleeps ?? member.profile?.sleeps ?? false) ? 'asleep' : 'silent'
}
