/** The whole mesh in one answer, and the one sentence that says how it is. Pure. */
import { type HostId, nameOf, namesakesIn, type State, shortHostId } from '@muster/protocol'
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
  const alone = aloneText(state, reach)
  return {
    host: state.options.self,
    name: state.options.name,
    mesh: state.options.mesh,
    version: agent.version,
    startedUnixMs: agent.startedUnixMs,
    nowUnixMs: Math.round(state.clock.unixMs),
    well: alone === null && !incidents.some(isBadNews),
    headline: alone ?? headlineOf(hosts, incidents),
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
    warnings: [...namesakesIn(state).map((hosts) => namesakesText(state, hosts)), ...reach.warnings],
  }
}

/** Addresses that are named in one sentence. */
const ADDRESSES_TOLD = 3

/** A host that was told of others and has met nobody is not a mesh that is well: nobody else watches it. Null for any other. */
function aloneText(state: State, { configuredPeers, connected }: Reach): string | null {
  if (state.members.size > 0 || connected.length > 0 || configuredPeers.length === 0) return null
  const more = configuredPeers.length > ADDRESSES_TOLD ? ` and ${configuredPeers.length - ADDRESSES_TOLD} more` : ''
  const told = configuredPeers.slice(0, ADDRESSES_TOLD).join(', ')
  return `This host is alone: it has met nobody yet, and should at ${told}${more}.`
}

function namesakesText(state: State, hosts: readonly HostId[]): string {
  const name = nameOf(state, hosts[0] ?? state.options.self)
  const ids = hosts.map(shortHostId).join(', ')
  return `${hosts.length} hosts are called ${name} (${ids}): give one another name under host: in its muster.yaml, and restart it`
}

/** One sentence: the worst that fires, else who is late, else that everyone is here. */
export function headlineOf(hosts: readonly HostView[], incidents: readonly IncidentView[]): string {
  const bad = incidents.filter((incident) => isBadNews(incident) && !incident.folded)
  const [worst, ...others] = bad
  if (worst !== undefined) {
    return others.length === 0 ? `${sentenceOf(worst)}.` : `${sentenceOf(worst)}, and ${others.length} more.`
  }
  const late = hosts.find(({ state }) => state === 'suspect')
  if (late !== undefined) return `${late.label} is late.`
  const unheard = hosts.find(({ state, ageMs }) => state === 'alive' && ageMs === null)
  if (unheard !== undefined) return `${unheard.label} has not been heard yet.`
  const isSomebodyExcused = hosts.some(
    ({ state, stopping, inMaintenance }) => state !== 'alive' || stopping || inMaintenance,
  )
  return isSomebodyExcused ? 'Everyone else is here.' : 'Everyone is here.'
}
