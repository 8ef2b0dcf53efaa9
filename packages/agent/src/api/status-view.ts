/** The whole mesh in one answer, and the one sentence that says how it is. Pure. */
import type { State } from '@muster/protocol'
import type { AgentPort, Reach } from '../agent-port.ts'
import { type Marks, viewHosts } from './host-views.ts'
import { isBadNews, viewIncidents, viewRecipients } from './incident-views.ts'
import { sentenceOf } from './sentence.ts'
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
    store: reach.store,
    brokenParts: reach.brokenParts,
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
  const isSomebodyExcused = hosts.some(({ state, inMaintenance }) => state !== 'alive' || inMaintenance)
  return isSomebodyExcused ? 'Everyone else is here.' : 'Everyone is here.'
}
