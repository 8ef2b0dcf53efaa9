/** When time next has anything to do. Ticks before that only move the clocks, and so do frames that bring nothing new. */
import type { Incident } from './incidents/incident.ts'
import { openIncidents, unsettledIncidents } from './incidents/open-incidents.ts'
import { limits, turns } from './limits.ts'
import { isMineToWatch } from './membership/observers.ts'
import { classOf, deadlineMs, roundMs } from './membership/presence-class.ts'
import { counts, isPresent } from './membership/roster.ts'
import { everyChange } from './shared-key-map.ts'
import { meshRecords } from './sorted-records.ts'
import type { Member, State } from './state.ts'
import { compareLives } from './wire/names.ts'
import type { Heartbeat } from './wire/records.ts'

/** While an incident is open it is looked at this often, whatever it waits for. */
const OPEN_INCIDENT_MS = 5_000
/** While a member sleeps, its promises that hold even so are looked at this often. */
const ASLEEP_MS = 5_000

/** The awake-clock time at which the state must be looked at again, if no event comes before. */
export function nextDueMs(state: State): number {
  const now = state.clock.awakeMs
  if (state.quiet !== null || state.isolated || state.attempts.size > 0 || state.duties.size > 0) return now
  let due = Math.min(state.nextBeatAtMs, state.nextRoundAtMs)
  for (const { heardAtMs } of state.answers.values()) due = Math.min(due, heardAtMs + turns.answerMs)
  let isolatedAtMs = Number.NEGATIVE_INFINITY
  for (const member of state.members.values()) {
    if (member.suspicion !== null || member.offered.length > 0) return now
    if (member.state === 'asleep') due = Math.min(due, now + ASLEEP_MS)
    if (!isPresent(member)) continue
    if (counts(member)) isolatedAtMs = Math.max(isolatedAtMs, member.frameAtMs + deadlineMs(state, member))
    // Who is watched by others alone sends this host no heartbeats, and is not late for that.
    if (!isMineToWatch(state, member)) continue
    due = Math.min(due, member.heardAtMs + deadlineMs(state, member) - 2 * roundMs(classOf(state, member)))
  }
  // Who has heard one of them lately is not isolated.
  if (isolatedAtMs >= now) due = Math.min(due, isolatedAtMs)
  for (const startedAtMs of state.catchUps.values()) due = Math.min(due, startedAtMs + limits.catchUpMs)
  for (const { reportedAtMs, spec, result } of state.checks.values()) {
    if (reportedAtMs === null || spec.heartbeat === 'never' || result?.status === 'late') continue
    const spentMs = (spec.heartbeat === 'always' ? state.clock.elapsedMs : now) - reportedAtMs
    due = Math.min(due, now + spec.everyMs + spec.graceMs - spentMs)
  }
  if (state.gathered.length > 0) due = Math.min(due, state.gatheredSinceMs + limits.gatherMs)
  for (const incident of openIncidents(state)) due = Math.min(due, openDueMs(state, incident))
  for (const incident of unsettledIncidents(state)) {
    if (incident.state !== 'firing') due = Math.min(due, endDueMs(state, incident))
  }
  return due
}

/** When time alone may bring news of an open incident: a reminder, or the end of what keeps it from being told. */
function openDueMs(state: State, { openedAtMs }: Incident): number {
  const { awakeMs: now } = state.clock
  const { remindMs } = state.options
  return Math.min(now + OPEN_INCIDENT_MS, now + remindMs - ((now - openedAtMs) % remindMs), quietEndMs(state))
}

/** When time alone may bring news of an incident that has ended, and whose end may still have to be told. */
function endDueMs(state: State, { fault, resolvedAtMs }: Incident): number {
  const { awakeMs: now } = state.clock
  if (fault !== 'isolated' || resolvedAtMs === null) return quietEndMs(state)
  // Its end is this host's to tell unless others turn out to have had it too, which takes a catch-up to learn.
  return resolvedAtMs + limits.catchUpMs < now ? Number.POSITIVE_INFINITY : resolvedAtMs + limits.catchUpMs
}

/** When the next silence or maintenance ends: what it kept quiet, a beginning or an end, is told then. */
function quietEndMs(state: State): number {
  const { awakeMs: now, elapsedMs } = state.clock
  let due = Number.POSITIVE_INFINITY
  for (const kind of ['silence', 'maintenance'] as const) {
    for (const { body, bornAtMs } of meshRecords(state, kind)) {
      const leftMs = bornAtMs + body.forMs - elapsedMs
      if (leftMs > 0) due = Math.min(due, now + leftMs)
    }
  }
  return due
}

/**
 * Whether an event brought only what comes all day long, as heartbeats and entries of healthy hosts: nothing falls due by
 * that, and what was due at some time is due no sooner, but for the end of a catch-up that has begun.
 */
export function isRoutine(before: State, after: State): boolean {
  if (!isSameButForRoutine(before, after)) return false
  if (after.members === before.members) return true
  if (after.members.size !== before.members.size) return false
  return everyChange(before.members, after.members, isMerelyHeard)
}

/**
 * Whether no field has changed but those whose change makes nothing due while all others are as they were: the clock, the
 * members (looked at one by one), `beat`, `prng`, `heads`, `results`, `promises`, `catchUps`, `caughtUpAtMs` and
 * `lastWakuAtMs`. Written out, for it is asked at every event, and a test shows that no field is forgotten.
 */
function isSameButForRoutine(before: State, after: State): boolean {
  return (
    before.records === after.records &&
    before.incidents === after.incidents &&
    before.gathered === after.gathered &&
    before.checks === after.checks &&
    before.nextBeatAtMs === after.nextBeatAtMs &&
    before.facts === after.facts &&
    before.duties === after.duties &&
    before.attempts === after.attempts &&
    before.answers === after.answers &&
    before.connected === after.connected &&
    before.quiet === after.quiet &&
    before.roster === after.roster &&
    before.life === after.life &&
    before.options === after.options &&
    before.lastBeatAtMs === after.lastBeatAtMs &&
    before.stopping === after.stopping &&
    before.wakuRefusals === after.wakuRefusals &&
    before.wakuRestsUntilMs === after.wakuRestsUntilMs &&
    before.routeUp === after.routeUp &&
    before.isolated === after.isolated &&
    before.isolatedSinceMs === after.isolatedSinceMs &&
    before.gatheredSinceMs === after.gatheredSinceMs &&
    before.writesFromMs === after.writesFromMs &&
    before.raises === after.raises &&
    before.retired === after.retired &&
    before.sets === after.sets &&
    before.settled === after.settled &&
    before.nextAttempt === after.nextAttempt &&
    before.nextRoundAtMs === after.nextRoundAtMs &&
    before.nextTidyAtMs === after.nextTidyAtMs &&
    before.dueAtMs === after.dueAtMs
  )
}

function isMerelyHeard(before: Member, after: Member): boolean {
  return (
    before.state === after.state &&
    before.suspicion === after.suspicion &&
    before.offered.length === 0 &&
    after.offered.length === 0 &&
    before.profile === after.profile &&
    before.verdict === after.verdict &&
    before.doubters === after.doubters &&
    compareLives(before.life, after.life) === 0 &&
    after.heardAtMs >= before.heardAtMs &&
    isSamePromise(before.heartbeat?.body, after.heartbeat?.body)
  )
}

/** Whether two heartbeats promise the next one alike, to the same observers. */
function isSamePromise(before: Heartbeat | undefined, after: Heartbeat | undefined): boolean {
  if (before === after) return true
  return (
    before !== undefined &&
    after !== undefined &&
    before.everyMs === after.everyMs &&
    before.graceMs === after.graceMs &&
    before.restartMs === after.restartMs &&
    before.sleeps === after.sleeps &&
    before.mode === after.mode &&
    before.observers.length === after.observers.length &&
    before.observers.every((host, index) => host === after.observers[index])
  )
}
