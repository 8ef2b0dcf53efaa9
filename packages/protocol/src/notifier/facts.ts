/** What the merged notice log says of one duty. */
import type { HostId, IncidentId, RecipientId } from '../ids.ts'
import type { Incident } from '../incidents/incident.ts'
import { turns } from '../limits.ts'
import type { NoticeFact, State } from '../state.ts'
import type { Transition } from '../wire/records.ts'

/** The name of a duty: one transition of one incident, for one recipient. */
export function dutyKey(incident: IncidentId, transition: Transition, recipient: RecipientId): string {
  return `${incident}|${transition}|${recipient}`
}

/** All facts of a duty, under each id that its incident has had. */
export function factsOf(
  state: Pick<State, 'facts'>,
  incident: Pick<Incident, 'id' | 'aliases'>,
  transition: Transition,
  recipient: RecipientId,
): readonly NoticeFact[] {
  const found: NoticeFact[] = []
  for (const id of [incident.id, ...incident.aliases]) {
    for (const fact of state.facts.get(id) ?? []) {
      if (fact.transition === transition && fact.recipient === recipient) found.push(fact)
    }
  }
  return found
}

/** One peer's attempt at a duty, as far as its facts tell. */
export interface AttemptFacts {
  readonly peer: HostId
  readonly claimedAtMs: number
  readonly acceptedAtMs: number | null
  readonly stored: boolean
  readonly releasedAtMs: number | null
}

/** Attempts by transition and recipient, of what is known under one incident id. A memo: it goes with its facts. */
const folded = new WeakMap<readonly NoticeFact[], Map<Transition, Map<RecipientId, readonly AttemptFacts[]>>>()
const NONE: readonly AttemptFacts[] = []

/** All attempts at a duty, under each id that its incident has had. */
export function attemptsAt(
  state: Pick<State, 'facts'>,
  incident: Pick<Incident, 'id' | 'aliases'>,
  transition: Transition,
  recipient: RecipientId,
): readonly AttemptFacts[] {
  if (incident.aliases.length > 0) return attemptsOf(factsOf(state, incident, transition, recipient))
  const facts = state.facts.get(incident.id)
  if (facts === undefined) return NONE
  const known = folded.get(facts)?.get(transition)?.get(recipient)
  if (known !== undefined) return known
  const byTransition = folded.get(facts) ?? new Map<Transition, Map<RecipientId, readonly AttemptFacts[]>>()
  folded.set(facts, byTransition)
  const byRecipient = byTransition.get(transition) ?? new Map<RecipientId, readonly AttemptFacts[]>()
  byTransition.set(transition, byRecipient)
  const attempts = attemptsOf(facts.filter((fact) => fact.transition === transition && fact.recipient === recipient))
  byRecipient.set(recipient, attempts)
  return attempts
}

/** Facts folded by attempt. */
export function attemptsOf(facts: readonly NoticeFact[]): readonly AttemptFacts[] {
  const byAttempt = new Map<string, AttemptFacts>()
  for (const { peer, attempt, step, atMs } of facts) {
    const key = `${peer}/${attempt}`
    const known = byAttempt.get(key) ?? {
      peer,
      claimedAtMs: atMs,
      acceptedAtMs: null,
      stored: false,
      releasedAtMs: null,
    }
    byAttempt.set(key, {
      ...known,
      acceptedAtMs: step === 'accepted' ? atMs : known.acceptedAtMs,
      stored: known.stored || step === 'stored' || step === 'delivered',
      releasedAtMs: step === 'release' ? atMs : known.releasedAtMs,
    })
  }
  return [...byAttempt.values()]
}

/** Whether nobody has to do anything more at a duty: it was stored or delivered, or told again as often as it may be. */
export function isDone(attempts: readonly AttemptFacts[]): boolean {
  let accepted = 0
  for (const { stored, acceptedAtMs } of attempts) {
    if (stored) return true
    if (acceptedAtMs !== null) accepted += 1
  }
  return accepted > turns.resends
}

/** How a duty stands by the notice log. */
export interface Standing {
  /** Nobody has to do anything more. */
  readonly done: boolean
  /** Someone has a claim that is to be respected. */
  readonly claimedBy: HostId | null
  /** Who gave back or let expire a claim a short while ago, and when. */
  readonly failed: ReadonlyMap<HostId, number>
  /** When the last of them did; minus infinity when nobody has. */
  readonly failedAtMs: number
}

/** Tells whether a peer was declared missing after it said something at `saidAtMs`: what it says later, a living one says. */
export type IsGone = (peer: HostId, saidAtMs: number) => boolean

/**
 * Weighs the attempts at a duty at `nowMs`.
 *
 * `stored` and `delivered` close it. `accepted` holds it for a while: then, or when its sender died unconfirmed, it is
 * told again, a few times at most. A claim holds it until it is released or has expired.
 */
export function standingOf(attempts: readonly AttemptFacts[], nowMs: number, isGone: IsGone): Standing {
  if (attempts.length === 0) return UNTOUCHED
  if (isDone(attempts)) return DONE
  let claimedBy: HostId | null = null
  let failedAtMs = Number.NEGATIVE_INFINITY
  const failures = new Map<HostId, { count: number; lastMs: number }>()
  for (const attempt of attempts) {
    const endMs = endOf(attempt, isGone)
    if (nowMs < endMs) {
      claimedBy = attempt.peer
      continue
    }
    const { count, lastMs } = failures.get(attempt.peer) ?? { count: 0, lastMs: endMs }
    failures.set(attempt.peer, { count: count + 1, lastMs: Math.max(lastMs, endMs) })
    failedAtMs = Math.max(failedAtMs, endMs)
  }
  const failed = new Map<HostId, number>()
  for (const [peer, { count, lastMs }] of failures) {
    if (nowMs - lastMs < Math.min(turns.failedMostMs, turns.failedMs * 2 ** (count - 1))) failed.set(peer, lastMs)
  }
  return { done: false, claimedBy, failed, failedAtMs }
}

const UNTOUCHED: Standing = {
  done: false,
  claimedBy: null,
  failed: new Map(),
  failedAtMs: Number.NEGATIVE_INFINITY,
}
const DONE: Standing = { done: true, claimedBy: null, failed: new Map(), failedAtMs: Number.NEGATIVE_INFINITY }

/** Until when an attempt holds its duty: what its peer said is worth less when the peer was declared missing after it. */
function endOf({ peer, claimedAtMs, acceptedAtMs, releasedAtMs }: AttemptFacts, isGone: IsGone): number {
  if (acceptedAtMs !== null) return isGone(peer, acceptedAtMs) ? acceptedAtMs : acceptedAtMs + turns.resendMs
  if (releasedAtMs !== null) return releasedAtMs
  return isGone(peer, claimedAtMs) ? claimedAtMs : claimedAtMs + turns.claimMs
}

/**
 * True when somebody has told it, or has tried: only then is its end worth telling.
 *
 * A try that was given back counts as well: where no Waku worked for the whole outage, the user hears afterwards, once,
 * that the host was away.
 */
export function mayHaveBeenTold(attempts: readonly AttemptFacts[]): boolean {
  return attempts.length > 0
}
