/** Writing a notice: everything a person needs, from what this host knows at this moment. */
import { labelOf } from '../host-names.ts'
import { PRESENCE } from '../ids.ts'
import { CLOSED_BY_LEAVE, type Incident } from '../incidents/incident.ts'
import { usualPeriodMs } from '../membership/presence-class.ts'
import type { State } from '../state.ts'
import type { Transition } from '../wire/records.ts'
import type { Notice, ToldIncident } from './notice.ts'

/** Names of checks that a notice lists for one host: it must fit into one message, with those of other hosts. */
const ALSO_ON_MAX = 24

/** The notice of one transition of these incidents. */
export function composeNotice(state: State, transition: Transition, incidents: readonly Incident[]): Notice {
  return {
    mesh: state.options.mesh,
    transition,
    incidents: incidents.map((incident) => tell(state, incident)),
    massDeath: transition === 'fired' && isMassDeath(state),
    toldBy: labelOf(state, state.options.self),
    writtenUnixMs: Math.round(state.clock.unixMs),
  }
}

function tell(state: State, incident: Incident): ToldIncident {
  const checks = incident.check === PRESENCE ? [...(state.results.get(incident.host)?.keys() ?? [])].sort() : []
  return {
    id: incident.id,
    aliases: incident.aliases,
    host: incident.host,
    hostName: labelOf(state, incident.host),
    check: incident.check,
    fault: incident.fault,
    severity: incident.severity,
    sinceUnixMs: incident.sinceUnixMs,
    lastedMs: Math.max(0, Math.round((incident.resolvedAtMs ?? state.clock.awakeMs) - incident.sinceAtMs)),
    voters: incident.voters.map((host) => labelOf(state, host)),
    observers: incident.fault === 'isolated' ? state.members.size : incident.observers,
    alsoOn: incident.fault === 'isolated' ? [] : checks.slice(0, ALSO_ON_MAX),
    because: whyOf(state, incident),
  }
}

/** What a check said last, and the condition with its numbers in place. */
function whyOf(state: State, { host, check, because }: Incident): string {
  if (because === CLOSED_BY_LEAVE) return because
  const text = state.results.get(host)?.get(check)?.text ?? ''
  return text === '' || text === because ? because : `${text} (${because})`
}

/** More than half of the mesh has vanished within one period: a split, or a mass death. */
function isMassDeath(state: State): boolean {
  let vanished = 0
  let size = 1
  for (const member of state.members.values()) {
    if (member.state === 'left' || member.state === 'revoked' || member.state === 'asleep') continue
    size += 1
    if (member.state === 'silent' && state.clock.awakeMs - member.stateAtMs <= usualPeriodMs(state)) vanished += 1
  }
  return vanished * 2 > size
}
