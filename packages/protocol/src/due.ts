/** When a tick next has anything to do. Ticks before that only move the clocks. */
import { limits } from './limits.ts'
import { classOf, deadlineMs, roundMs } from './membership/presence-class.ts'
import { isPresent } from './membership/roster.ts'
import type { State } from './state.ts'

/** While something is going on, every tick counts; while an incident is open, one a second does. */
const OPEN_INCIDENT_MS = 1_000
/** While a member sleeps, its promises that hold even so are looked at this often. */
const ASLEEP_MS = 5_000

/** The awake-clock time at which the state must be looked at again, if no event comes before. */
export function nextDueMs(state: State): number {
  const now = state.clock.awakeMs
  if (state.quiet !== null || state.isolated || state.attempts.size > 0 || state.duties.size > 0) return now
  if (state.answers.size > 0) return now
  let due = Math.min(state.nextBeatAtMs, state.nextRoundAtMs)
  for (const member of state.members.values()) {
    if (member.suspicion !== null || member.offered.length > 0) return now
    if (member.state === 'asleep') due = Math.min(due, now + ASLEEP_MS)
    if (!isPresent(member)) continue
    const probing = member.heardAtMs + deadlineMs(state, member) - 2 * roundMs(classOf(state, member))
    due = Math.min(due, probing, member.frameAtMs + deadlineMs(state, member))
  }
  for (const startedAtMs of state.catchUps.values()) due = Math.min(due, startedAtMs + limits.catchUpMs)
  for (const { reportedAtMs, spec, result } of state.checks.values()) {
    if (reportedAtMs === null || spec.heartbeat === 'never' || result?.status === 'late') continue
    const spentMs = (spec.heartbeat === 'always' ? state.clock.elapsedMs : now) - reportedAtMs
    due = Math.min(due, now + spec.everyMs + spec.graceMs - spentMs)
  }
  if (state.gathered.length > 0) due = Math.min(due, state.gatheredSinceMs + limits.gatherMs)
  for (const incident of state.incidents.values()) {
    if (incident.state === 'firing') return Math.min(due, now + OPEN_INCIDENT_MS)
  }
  return due
}
