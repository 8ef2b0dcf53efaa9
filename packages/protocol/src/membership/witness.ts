/** What a verdict of another stands on. */
import type { HostId } from '../ids.ts'
import { limits } from '../limits.ts'
import { compareLives } from '../wire/names.ts'
import type { SignedAs } from '../wire/records.ts'

/** Bounds what an eager or lying peer can make us hold: verdicts that wait to be adopted, per member. */
export const OFFERED_MAX = 8

/** Whether verdicts are witnessed. A memo: it goes with the verdict, which is weighed again and again. */
const witnessed = new WeakMap<SignedAs<'verdict'>, boolean>()

/** Distinct votes, its signer's included, that meet what the verdict itself says could vote. At least two. */
export function isWitnessed(verdict: SignedAs<'verdict'>): boolean {
  const known = witnessed.get(verdict)
  if (known !== undefined) return known
  const is = votersOf(verdict).size >= Math.max(2, Math.min(limits.votesNeeded, verdict.body.observers))
  witnessed.set(verdict, is)
  return is
}

/** Whose votes on its subject's life a verdict carries, its signer included. */
export function votersOf({ body, signer }: SignedAs<'verdict'>): ReadonlySet<HostId> {
  const voters = new Set([signer])
  for (const vote of body.votes) {
    const isOnIt = vote.body.subject === body.subject && compareLives(vote.body.life, body.life) === 0
    if (isOnIt && vote.signer !== body.subject) voters.add(vote.signer)
  }
  return voters
}
