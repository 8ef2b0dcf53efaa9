/** One host's attempts at its duties: claim, hand over, give back. Each step is a line in the merged notice log. */
import type { Event } from '../event.ts'
import type { RecipientId } from '../ids.ts'
import type { Incident } from '../incidents/incident.ts'
import { isQuietened, isTellable } from '../incidents/quieting.ts'
import { turns } from '../limits.ts'
import { recipientsOf } from '../recipients.ts'
import { keepRecord } from '../records.ts'
import type { Attempt, HeardAnswer, State } from '../state.ts'
import type { NoticeRecord, SignedAs, Transition } from '../wire/records.ts'
import { amendAttempt, drop, nowOf, ownRecord, put, report, type Work } from '../work.ts'
import { composeNotice } from './compose.ts'
import { attemptsOf, dutyKey, factsOf } from './facts.ts'
import { ranksFor } from './ranks.ts'

/** Aliases of one incident that a record names: one outage is rarely known under more than two. */
const ALIASES_TOLD = 7

/** Takes a duty, or several of one kind that go into one notice. */
export function claim(
  work: Work,
  transition: Transition,
  recipient: RecipientId,
  incidents: readonly Incident[],
): void {
  const { state } = work
  const attempt: Attempt = {
    attempt: state.nextAttempt,
    transition,
    recipient,
    incidents: incidents.flatMap(({ id, aliases }) => [id, ...aliases.slice(-ALIASES_TOLD)]),
    claimedAtMs: nowOf(work),
    departed: false,
  }
  state.nextAttempt += 1
  put(work, 'attempts', attempt.attempt, attempt)
  note(work, attempt, 'claim')
  work.effects.push({
    kind: 'send-notice',
    attempt: attempt.attempt,
    recipient,
    notice: composeNotice(state, transition, incidents),
    timeoutMs: turns.sendMs,
  })
}

/** The last look before a notice leaves: is it still true, still ours, and in time? */
export function depart(work: Work, { attempt: id }: Extract<Event, { kind: 'departing' }>): void {
  const attempt = work.state.attempts.get(id)
  if (attempt === undefined) {
    work.effects.push({ kind: 'abandon', attempt: id })
    return
  }
  const late = nowOf(work) - attempt.claimedAtMs > turns.departMs
  if (late || !isStillDue(work.state, attempt)) {
    giveBack(work, attempt)
    return
  }
  amendAttempt(work, id, { departed: true })
  work.effects.push({ kind: 'depart', attempt: id })
}

/** How an attempt ended, or how far its notice has got since. */
export function noteOutcome(work: Work, { attempt: id, outcome }: Extract<Event, { kind: 'sent' }>): void {
  const attempt = work.state.attempts.get(id)
  if (attempt === undefined) return
  if (outcome !== 'refused') {
    if (!isSaid(work.state, attempt)) {
      const incident = attempt.incidents[0] ?? ''
      report(work, 'info', 'notice sent', { transition: attempt.transition, incident })
    }
    noteWakuWorks(work)
    note(work, attempt, outcome)
    if (outcome === 'stored') drop(work, 'attempts', id)
    return
  }
  // Said once until it works again: it is tried for as long as it takes.
  if (work.state.wakuRefusals === 0) {
    report(work, 'warn', 'nobody on Waku took the notice', { transition: attempt.transition })
  }
  noteWakuRefused(work)
  note(work, attempt, 'release')
  drop(work, 'attempts', id)
}

/** Another node or a device has accepted something of this host: its road works. */
export function noteWakuWorks(work: Work): void {
  work.state.lastWakuAtMs = nowOf(work)
  work.state.wakuRefusals = 0
  work.state.wakuRestsUntilMs = 0
}

/** Where no Waku works, claiming again and again would only fill the log of all. */
function noteWakuRefused(work: Work): void {
  const restMs = Math.min(turns.wakuRestMostMs, turns.wakuRestMs * 2 ** Math.min(work.state.wakuRefusals, 10))
  work.state.wakuRefusals += 1
  work.state.wakuRestsUntilMs = nowOf(work) + restMs
}

/**
 * The recipient's own answer was heard. All hosts hear it, and one line in the log is enough: who sent the notice writes
 * it at once, the others only when nobody has after a while.
 */
export function noteDelivered(work: Work, event: Extract<Event, { kind: 'delivered' }>): void {
  const { incidents, transition, recipient } = event
  const [first] = incidents
  if (first === undefined || isKnownDelivered(work.state, event)) return
  const facts = factsOf(work.state, { id: first, aliases: [] }, transition, recipient)
  const isMine = facts.some(({ peer }) => peer === work.state.options.self)
  if (isMine) writeDelivered(work, event)
  else put(work, 'answers', dutyKey(first, transition, recipient), { ...event, heardAtMs: nowOf(work) })
}

/** Writes down the answers that whoever sent the notice has not written down in time. */
export function noteAnswersWhenDue(work: Work): void {
  for (const [key, answer] of work.state.answers) {
    if (nowOf(work) - answer.heardAtMs < turns.answerMs) continue
    drop(work, 'answers', key)
    if (!isKnownDelivered(work.state, answer)) writeDelivered(work, answer)
  }
}

function isKnownDelivered(state: State, { incidents, transition, recipient }: HeardAnswer): boolean {
  return incidents.some((id) =>
    factsOf(state, { id, aliases: [] }, transition, recipient).some(({ step }) => step === 'delivered'),
  )
}

function writeDelivered(work: Work, { incidents, transition, recipient }: HeardAnswer): void {
  publishNotice(work, { step: 'delivered', incidents, transition, recipient, attempt: 0 })
}

/** Yields to a lower rank that has claimed the same duty, unless our notice is already under way. */
export function yieldTo(work: Work, record: SignedAs<'notice'>): void {
  const { body, signer } = record
  if (body.step !== 'claim' || signer === work.state.options.self) return
  for (const attempt of work.state.attempts.values()) {
    const same = attempt.transition === body.transition && attempt.recipient === body.recipient
    if (!same || attempt.departed || !attempt.incidents.some((id) => body.incidents.includes(id))) continue
    const incident = incidentOf(work.state, attempt)
    if (incident === null) continue
    const ranks = ranksFor(work.state, incident)
    const theirs = ranks.indexOf(signer)
    if (theirs >= 0 && theirs < ranks.indexOf(work.state.options.self)) giveBack(work, attempt)
  }
}

/** Ends attempts that were claimed and have come to nothing, or that are known to have been told meanwhile. */
export function endOldAttempts(work: Work): void {
  for (const attempt of work.state.attempts.values()) {
    const ageMs = nowOf(work) - attempt.claimedAtMs
    if (isWrittenDown(work.state, attempt)) {
      // Word that it was stored may still come, until it is told again.
      if (ageMs > turns.resendMs) drop(work, 'attempts', attempt.attempt)
    } else if (ageMs > turns.giveUpMs) giveBack(work, attempt)
  }
}

/** After a gap: claims not yet under way are void. */
export function giveBackClaims(work: Work): void {
  for (const attempt of work.state.attempts.values()) if (!attempt.departed) giveBack(work, attempt)
}

function giveBack(work: Work, attempt: Attempt): void {
  note(work, attempt, 'release')
  drop(work, 'attempts', attempt.attempt)
  work.effects.push({ kind: 'abandon', attempt: attempt.attempt })
}

function isStillDue(state: State, attempt: Attempt): boolean {
  const incident = incidentOf(state, attempt)
  const isRecipient = recipientsOf(state).some(({ id }) => id === attempt.recipient)
  if (incident === null || !isRecipient) return false
  if (attempt.transition === 'resolved') return incident.state === 'resolved' && !isQuietened(state, incident)
  if (incident.state === 'resolved' || !isTellable(state, incident)) return false
  return !attemptsOf(factsOf(state, incident, attempt.transition, attempt.recipient)).some(
    ({ peer, stored, acceptedAtMs }) => peer !== state.options.self && (stored || acceptedAtMs !== null),
  )
}

/** Whether word has come before that this attempt was taken. The device's own answer may overtake Waku's. */
function isSaid(state: State, { incidents, transition, recipient, attempt: id }: Attempt): boolean {
  const facts = incidents.flatMap((incident) => factsOf(state, { id: incident, aliases: [] }, transition, recipient))
  return facts.some(
    ({ peer, attempt, step }) =>
      peer === state.options.self && attempt === id && (step === 'accepted' || step === 'stored'),
  )
}

function isWrittenDown(state: State, attempt: Attempt): boolean {
  const incident = incidentOf(state, attempt)
  if (incident === null) return true
  return attemptsOf(factsOf(state, incident, attempt.transition, attempt.recipient)).some(
    ({ peer, acceptedAtMs, stored }) => peer === state.options.self && (stored || acceptedAtMs !== null),
  )
}

/** The first of the attempt's incidents, under whatever id it has now. */
function incidentOf(state: State, attempt: Attempt): Incident | null {
  for (const incident of state.incidents.values()) {
    if (attempt.incidents.includes(incident.id)) return incident
  }
  for (const incident of state.incidents.values()) {
    if (incident.aliases.some((alias) => attempt.incidents.includes(alias))) return incident
  }
  return null
}

function note(work: Work, { incidents, transition, recipient, attempt }: Attempt, step: NoticeRecord['step']): void {
  publishNotice(work, { step, incidents, transition, recipient, attempt })
}

function publishNotice(work: Work, body: NoticeRecord): void {
  const record = ownRecord(work.state, 'notice', body)
  if (keepRecord(work, record, 0)) work.effects.push({ kind: 'gossip', record })
}
