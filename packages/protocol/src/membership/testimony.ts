/**
 * What others say of a host's silence: votes and verdicts as they arrive.
 *
 * A vote is counted, or refuted with newer evidence. A verdict whose votes suffice is adopted once our own evidence
 * agrees, or refuted. One that names this very host makes it begin a new epoch.
 */

import type { HostId } from '../ids.ts'
import { noticeFlapping } from '../incidents/flapping.ts'
import { renameHostIncident } from '../incidents/host-incidents.ts'
import { keepRecord, recordAgeMs } from '../records.ts'
import type { Member } from '../state.ts'
import { compareLives } from '../wire/names.ts'
import type { SignedAs } from '../wire/records.ts'
import { amendMember, holds, nowOf, report, sendTo, type Work } from '../work.ts'
import { noteOwnBeat, raiseEpoch, raiseIncarnation } from './epoch.ts'
import { hear, memberOf } from './hearing.ts'
import { beatSoon } from './heartbeats.ts'
import { isMineToWatch } from './observers.ts'
import { ageMs, classOf, deadlineMs, isHeard, isNewerBeat, roundMs } from './presence-class.ts'
import { isPresent } from './roster.ts'
import { declare, startProbe, suspicionOf } from './suspicion.ts'
import { isWitnessed, OFFERED_MAX, votersOf } from './witness.ts'

/** Probes that must fail before a verdict on a host that this one does not watch is believed. */
const PROBES_BEFORE_BELIEF = 2

/** Takes in the vote of another. `ageMs` is how long it was on its way. */
export function receiveVote(work: Work, vote: SignedAs<'vote'>, carriedMs: number): void {
  const { state } = work
  const { body, signer } = vote
  if (signer === state.options.self) return
  if (body.subject === state.options.self) {
    noteOwnBeat(work, body.evidence, signer)
    beatSoon(work)
    return
  }
  const evidence = body.evidence
  if (evidence !== null && evidence.signer === body.subject) {
    hear(work, evidence as SignedAs<'heartbeat'>, { from: signer, ageMs: body.ageMs + carriedMs, direct: false })
  }
  const member = memberOf(work, body.subject)
  if (member === null || !isPresent(member)) {
    answerWithVerdict(work, vote)
    return
  }
  const doubters = new Map(member.doubters).set(signer, nowOf(work))
  const mine = member.heartbeat
  const newer = mine !== null && isNewerBeat(mine.body, { life: body.life, beat: body.beat })
  if (newer && ageMs(state, member) <= deadlineMs(state, member)) {
    amendMember(work, member.host, { doubters })
    sendTo(work, signer, mine, Math.round(ageMs(state, member)))
    return
  }
  const suspicion = suspicionOf(member)
  amendMember(work, member.host, {
    doubters,
    suspicion: {
      ...suspicion,
      votes: new Map(suspicion.votes).set(signer, { record: vote, atMs: nowOf(work) }),
    },
  })
}

/** Whoever still votes on a host that we have declared silent has missed the verdict. */
function answerWithVerdict(work: Work, vote: SignedAs<'vote'>): void {
  const verdict = work.state.members.get(vote.body.subject)?.verdict
  if (verdict && !verdict.body.alone && compareLives(vote.body.life, verdict.body.life) <= 0) {
    sendTo(work, vote.signer, verdict, recordAgeMs(work.state, verdict))
  }
}

/** Takes in a verdict, by gossip, catch-up or as the answer to a heartbeat. */
export function receiveVerdict(work: Work, verdict: SignedAs<'verdict'>, carriedMs: number): void {
  const { state } = work
  const { body } = verdict
  // Our own may come back too, when our disk had lost it: kept, or the others would send it again and again.
  keepRecord(work, verdict, carriedMs)
  if (verdict.signer === state.options.self) return
  if (body.subject === state.options.self) {
    noteOwnBeat(work, body.evidence, verdict.signer)
    answerVerdict(work, verdict, carriedMs)
    return
  }
  const evidence = body.evidence
  if (evidence !== null && evidence.signer === body.subject) {
    hear(work, evidence as SignedAs<'heartbeat'>, {
      from: verdict.signer,
      ageMs: body.ageMs + carriedMs,
      direct: false,
    })
  }
  const member = memberOf(work, body.subject)
  if (member === null) return
  noticeFlapping(work, member.host)
  if (!isPresent(member)) {
    learnFromVerdict(work, member, verdict)
    return
  }
  if (body.alone || !isWitnessed(verdict)) return
  amendMember(work, member.host, { offered: [...member.offered, verdict].slice(-OFFERED_MAX) })
  weighOffers(work)
}

/** We have declared it too: a verdict on a newer life names the same trouble anew. */
function learnFromVerdict(work: Work, member: Member, verdict: SignedAs<'verdict'>): void {
  const named = member.verdict?.body.life ?? member.life
  if (compareLives(verdict.body.life, named) <= 0) return
  // The host is missing here anyway, and what is learnt is the name of its trouble: two voices suffice, or one on a life
  // that the host itself has shown to have had.
  const isOwnWord = compareLives(verdict.body.life, member.life) <= 0
  if (!isOwnWord && (verdict.body.alone || votersOf(verdict).size < 2)) return
  const life = compareLives(verdict.body.life, member.life) > 0 ? verdict.body.life : member.life
  amendMember(work, member.host, { life, verdict })
  renameHostIncident(work, member.host, verdict.body.life)
}

/** Adopts or refutes the verdicts that wait. Called on arrival and at every tick. */
export function weighOffers(work: Work): void {
  if (work.state.quiet !== null || work.state.isolated) return
  let offered: HostId[] | null = null
  for (const member of work.state.members.values()) {
    if (member.offered.length === 0) continue
    offered ??= []
    offered.push(member.host)
  }
  for (const host of offered ?? []) {
    // Looked up anew: the verdict before may have changed who watches whom.
    const member = work.state.members.get(host)
    if (member !== undefined && member.offered.length > 0) weigh(work, member)
  }
}

function weigh(work: Work, member: Member): void {
  const { state } = work
  const mine = member.heartbeat
  const heard = isHeard(state, member)
  const waiting: SignedAs<'verdict'>[] = []
  for (const verdict of member.offered) {
    const { body, signer } = verdict
    const newer = mine !== null && isNewerBeat(mine.body, { life: body.life, beat: body.beat })
    if (compareLives(body.life, member.life) < 0 || (newer && heard)) {
      if (mine !== null && heard) sendTo(work, signer, mine, Math.round(ageMs(state, member)))
    } else if (mayStillBeThere(work, member)) {
      waiting.push(verdict)
    } else {
      declare(work, member, verdict, 'adopted')
      return
    }
  }
  if (waiting.length !== member.offered.length) amendMember(work, member.host, { offered: waiting })
}

/**
 * Whether the member gave a sign within its deadline. Who watches it goes by heartbeats alone; who does not, and may just
 * have started with an old verdict in hand, by any frame, and asks before it believes.
 */
function mayStillBeThere(work: Work, member: Member): boolean {
  const { state } = work
  const R = roundMs(classOf(state, member))
  const { castAtMs, failures } = suspicionOf(member)
  if (isMineToWatch(state, member)) {
    // With a vote of our own out for a round, whoever hears the host has had the time to say so.
    return isHeard(state, member) || castAtMs === null || nowOf(work) - castAtMs < R
  }
  const signAtMs = Math.max(member.heardAtMs, member.frameAtMs)
  if (state.clock.awakeMs - signAtMs <= deadlineMs(state, member)) return true
  if (failures >= PROBES_BEFORE_BELIEF) return false
  startProbe(work, member, R)
  return true
}

/**
 * A verdict names this host's current life: that life has ended for others, so a new epoch begins. One that is older than
 * this start is on an earlier start under the same number, which a disk now restored has forgotten.
 */
function answerVerdict(work: Work, { body, signer }: SignedAs<'verdict'>, carriedMs: number): void {
  const { life, clock } = work.state
  if (compareLives(body.life, life) !== 0) return
  // Once: a life that this start has begun is in no older verdict, whatever age a peer says that it has.
  const isFirstLife = work.state.raises.count === 0
  if (isFirstLife && carriedMs > clock.elapsedMs && holds(work.state, 'persisted-incarnation')) {
    raiseIncarnation(work, life, signer)
    return
  }
  const phrase =
    body.fault === 'asleep'
      ? 'others took this host to be asleep, it answers again'
      : 'others had declared this host silent, it answers again'
  report(work, 'info', phrase, { by: signer })
  raiseEpoch(work)
}
