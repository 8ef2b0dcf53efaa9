/** What a verdict of another stands on. */
import { limits } from '../limits.ts'
import { compareLives } from '../wire/names.ts'
import type { SignedAs } from '../wire/records.ts'

/** Distinct votes, its signer's included, that meet what the verdict itself says could vote. At least two. */
export function isWitnessed(verdict: SignedAs<'verdict'>): boolean {
  const { body, signer } = verdict
  const voters = new Set([signer])
  for (const vote of body.votes) {
    const isOnIt = vote.body.subject === body.subject && compareLives(vote.body.life, body.life) === 0
    if (isOnIt && vote.signer !== body.subject) voters.add(vote.signer)
  }
  return voters.size >= Math.max(2, Math.min(limits.votesNeeded, body.observers))
}
