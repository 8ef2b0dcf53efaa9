/** The formulas of a presence class: when a host is due, late, and past its deadline. All in milliseconds. */
import type { Member, State } from '../state.ts'
import type { Heartbeat } from '../wire/records.ts'

/** How often a host promises a heartbeat, and how much later than that it may come. Milliseconds. */
export interface PresenceClass {
  readonly everyMs: number
  readonly graceMs: number
}

/** The class that a member has announced, in its newest heartbeat or in its profile; ours when it never has. */
export function classOf(state: State, member: Member): PresenceClass {
  return member.heartbeat?.body ?? member.profile ?? state.options.presence
}

/** After how long without a heartbeat a verdict may fall: `every + grace`, or `presence.restart` after a stop. */
export function deadlineMs(state: State, member: Member): number {
  const beat = member.heartbeat?.body
  if (beat?.mode === 'stopping') return Math.max(beat.restartMs, beat.everyMs + beat.graceMs)
  const { everyMs, graceMs } = classOf(state, member)
  return everyMs + graceMs
}

/** R: the time of one probe round, at most two fifths of the grace, so that two rounds fit into it. */
export function roundMs({ graceMs }: Pick<PresenceClass, 'graceMs'>): number {
  return Math.min(2_000, 0.4 * graceMs)
}

/** How long ago the member was last heard. Awake clock. */
export function ageMs(state: State, member: Member): number {
  return state.clock.awakeMs - member.heardAtMs
}

/** True while the newest evidence is younger than the deadline. */
export function isHeard(state: State, member: Member): boolean {
  return ageMs(state, member) <= deadlineMs(state, member)
}

/** A period longer than this is that of an odd host: one of them shall not keep the others from judging. */
const USUAL_PERIOD_MS_MAX = 60_000

/** The longest `every + grace` among this host and its members, odd ones left out: how long we doubt ourselves. */
export function usualPeriodMs(state: State): number {
  let longest = state.options.presence.everyMs + state.options.presence.graceMs
  for (const member of state.members.values()) {
    const { everyMs, graceMs } = classOf(state, member)
    if (everyMs + graceMs <= USUAL_PERIOD_MS_MAX) longest = Math.max(longest, everyMs + graceMs)
  }
  return longest
}

/** True when heartbeat `a` was made after `b`: by life, then by beat (which runs on across epochs). */
export function isNewerBeat(
  a: Pick<Heartbeat, 'life' | 'beat'>,
  b: Pick<Heartbeat, 'life' | 'beat'> | null | undefined,
): boolean {
  if (b === null || b === undefined) return true
  return a.life.incarnation - b.life.incarnation > 0 || (a.life.incarnation === b.life.incarnation && a.beat > b.beat)
}
