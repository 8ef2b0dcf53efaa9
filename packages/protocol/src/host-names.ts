/** What hosts are called. A name should be one host's alone; where it is not, both are told apart by their ids. */
import type { HostId } from './ids.ts'
import { isPresent } from './membership/roster.ts'
import type { State } from './state.ts'

/** A label fits where a name does: the longest with a space, brackets and the short id. */
const LABEL_NAME_CHARS = 53

/** The name that a host goes by; the end of its id while that is unknown. */
export function nameOf(state: State, host: HostId): string {
  if (host === state.options.self) return state.options.name
  return state.members.get(host)?.profile?.name ?? shortHostId(host)
}

/** The end of a host's id, by which a person tells two hosts of one name apart. All ids begin alike. */
export function shortHostId(host: HostId): string {
  return host.slice(-8)
}

/** The name of a host as a person reads it: with its short id where another host that has not left bears it too. */
export function labelOf(state: State, host: HostId): string {
  const name = nameOf(state, host)
  if (!sharedNamesOf(state).has(name)) return name
  return `${name.slice(0, LABEL_NAME_CHARS)} (${shortHostId(host)})`
}

/** The hosts called so, by name or by id, whole or short; those that have left only where there is no other. */
export function hostsCalled(state: State, nameOrId: string): readonly HostId[] {
  const ids = [state.options.self, ...state.members.keys()]
  const named = ids.filter((id) => nameOf(state, id) === nameOrId)
  const here = named.filter((id) => !hasLeft(state.members.get(id)?.state))
  if (here.length > 0) return here
  return named.length > 0 ? named : ids.filter((id) => id === nameOrId || shortHostId(id) === nameOrId)
}

/** Hosts that are here and bear one name, two or more at a time. */
export function namesakesIn(state: State): readonly (readonly HostId[])[] {
  if (sharedNamesOf(state).size === 0) return []
  const byName = new Map<string, readonly HostId[]>([[state.options.name, [state.options.self]]])
  for (const member of state.members.values()) {
    const { host, profile } = member
    if (profile !== null && isPresent(member)) byName.set(profile.name, [...(byName.get(profile.name) ?? []), host])
  }
  return [...byName.values()].filter(({ length }) => length > 1).map((hosts) => hosts.toSorted())
}

/** A memo: it goes with the members. */
const sharedNames = new WeakMap<State['members'], ReadonlySet<string>>()

function sharedNamesOf({ members, options }: State): ReadonlySet<string> {
  const known = sharedNames.get(members)
  if (known !== undefined) return known
  const once = new Set([options.name])
  const shared = new Set<string>()
  for (const { profile, state } of members.values()) {
    if (profile === null || hasLeft(state)) continue
    if (once.has(profile.name)) shared.add(profile.name)
    once.add(profile.name)
  }
  sharedNames.set(members, shared)
  return shared
}

/** Whether a host of this standing no longer belongs to the mesh. */
export function hasLeft(standing: string | undefined): boolean {
  return standing === 'left' || standing === 'revoked'
}
