/**
 * Beginning a new life of this host: another epoch, or another incarnation.
 *
 * Only the host itself raises its life. An epoch ends a life that others have named in a verdict or an incident. An
 * incarnation is raised when peers hold what this host itself signed in a life that its disk does not know: data was
 * lost, or restored from an old copy, and below what they know nobody would listen to it.
 */
import { startCatchUp } from '../catch-up.ts'
import type { HostId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { Signed } from '../wire/envelope.ts'
import { compareLives } from '../wire/names.ts'
import type { Heartbeat, Life } from '../wire/records.ts'
import { holds, nowOf, report, type Work } from '../work.ts'
import { beatSoon } from './heartbeats.ts'

/** A number of attempts that no incarnation reaches: an attempt's number is never used twice by one host. */
const ATTEMPTS_PER_INCARNATION = 1_000_000

/** The first attempt at a notice in an incarnation. */
export function firstAttemptOf({ incarnation }: Pick<Life, 'incarnation'>): number {
  return incarnation * ATTEMPTS_PER_INCARNATION + 1
}

/** The present life has a name in an incident that has ended, or in a verdict: what comes now needs another. */
export function raiseEpoch(work: Work): void {
  const { incarnation, epoch } = work.state.life
  begin(work, { incarnation, epoch: epoch + 1 })
}

/**
 * Takes a look at a heartbeat that this very host is said to have signed. When no heartbeat of this start can be it, an
 * earlier start of a disk now lost has made it, and this one goes on above it.
 */
export function noteOwnBeat(work: Work, record: Signed<Heartbeat> | null, from: HostId): void {
  const { options, life, beat } = work.state
  if (record === null || record.domain !== 'heartbeat' || record.signer !== options.self) return
  const order = compareLives(record.body.life, life)
  if (order > 0 || (order === 0 && record.body.beat > beat)) raiseIncarnation(work, record.body.life, from)
}

/**
 * Goes on above a life of this host that is not of this start. `from` holds what was signed in it.
 *
 * History arrives oldest first, so that one catch-up may raise it many times; without a bound two clones of one host
 * would chase each other for ever.
 */
export function raiseIncarnation(work: Work, seen: Life, from: HostId): void {
  const { state } = work
  if (!holds(state, 'persisted-incarnation') || seen.incarnation < state.life.incarnation) return
  const now = nowOf(work)
  const isFirst = now - state.raises.sinceMs >= limits.raisesMs
  if (!isFirst && state.raises.count >= limits.raises) {
    state.writesFromMs = state.raises.sinceMs + limits.raisesMs + limits.ownLogWaitMs
    return
  }
  // What it wrote in that life comes back first, so that its log goes on where it ended.
  if (isFirst) state.writesFromMs = now + limits.ownLogWaitMs
  state.raises = isFirst ? { sinceMs: now, count: 1 } : { ...state.raises, count: state.raises.count + 1 }
  if (isFirst) {
    report(work, 'warn', 'peers know a later life of this host than its data does, it goes on above it', {
      known: seen.incarnation,
      own: state.life.incarnation,
    })
  }
  begin(work, { incarnation: seen.incarnation + 1, epoch: 0 })
  state.nextAttempt = Math.max(state.nextAttempt, firstAttemptOf(state.life))
  startCatchUp(work, from, 0)
}

function begin(work: Work, life: Life): void {
  work.state.life = life
  work.effects.push({ kind: 'keep-life', life })
  beatSoon(work)
}
