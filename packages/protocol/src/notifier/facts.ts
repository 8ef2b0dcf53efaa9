/** What the merged notice log says of one duty. */
import type { HostId, IncidentId, RecipientId } from '../ids.ts'
import type { Incident } from '../incidents/incident.ts'
import { turns } from '../limits.ts'
import type { NoticeFact, State } from '../state.ts'
import type { Transition } from '../wire/records.ts'

/** The key of the notice log's index. */
export function factKey(incident: IncidentId, transition: Transition, recipient: RecipientId): string {
  return `${incident}|${transition}|${recipient}`
}

/** All facts of a duty, under each id that its incident has had. */
export function factsOf(
  state: State,
  incident: Pick<Incident, 'id' | 'aliases'>,
  transition: Transition,
  recipient: RecipientId,
): readonly NoticeFact[] {
  const own = state.facts.get(factKey(incident.id, transition, recipient)) ?? []
  if (incident.aliases.length === 0) return own
  return [...own, ...incident.aliases.flatMap((id) => state.facts.get(factKey(id, transition, recipient)) ?? [])]
}

/** One peer's attempt, as far as its facts tell. */
interface AttemptFacts {
  readonly peer: HostId
  readonly claimedAtMs: number
  readonly acceptedAtMs: number | null
  readonly stored: boolean
  readonly releasedAtMs: number | null
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

/** How a duty stands by the notice log. */
export interface Standing {
  /** Nobody has to do anything more. */
  readonly done: boolean
  /** Someone has a claim that is to be respected. */
  readonly claimedBy: HostId | null
  /** Who gave back or let expire a claim a short while ago. */
  readonly failed: ReadonlySet<HostId>
  /** When the last of them did; minus infinity when nobody has. */
  readonly failedAtMs: number
  /** When a claim that is respected now will have expired; plus infinity when there is none. */
  readonly claimEndsAtMs: number
}

/** Weighs the facts of a duty at `nowMs`. `isGone` tells which peers are known to be dead. */
export function standingOf(facts: readonly NoticeFact[], nowMs: number, isGone: (peer: HostId) => boolean): Standing {
  let done = false
  let claimedBy: HostId | null = null
  let failedAtMs = Number.NEGATIVE_INFINITY
  let claimEndsAtMs = Number.POSITIVE_INFINITY
  const failed = new Set<HostId>()
  for (const { peer, claimedAtMs, acceptedAtMs, stored, releasedAtMs } of attemptsOf(facts)) {
    const inherited = acceptedAtMs !== null && isGone(peer) && nowMs - acceptedAtMs < turns.inheritMs
    if (stored || (acceptedAtMs !== null && !inherited)) {
      done = true
      continue
    }
    const endedAtMs = releasedAtMs ?? (isGone(peer) ? claimedAtMs : claimedAtMs + turns.claimMs)
    if (nowMs < endedAtMs) {
      claimedBy = peer
      claimEndsAtMs = Math.min(claimEndsAtMs, endedAtMs)
    } else if (nowMs - endedAtMs < turns.failedMs) {
      failed.add(peer)
      failedAtMs = Math.max(failedAtMs, endedAtMs)
    }
  }
  return { done, claimedBy, failed, failedAtMs, claimEndsAtMs }
}

/** True when somebody has told it, or may have: only then is its end worth telling. */
export function mayHaveBeenTold(facts: readonly NoticeFact[]): boolean {
  return facts.length > 0
}
