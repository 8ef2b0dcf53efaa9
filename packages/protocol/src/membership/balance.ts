/** How a suspicion stands: what a verdict needs, and which of it is still missing. */
import type { HostId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { Member, State } from '../state.ts'
import type { SignedAs } from '../wire/records.ts'
import { meshSize, votersOn } from './observers.ts'
import { ageMs, classOf, deadlineMs, roundMs } from './presence-class.ts'
import { counts } from './roster.ts'

/** What is known against one suspect at one moment. Times are milliseconds of the awake clock. */
export interface Balance {
  readonly ageMs: number
  readonly deadlineMs: number
  /** L: those whose votes count now, this host among them when it watches. */
  readonly voters: readonly HostId[]
  /** Votes of others that stand. This host's own is none of them. */
  readonly votes: readonly SignedAs<'vote'>[]
  /** Votes that a verdict needs, this host's own included. */
  readonly needed: number
  /** The verdict that falls now: by `votes`, or `alone`; null when none does. */
  readonly verdict: 'votes' | 'alone' | null
  /**
   * What is missing: its age, this host's own vote, more votes, votes said again this round, or a round in which nobody
   * refutes them. Null with a verdict.
   */
  readonly lacks: 'age' | 'own-vote' | 'votes' | 'repeat' | 'round' | null
}

/** Weighs what is held against a member. */
export function balanceOf(state: State, member: Member): Balance {
  const { everyMs, graceMs } = classOf(state, member)
  const { suspicion } = member
  const now = state.clock.awakeMs
  const R = roundMs({ graceMs })
  const voters = votersOn(state, member)
  const votes = standingVotes(member, voters, now, R)
  const known = {
    ageMs: ageMs(state, member),
    deadlineMs: deadlineMs(state, member),
    voters,
    votes,
    needed: Math.min(limits.votesNeeded, voters.length),
  }
  if (known.ageMs <= known.deadlineMs) return { ...known, verdict: null, lacks: 'age' }
  const castAtMs = suspicion?.castAtMs ?? null
  if (castAtMs === null) return { ...known, verdict: null, lacks: 'own-vote' }
  // Who has not repeated a vote may have heard the host since, and word of that may be lost: it counts again with the next.
  // Where one other vote makes a verdict, it has to have been repeated: two rounds without the host, not one and a loss.
  const isRepeated = ({ signer, body }: SignedAs<'vote'>): boolean =>
    now - (suspicion?.votes.get(signer)?.atMs ?? Number.NEGATIVE_INFINITY) <= R && (known.needed > 2 || body.round >= 2)
  const suffice = (some: readonly unknown[]): boolean => voters.length >= 2 && some.length + 1 >= known.needed
  const enough = suffice(votes.filter(isRepeated))
  if (enough && now - castAtMs >= R) return { ...known, verdict: 'votes', lacks: null }
  const isInCompany = !state.isolated && hasHeardSince(state, castAtMs) && haveHadTime(state, voters, now - everyMs)
  if (now - castAtMs >= everyMs && (meshSize(state) <= 2 || isInCompany)) {
    // With a vote of another it is no lone word, be they fewer than one could wish.
    return { ...known, verdict: votes.length > 0 ? 'votes' : 'alone', lacks: null }
  }
  return { ...known, verdict: null, lacks: enough ? 'round' : suffice(votes) ? 'repeat' : 'votes' }
}

/**
 * Whether anybody was heard since a moment. A host that is cut off misses first those who were heard first: until it
 * misses them all it is not isolated, and would blame them one by one.
 */
function hasHeardSince(state: State, sinceMs: number): boolean {
  for (const member of state.members.values()) if (counts(member) && member.frameAtMs >= sinceMs) return true
  return false
}

/**
 * Whether the other voters were all there at a moment already. One that has just come back may hear the member, and one
 * lost message would keep us from learning that: it has as long to vote or to refute as anybody.
 */
function haveHadTime(state: State, voters: readonly HostId[], atMs: number): boolean {
  return voters.every((host) => (state.members.get(host)?.stateAtMs ?? atMs) <= atMs)
}

/** Votes that still stand, of those who may vote: each is repeated every round, and forgotten after three without. */
function standingVotes(
  { suspicion }: Member,
  voters: readonly HostId[],
  now: number,
  R: number,
): readonly SignedAs<'vote'>[] {
  const standing: SignedAs<'vote'>[] = []
  for (const [voter, vote] of suspicion?.votes ?? []) {
    if (voters.includes(voter) && now - vote.atMs <= 3 * R + 1_000) standing.push(vote.record)
  }
  return standing
}
