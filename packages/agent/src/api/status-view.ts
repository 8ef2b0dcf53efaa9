/** The whole mesh in one answer, and the one sentence that says how it is. Pure. */
import { PRESENCE, type State } from '@muster/protocol'
import type { AgentPort, Reach } from '../agent-port.ts'
import { type Marks, viewHosts } from './host-views.ts'
import { isBadNews, viewIncidents, viewRecipients } from './incident-views.ts'
import type { HostView, IncidentView, StatusView } from './shapes.ts'

/** Everything that `muster status` shows. */
export function viewStatus(
  agent: Pick<AgentPort, 'version' | 'startedUnixMs'>,
  state: State,
  reach: Reach,
  marks: Marks = () => [],
): StatusView {
  const hosts = viewHosts(state, marks)
  const incidents = viewIncidents(state).filter((incident) => incident.state === 'firing')
  return {
    host: state.options.self,
    name: state.options.name,
    mesh: state.options.mesh,
    version: agent.version,
    startedUnixMs: agent.startedUnixMs,
    nowUnixMs: Math.round(state.clock.unixMs),
    well: !incidents.some(isBadNews),
    headline: headlineOf(hosts, incidents),
    isolated: state.isolated,
    quiet: state.quiet !== null,
    hosts,
    incidents,
    recipients: viewRecipients(state),
    addresses: reach.swarmAddresses,
    wakuAddresses: reach.wakuAddresses,
    waku: reach.waku,
    troubles: reach.troubles,
    warnings: reach.warnings,
  }
}

/** One sentence: the worst that fires, else who is late, else that everyone is here. */
export function headlineOf(hosts: readonly HostView[], incidents: readonly IncidentView[]): string {
  const bad = incidents.filter((incident) => isBadNews(incident) && !incident.folded)
  const [worst, ...others] = bad
  if (worst !== undefined) {
    return others.length === 0 ? `${sentenceOf(worst)}.` : `${sentenceOf(worst)}, and ${others.length} more.`
  }
  const late = hosts.find(({ state }) => state === 'suspect')
  if (late !== undefined) return `${late.name} is late.`
  const unheard = hosts.find(({ state, ageMs }) => state === 'alive' && ageMs === null)
  if (unheard !== undefined) return `${unheard.name} has not been heard yet.`
  const others2 = hosts.some(({ state, inMaintenance }) => state !== 'alive' || inMaintenance)
  return others2 ? 'Everyone else is here.' : 'Everyone is here.'
}

/** What happened, without a full stop: "vps-1 is silent". */
export function sentenceOf(
  incident: Pick<IncidentView, 'fault' | 'hostName' | 'check' | 'severity' | 'because'>,
): string {
  const { fault, hostName, check, severity, because } = incident
  switch (fault) {
    case 'silent':
      return severity === 'unknown' ? `${hostName} is silent, says one observer` : `${hostName} is silent`
    case 'stopped':
      return `${hostName} was stopped and is not back`
    case 'asleep':
      return `${hostName} is asleep`
    case 'isolated':
      return `${hostName} hears nobody`
    case 'flapping':
      return `${hostName} comes and goes`
    case 'check':
      return `${hostName} ${check === PRESENCE ? 'check' : check}${because === '' ? ` is ${severity}` : ` ${because}`}`
    default:
      return fault satisfies never
  }
}
