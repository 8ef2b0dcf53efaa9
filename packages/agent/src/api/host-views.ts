/** Hosts and their checks, as this host sees them. Pure. */
import {
  ageMs,
  classOf,
  type HostId,
  isHeard,
  isInMaintenance,
  labelOf,
  type Member,
  nameOf,
  type OwnCheck,
  type Result,
  type State,
} from '@muster/protocol'
import type { CheckView, HostReach, HostView, Mark } from './shapes.ts'

/** Where the marks of a host's heartbeat bar come from. */
export type Marks = (host: HostId) => readonly Mark[]

/** All hosts, this one included, by name: the roll keeps its order. */
export function viewHosts(state: State, marks: Marks = () => []): readonly HostView[] {
  const hosts = [
    viewSelf(state, marks),
    ...[...state.members.values()].map((member) => viewMember(state, member, marks)),
  ]
  return hosts.sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id))
}

/** All checks of all hosts, by host and name. */
export function viewChecks(state: State): readonly CheckView[] {
  return viewHosts(state).flatMap(({ checks }) => checks)
}

function viewSelf(state: State, marks: Marks): HostView {
  const { self, name, presence } = state.options
  return {
    id: self,
    name,
    label: labelOf(state, self),
    state: 'alive',
    stopping: state.stopping,
    isSelf: true,
    reach: 'direct',
    ageMs: 0,
    lastHeardUnixMs: Math.round(state.clock.unixMs),
    sleeps: presence.sleeps,
    inMaintenance: isInMaintenance(state, self),
    everyMs: presence.everyMs,
    graceMs: presence.graceMs,
    addresses: [],
    checks: [...state.checks.values()].map((check) => viewOwnCheck(state, check)).sort(byName),
    recent: marks(self),
  }
}

function viewMember(state: State, member: Member, marks: Marks): HostView {
  const { everyMs, graceMs } = classOf(state, member)
  const wasHeard = member.heartbeat !== null
  return {
    id: member.host,
    name: nameOf(state, member.host),
    label: labelOf(state, member.host),
    state: member.state,
    stopping: isPresentState(member) && member.heartbeat?.body.mode === 'stopping',
    isSelf: false,
    reach: reachOf(state, member),
    ageMs: wasHeard ? Math.max(0, Math.round(ageMs(state, member))) : null,
    lastHeardUnixMs: wasHeard ? Math.round(member.heardUnixMs) : null,
    sleeps: member.heartbeat?.body.sleeps ?? member.profile?.sleeps ?? false,
    inMaintenance: isInMaintenance(state, member.host),
    everyMs,
    graceMs,
    addresses: member.profile?.addresses ?? [],
    checks: viewMemberChecks(state, member),
    recent: marks(member.host),
  }
}

function isPresentState({ state }: Member): boolean {
  return state === 'alive' || state === 'suspect'
}

function reachOf(state: State, member: Member): HostReach {
  if (!isPresentState(member) || member.heartbeat === null || !isHeard(state, member)) return 'none'
  return member.direct ? 'direct' : 'relayed'
}

function viewMemberChecks(state: State, member: Member): readonly CheckView[] {
  const results = state.results.get(member.host)
  if (results === undefined) return []
  const isMissing = !isPresentState(member)
  return [...results.values()].map((result) => viewResult(state, member.host, result, isMissing)).sort(byName)
}

function viewResult(state: State, host: HostId, result: Result, isMissing: boolean): CheckView {
  const { status, text, because, values, kind, everyMs, graceMs, atUnixMs } = result
  return {
    host,
    hostName: nameOf(state, host),
    name: result.check,
    kind,
    status: isMissing ? 'unknown' : status,
    ...(isMissing ? { was: status } : {}),
    text,
    because,
    values,
    everyMs,
    graceMs,
    atUnixMs,
  }
}

function viewOwnCheck(state: State, { spec, result }: OwnCheck): CheckView {
  const { self, name } = state.options
  if (result !== null) return viewResult(state, self, result, false)
  const { kind, everyMs, graceMs } = spec
  const text = kind === 'push' ? 'waits for its first ping' : 'has not run yet'
  return {
    host: self,
    hostName: name,
    name: spec.name,
    kind,
    status: 'unknown',
    text,
    because: '',
    values: {},
    everyMs,
    graceMs,
    atUnixMs: null,
  }
}

const byName = (a: CheckView, b: CheckView): number => compareText(a.name, b.name)

/** The order of code units: the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
