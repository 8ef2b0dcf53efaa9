/**
 * Who watches whom.
 *
 * Up to nine hosts everybody watches everybody. Above, a host is watched by the first eight of the others in its own
 * rendezvous order. The host itself signs that list in its heartbeat; when one of them falls silent the next enters.
 */
import type { HostId, MeshId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { Member, State } from '../state.ts'
import { rendezvousScores } from '../wire/names.ts'
import { firstObservers } from './observer-order.ts'
import { isHeard } from './presence-class.ts'
import { counts } from './roster.ts'

/** How many hosts the mesh has now, this one included. */
export function meshSize(state: State): number {
  return state.roster.length
}

/** Lists that follow from a roster alone, by subject. A memo: it goes with its roster, which is one state's and so one mesh's. */
const lists = new WeakMap<readonly HostId[], Map<string, readonly HostId[]>>()

/** The hosts that should watch `subject` by this host's view, in order. */
export function observersOf({ roster, options }: State, subject: HostId): readonly HostId[] {
  const known = lists.get(roster) ?? new Map<string, readonly HostId[]>()
  lists.set(roster, known)
  const list = known.get(subject) ?? orderObservers(roster, options.mesh, subject)
  known.set(subject, list)
  return list
}

/** From so many hosts on, working out an order each time that somebody comes or goes takes too long. */
const LARGE_FROM = 16

function orderObservers(roster: readonly HostId[], mesh: MeshId, subject: HostId): readonly HostId[] {
  const first = roster.length < LARGE_FROM ? null : firstObservers(roster, mesh, subject)
  if (first !== null) return first
  const able = roster.filter((host) => host !== subject)
  const score = rendezvousScores('observer', mesh, subject)
  able.sort((a, b) => (score(a) > score(b) ? -1 : 1))
  return able.length + 1 <= limits.observeAllUpTo ? able : able.slice(0, limits.observers)
}

/** Whether this host is to watch `member`: it is listed by the member, or has entered for one that fell silent. */
export function isMineToWatch(state: State, member: Member): boolean {
  if (state.members.size < limits.observeAllUpTo) return true
  const { self } = state.options
  return member.heartbeat?.body.observers.includes(self) === true || observersOf(state, member.host).includes(self)
}

/**
 * L: those whose votes count now. The member's listed observers and their replacements, minus those that this host
 * watches and does not hear.
 */
export function votersOn(state: State, subject: Member): readonly HostId[] {
  const listed = subject.heartbeat?.body.observers ?? []
  const all = new Set([...listed, ...observersOf(state, subject.host)])
  return [...all].filter((host) => {
    if (host === subject.host) return false
    if (host === state.options.self) return true
    const observer = state.members.get(host)
    return observer !== undefined && counts(observer) && (!isMineToWatch(state, observer) || isHeard(state, observer))
  })
}
