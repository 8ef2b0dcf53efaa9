/**
 * Who takes part in the roll now.
 *
 * The roster is kept in the state and is a new list only when it has changed, so that what follows from it alone (who
 * watches whom) is worked out once per change and not once per tick.
 */
import type { HostId } from '../ids.ts'
import type { Member, State } from '../state.ts'

/** True for a member that takes part: not declared silent, asleep, left or revoked. */
export function isPresent(member: Member): boolean {
  return member.state === 'alive' || member.state === 'suspect'
}

/** True for a present member that has not announced that it is stopping: one that counts for the size of the mesh. */
export function counts(member: Member): boolean {
  return isPresent(member) && member.heartbeat?.body.mode !== 'stopping'
}

/** This host and all members that count, in the order of their ids. */
export function rosterOf(state: Pick<State, 'members' | 'options'>): readonly HostId[] {
  const roster = [state.options.self]
  for (const member of state.members.values()) if (counts(member)) roster.push(member.host)
  return roster.sort()
}

/** The same roster with one host more or less; in order, as it was. */
export function rosterWith(roster: readonly HostId[], host: HostId, takesPart: boolean): readonly HostId[] {
  let [from, to] = [0, roster.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((roster[middle] ?? '') < host) from = middle + 1
    else to = middle
  }
  if ((roster[from] === host) === takesPart) return roster
  return takesPart ? roster.toSpliced(from, 0, host) : roster.toSpliced(from, 1)
}
