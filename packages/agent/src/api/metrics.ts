/**
 * `GET /metrics`: what a Prometheus would like to know of the mesh, in its text format.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { StatusView } from './shapes.ts'

/** The media type of the text. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const MEMBER_STATES = ['alive', 'suspect', 'silent', 'asleep', 'left', 'revoked'] as const
const STATUSES = ['ok', 'warning', 'critical', 'unknown', 'late'] as const
const SEVERITIES = ['critical', 'warning', 'unknown'] as const

type Labels = Readonly<Record<string, string>>

/** The page, from the status and this process's own size. */
export function metricsPage(
  status: StatusView,
  process: { readonly rssBytes: number; readonly uptimeS: number },
): string {
  const lines: string[] = []
  function metric(name: string, help: string, samples: readonly (readonly [Labels, number])[]): void {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`)
    for (const [labels, value] of samples) lines.push(`${name}${labelText(labels)} ${value}`)
  }
  const { hosts, incidents, waku, store } = status
  metric('muster_build_info', 'The running release.', [[{ version: status.version, host: status.name }, 1]])
  metric('muster_uptime_seconds', 'How long this agent has run.', [[{}, Math.round(process.uptimeS)]])
  metric('muster_well', '1 while nothing fires that is not quietened, and this host has met another if it should.', [
    [{}, Number(status.well)],
  ])
  metric('muster_isolated', '1 while this host hears nobody.', [[{}, Number(status.isolated)]])
  metric(
    'muster_host_state',
    'What this host believes about each host: 1 for the state that holds.',
    hosts.flatMap(({ name, state }) =>
      MEMBER_STATES.map((each) => [{ host: name, state: each }, Number(each === state)] as const),
    ),
  )
  metric(
    'muster_host_heartbeat_age_seconds',
    'Since the newest heartbeat of a host.',
    hosts.flatMap(({ name, ageMs }) => (ageMs === null ? [] : [[{ host: name }, ageMs / 1_000] as const])),
  )
  metric(
    'muster_check_status',
    'The status of each check: 1 for the one that holds.',
    hosts.flatMap(({ checks }) =>
      checks.flatMap(({ hostName, name, status: held }) =>
        STATUSES.map((each) => [{ host: hostName, check: name, status: each }, Number(each === held)] as const),
      ),
    ),
  )
  metric(
    'muster_incidents_firing',
    'Open incidents.',
    SEVERITIES.map(
      (severity) => [{ severity }, incidents.filter((each) => each.severity === severity).length] as const,
    ),
  )
  metric('muster_recipients', 'Devices that are told.', [[{}, status.recipients.length]])
  metric('muster_waku_works', '1 while Waku takes messages of this host.', [[{}, Number(waku.works)]])
  metric('muster_waku_peers', 'Waku nodes that this host is connected to.', [[{}, waku.peers]])
  metric('muster_waku_subscribers', "Devices that listen at this host's Waku node.", [[{}, waku.subscribers]])
  metric('muster_store_works', '1 while the disk takes what this host is to keep.', [[{}, Number(store === null)]])
  metric('process_resident_memory_bytes', 'Resident memory size in bytes.', [[{}, process.rssBytes]])
  return `${lines.join('\n')}\n`
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

/** Backslash, quote and line end, as the format wants them; other control characters have no place in a label. */
export function escapeLabel(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD')
}
