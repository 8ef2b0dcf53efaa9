/**
 * Times in which this host judges nobody: after its start, and after a gap of its own.
 *
 * A gap is a stretch without events (a stop, a suspend, a stalled loop). What was heard before it says nothing about
 * now, so votes, probes, claims not yet under way and receive times are void.
 */
import { startRound } from '../catch-up.ts'
import { noticeFlapping } from '../incidents/flapping.ts'
import { limits } from '../limits.ts'
import { giveBackClaims } from '../notifier/attempts.ts'
import type { CoreOptions } from '../options.ts'
import type { Clock, Quiet, State } from '../state.ts'
import type { Moment } from '../time.ts'
import { holds, nowOf, report, type Work } from '../work.ts'
import { restartWatch } from './isolation.ts'
import { usualPeriodMs } from './presence-class.ts'

/** The clock after an event: the awake clock advances by at most two ticks, however long nothing happened. */
export function advanceClock(clock: Clock, at: Moment, { tickMs }: Pick<CoreOptions, 'tickMs'>): Clock {
  const stepMs = Math.max(0, at.monotonicMs - clock.monotonicMs)
  const suspendedMs = Math.max(0, at.bootMs - clock.bootMs)
  return {
    monotonicMs: Math.max(at.monotonicMs, clock.monotonicMs),
    bootMs: Math.max(at.bootMs, clock.bootMs),
    unixMs: at.unixMs,
    awakeMs: clock.awakeMs + Math.min(stepMs, 2 * tickMs),
    elapsedMs: clock.elapsedMs + Math.max(stepMs, suspendedMs),
  }
}

/** How long this host was not awake before an event: without events, or suspended. Milliseconds. */
export function gapMs(clock: Clock, at: Moment): number {
  const silent = at.monotonicMs - clock.monotonicMs
  const suspended = at.bootMs - clock.bootMs - silent
  return Math.max(silent, suspended)
}

/** Begins a quiet time when the event came after a gap of so many milliseconds. */
export function noticeGap(work: Work, gap: number): void {
  if (gap <= limits.ownGapMs || !holds(work.state, 'own-gap')) return
  report(work, 'info', 'this host was not awake, it judges nobody for a while', { gapMs: Math.round(gap) })
  giveBackClaims(work)
  restartWatch(work)
  work.state.quiet = {
    sinceMs: nowOf(work),
    untilMs: nowOf(work) + usualPeriodMs(work.state),
    rounds: 2,
    inRound: startRound(work),
  }
}

/** Moves the catch-up rounds of a quiet time on, and ends it when they are through and its period is over. */
export function endQuietWhenDue(work: Work): void {
  const quiet = advanceRounds(work)
  if (quiet === null) return
  const isOver = quiet.rounds === 0 && nowOf(work) >= quietUntilMs(work, quiet)
  work.state.quiet = isOver ? null : quiet
  if (isOver) for (const host of work.state.members.keys()) noticeFlapping(work, host)
}

/** At least one full period of most members, whose classes may have been learnt only since. */
function quietUntilMs({ state }: Work, quiet: Quiet): number {
  return Math.max(quiet.untilMs, quiet.sinceMs + usualPeriodMs(state))
}

function advanceRounds(work: Work): Quiet | null {
  const { quiet, catchUps, members } = work.state
  if (quiet === null || quiet.rounds === 0) return quiet
  const outOfTime = nowOf(work) - quiet.sinceMs >= limits.catchUpWaitMs
  if (members.size === 0 || outOfTime) return { ...quiet, rounds: 0, inRound: false }
  if (catchUps.size > 0) return quiet.inRound ? quiet : { ...quiet, inRound: true }
  const rounds = quiet.inRound ? quiet.rounds - 1 : quiet.rounds
  return { ...quiet, rounds, inRound: rounds > 0 && startRound(work) }
}

/** After a restart or a gap nothing is told before a catch-up round has ended, or has had its time. */
export function mayTell(state: State): boolean {
  const { quiet, clock } = state
  return quiet === null || quiet.rounds === 0 || clock.awakeMs - quiet.sinceMs >= limits.catchUpWaitMs
}
