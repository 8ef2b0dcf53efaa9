/**
 * Repeated outages of one host.
 *
 * Outages are counted from the verdicts that all members share, so that all count alike, also after a restart.
 */
import type { HostId } from '../ids.ts'
import { PRESENCE } from '../ids.ts'
import { flapping } from '../limits.ts'
import type { State } from '../state.ts'
import type { Life } from '../wire/records.ts'
import { nowOf, type Work } from '../work.ts'
import { keepIncident, resolveIncident } from './host-incidents.ts'

/** How many lives of a host have ended in verdicts within the flapping window, `life` included. */
export function outagesOf(state: State, host: HostId, life: Life): number {
  const lives = new Set([`${life.incarnation}/${life.epoch}`])
  for (const { record, bornAtMs } of state.records.values()) {
    if (record.domain !== 'verdict' || record.body.subject !== host || record.body.fault !== 'silent') continue
    if (state.clock.elapsedMs - bornAtMs > flapping.withinMs) continue
    lives.add(`${record.body.life.incarnation}/${record.body.life.epoch}`)
  }
  return lives.size
}

/** A verdict learnt later may show that an open incident is one of many: then it is a flapping one. */
export function noticeFlapping(work: Work, host: HostId): void {
  for (const incident of work.state.incidents.values()) {
    if (incident.host !== host || incident.check !== PRESENCE || incident.state !== 'firing') continue
    if (incident.fault !== 'silent' || incident.life === null) continue
    const outages = outagesOf(work.state, host, incident.life)
    if (outages >= flapping.outages) keepIncident(work, { ...incident, fault: 'flapping', outages })
  }
}

/** Ends the flapping incidents of hosts that have been steady for long enough. */
export function endSteadyFlapping(work: Work): void {
  for (const incident of work.state.incidents.values()) {
    if (incident.fault !== 'flapping' || incident.state !== 'firing') continue
    const member = work.state.members.get(incident.host)
    if (member === undefined || (member.state !== 'alive' && member.state !== 'suspect')) continue
    const holdMs = flapping.holdMs * 2 ** Math.min(10, Math.max(0, incident.outages - flapping.outages))
    if (nowOf(work) - member.stateAtMs >= Math.min(flapping.holdMostMs, holdMs)) resolveIncident(work, incident)
  }
}
