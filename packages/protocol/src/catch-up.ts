/**
 * Catch-up: pulling what one lacks. Gossip is not history; this is.
 *
 * A host sends a digest (the newest entry of each log, the ids of its records) and is answered with the rest. It does so
 * on connecting, after healing, when a heartbeat shows a difference, and every 30 seconds.
 */
import type { Carried } from './effect.ts'
import type { Digest, Event } from './event.ts'
import type { HostId } from './ids.ts'
import { limits } from './limits.ts'
import { ageMs, isHeard } from './membership/presence-class.ts'
import { isPresent } from './membership/roster.ts'
import { idsOf, verdictsBySubject } from './sorted-records.ts'
import type { State } from './state.ts'
import type { LogHead } from './wire/records.ts'
import { chance, drop, holds, nowOf, put, type Work } from './work.ts'

/** What this host holds. */
export function digestOf(state: State): Digest {
  return {
    heads: Object.fromEntries(state.heads),
    records: holds(state, 'merged-log') ? idsOf(state) : idsToTell(state),
  }
}

function idsToTell({ records }: State): readonly string[] {
  return [...records].flatMap(([id, { record }]) => (record.domain === 'notice' ? [] : [id]))
}

/** The ids of a digest, to look into. A memo: a peer that asks again has mostly the same. */
const idSets = new WeakMap<readonly string[], ReadonlySet<string>>()

/** Starts a catch-up with a peer, unless one is under way or has just ended. True when it started. */
export function startCatchUp(work: Work, peer: HostId, pauseMs: number = limits.catchUpPauseMs): boolean {
  const { state } = work
  if (!state.connected.has(peer) || state.catchUps.has(peer)) return false
  if (state.catchUps.size >= limits.catchUpsAtOnce) return false
  const last = state.caughtUpAtMs.get(peer)
  if (last !== undefined && nowOf(work) - last < pauseMs) return false
  put(work, 'catchUps', peer, nowOf(work))
  put(work, 'caughtUpAtMs', peer, nowOf(work))
  work.effects.push({ kind: 'catch-up', peer, digest: digestOf(state) })
  return true
}

/** One round: with a few connected peers, at once. True when at least one could be started or is under way. */
export function startRound(work: Work): boolean {
  for (const peer of pickPeers(work, limits.roundPeers)) startCatchUp(work, peer, 0)
  return work.state.catchUps.size > 0
}

/** The regular round, and the end of catch-ups that hang. */
export function catchUpWhenDue(work: Work): void {
  const now = nowOf(work)
  for (const [peer, startedAtMs] of work.state.catchUps) {
    if (now - startedAtMs >= limits.catchUpMs) drop(work, 'catchUps', peer)
  }
  if (now < work.state.nextRoundAtMs) return
  work.state.nextRoundAtMs = now + limits.catchUpEveryMs
  for (const peer of pickPeers(work, 1)) startCatchUp(work, peer)
}

/** Answers a peer, and pulls from it in turn what it has and we have not. */
export function answerCatchUp(work: Work, event: Extract<Event, { kind: 'catch-up-asked' }>): void {
  const { state } = work
  const { from, ask, digest } = event
  const theirs = idSets.get(digest.records) ?? new Set(digest.records)
  idSets.set(digest.records, theirs)
  const carried: Carried[] = []
  let common = 0
  for (const [id, held] of state.records) {
    if (theirs.has(id)) {
      common += 1
      continue
    }
    if (held.record.domain === 'notice' && !holds(state, 'merged-log')) continue
    carried.push({ record: held.record, ageMs: Math.max(0, Math.round(state.clock.elapsedMs - held.bornAtMs)) })
  }
  carried.push(...heartbeatsOfReturned(work))
  const logs = [...state.heads]
    .filter(([host, head]) => isAhead(head, digest.heads[host]))
    .map(([host]) => ({ host, after: digest.heads[host] ?? null }))
  work.effects.push({ kind: 'answer-catch-up', ask, carried, logs })
  const lacks =
    common < theirs.size || Object.entries(digest.heads).some(([host, head]) => isAhead(head, state.heads.get(host)))
  if (lacks) startCatchUp(work, from)
}

/**
 * The heartbeats of hosts that are heard and of which verdicts are held, or that are stopping: without them a newcomer
 * would take an old verdict for the present, or a planned absence for a death.
 */
function heartbeatsOfReturned({ state }: Work): readonly Carried[] {
  const judged = new Set<HostId>()
  // Who has not heard that a host is stopping would miss it at once.
  for (const member of state.members.values()) if (member.heartbeat?.body.mode === 'stopping') judged.add(member.host)
  for (const host of verdictsBySubject(state).keys()) judged.add(host)
  const carried: Carried[] = []
  for (const host of judged) {
    const member = state.members.get(host)
    if (member?.heartbeat && isPresent(member) && isHeard(state, member)) {
      carried.push({ record: member.heartbeat, ageMs: Math.max(0, Math.round(ageMs(state, member))) })
    }
  }
  return carried.slice(0, limits.returnedHeartbeats)
}

/** True when `a` is further on than `b` in one host's log. */
export function isAhead(a: LogHead, b: LogHead | undefined): boolean {
  if (b === undefined) return true
  return a.incarnation - b.incarnation > 0 || (a.incarnation === b.incarnation && a.seq > b.seq)
}

function pickPeers(work: Work, most: number): readonly HostId[] {
  const peers = [...work.state.connected].filter((peer) => work.state.members.has(peer))
  const start = Math.floor(chance(work) * Math.max(1, peers.length))
  return [...peers.slice(start), ...peers.slice(0, start)].slice(0, most)
}
