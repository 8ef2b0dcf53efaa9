/** What keeps an incident from being told: silences, maintenance, sleep, and a host's own incident that covers its checks. */
import type { HostId } from '../ids.ts'
import { PRESENCE } from '../ids.ts'
import { meshRecords } from '../records.ts'
import type { State } from '../state.ts'
import type { Incident } from './incident.ts'

/** The shortest start of an incident's id that a person may name it by. */
export const ID_PREFIX_MIN = 4

/** Whether this incident is to be told now. */
export function isTellable(state: State, incident: Incident): boolean {
  if (incident.fault === 'asleep') return false
  if (incident.fault === 'check' && (incident.severity === 'unknown' || isFolded(state, incident))) return false
  return !isInMaintenance(state, incident.host) && !isSilenced(state, incident)
}

/** A check of a host that is itself missing: folded into the host's incident. */
export function isFolded(state: State, incident: Incident): boolean {
  const member = state.members.get(incident.host)
  if (incident.check === PRESENCE || member === undefined) return false
  if (member.state === 'silent') return true
  // A promise that holds even in sleep is told even in sleep.
  const result = state.results.get(incident.host)?.get(incident.check)
  return member.state === 'asleep' && result?.heartbeat !== 'always'
}

/** Whether a maintenance of the host is running. */
export function isInMaintenance(state: State, host: HostId): boolean {
  for (const { body, bornAtMs } of meshRecords(state, 'maintenance')) {
    if (body.host === host && state.clock.elapsedMs - bornAtMs < body.forMs) return true
  }
  return false
}

/** Whether somebody has answered for the incident: it is not told again, but its end is. */
export function isAcknowledged(state: State, incident: Incident): boolean {
  for (const { body } of meshRecords(state, 'ack')) {
    if (body.incident === incident.id || incident.aliases.includes(body.incident)) return true
  }
  return false
}

/** Whether a silence that matches the incident is running. */
export function isSilenced(state: State, incident: Incident): boolean {
  for (const { body, bornAtMs } of meshRecords(state, 'silence')) {
    if (state.clock.elapsedMs - bornAtMs >= body.forMs) continue
    if (matches(body.matcher, incident, nameOf(state, incident.host))) return true
  }
  return false
}

/**
 * Whether a matcher names the incident: a start of its id (four hex digits or more), `HOST`, `HOST/CHECK`, or either with
 * `*` for any run of characters.
 */
export function matches(matcher: string, incident: Pick<Incident, 'id' | 'aliases' | 'check'>, host: string): boolean {
  if (/^[0-9a-f]+$/.test(matcher) && matcher.length >= ID_PREFIX_MIN) {
    if ([incident.id, ...incident.aliases].some((id) => id.startsWith(matcher))) return true
  }
  const [hostPattern = '', checkPattern] = matcher.split('/', 2)
  if (!matchesGlob(hostPattern, host)) return false
  return checkPattern === undefined || matchesGlob(checkPattern, incident.check)
}

function matchesGlob(pattern: string, text: string): boolean {
  const parts = pattern.split('*')
  if (parts.length === 1) return pattern === text
  let rest = text
  for (const [index, part] of parts.entries()) {
    if (index === 0) {
      if (!rest.startsWith(part)) return false
      rest = rest.slice(part.length)
    } else if (index === parts.length - 1) {
      return rest.endsWith(part)
    } else {
      const at = rest.indexOf(part)
      if (at < 0) return false
      rest = rest.slice(at + part.length)
    }
  }
  return true
}

/** The name that a host goes by; the start of its id while that is unknown. */
export function nameOf(state: State, host: HostId): string {
  if (host === state.options.self) return state.options.name
  return state.members.get(host)?.profile?.name ?? host.slice(-8)
}
