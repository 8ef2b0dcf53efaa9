/**
 * Who watches whom.
 *
 * Up to nine hosts everybody watches everybody. Above, a host is watched by the first eight of the others in its own
 * rendezvous order. The host itself signs that list in its heartbeat; when one of them falls silent the next enters.
 */
import type { HostId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { Member, State } from '../state.ts'
import { rendezvousScore } from '../wire/names.ts'
import { isHeard } from './presence-class.ts'

/** True for a member that takes part: not declared silent, asleep, left or revoked. */
export function isPresent(member: Member): boolean {
  return member.state === 'alive' || member.state === 'suspect'
}

/** True for a present member that has not announced that it is stopping: one that counts for the size of the mesh. */
export function counts(member: Member): boolean {
  return isPresent(member) && member.heartbeat?.body.mode !== 'stopping'
}

/** How many hosts the mesh has now, this one included. */
export function meshSize(state: State): number {
  let size = 1
  for (const member of state.members.values()) if (counts(member)) size += 1
  return size
}

/** The hosts that should watch `subject` by this host's view, in order. */
export function observersOf(state: State, subject: HostId): readonly HostId[] {
  const { mesh, self } = state.options
  const able: HostId[] = self === subject ? [] : [self]
  for (const member of state.members.values()) if (member.host !== subject && counts(member)) able.push(member.host)
  const score = (host: HostId) => rendezvousScore('observer', mesh, subject, host)
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
