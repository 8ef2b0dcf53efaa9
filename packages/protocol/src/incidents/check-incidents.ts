/** Incidents of checks: opened, worsened and ended by the results that the check's own host signed. */
import type { HostId } from '../ids.ts'
import type { Status } from '../observation.ts'
import { checkIncidentId } from '../wire/names.ts'
import type { Result } from '../wire/records.ts'
import { nowOf, type Work } from '../work.ts'
import { keepIncident, resolveIncident } from './host-incidents.ts'
import { CLOSED_BY_LEAVE, type Incident, type Severity } from './incident.ts'
import { openIncidents } from './open-incidents.ts'

const SEVERITY: Readonly<Record<Exclude<Status, 'ok'>, Severity>> = {
  warning: 'warning',
  critical: 'critical',
  late: 'critical',
  unknown: 'unknown',
}

/** Brings the incidents of one check in line with its newest result. */
export function judgeResult(work: Work, host: HostId, result: Result): void {
  const open = openCheckIncidentOf(work, host, result.check)
  // Who has said goodbye has no checks to be told of, also when an older result arrives after the goodbye.
  const hasLeft = work.state.members.get(host)?.state === 'left'
  if (result.status === 'ok' || hasLeft) {
    if (open !== null) resolveIncident(work, open, result.status === 'ok' ? open.because : CLOSED_BY_LEAVE)
    return
  }
  const severity = SEVERITY[result.status]
  const why = whyOf(result)
  if (open !== null && open.episode === result.episode) {
    if (open.severity === severity && open.because === why) return
    const worse = severity === 'critical' && open.severity !== 'critical'
    keepIncident(work, {
      ...open,
      severity,
      because: why,
      worsenedAtMs: worse ? nowOf(work) : open.worsenedAtMs,
    })
    return
  }
  if (open !== null) resolveIncident(work, open)
  keepIncident(work, {
    id: checkIncidentId(work.state.options.mesh, host, result.check, result.episode),
    aliases: [],
    host,
    check: result.check,
    fault: 'check',
    severity,
    state: 'firing',
    life: null,
    episode: result.episode,
    openedAtMs: nowOf(work),
    sinceAtMs: nowOf(work),
    resolvedAtMs: null,
    worsenedAtMs: null,
    sinceUnixMs: result.atUnixMs,
    resolvedUnixMs: null,
    voters: [host],
    observers: 1,
    because: why,
    outages: 0,
  })
}

/** The condition with its numbers in place; what the check said where there is no condition. */
function whyOf({ text, because }: Result): string {
  return because === '' ? text : because
}

/** The open incident of a check, if there is one. */
export function openCheckIncidentOf(work: Work, host: HostId, check: string): Incident | null {
  for (const incident of openIncidents(work.state)) {
    if (incident.host === host && incident.check === check) return incident
  }
  return null
}
