/** What keeps an incident from being told: silences, maintenance, sleep, and a host's own incident that covers its checks. */
import { nameOf } from '../host-names.ts'
import type { HostId } from '../ids.ts'
import { PRESENCE } from '../ids.ts'
import { meshRecords } from '../sorted-records.ts'
import type { State } from '../state.ts'
import type { Incident } from './incident.ts'

/** The shortest start of an incident's id that a person may name it by. */
export const ID_PREFIX_MIN = 4

/** Whether this incident is to be told now. */
export function isTellable(state: State, incident: Incident): boolean {
  if (incident.fault === 'asleep') return false
  if (incident.fault === 'check' && (incident.severity === 'unknown' || isFolded(state, incident))) return false
  return !isQuietened(state, incident)
}

/** Whether somebody wants to hear nothing of the incident for now: neither that it fires, nor that it ends. */
export function isQuietened(state: State, incident: Incident): boolean {
  return isInMaintenance(state, incident.host) || isSilenced(state, incident)
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
  return silenceOn(state, incident) !== null
}

/** The silence that lasts longest of those that match the incident: at which host it was asked for, and what is left. */
export function silenceOn(state: State, incident: Incident): { readonly by: HostId; readonly leftMs: number } | null {
  let longest: { readonly by: HostId; readonly leftMs: number } | null = null
  for (const { signer, body, bornAtMs } of meshRecords(state, 'silence')) {
    const leftMs = body.forMs - (state.clock.elapsedMs - bornAtMs)
    if (leftMs <= 0 || (longest !== null && leftMs <= longest.leftMs)) continue
    if (matches(body.matcher, incident, nameOf(state, incident.host))) longest = { by: signer, leftMs }
  }
  return longest
}

/**
 * Whether a matcher names the incident: a start of its id (four hex digits or more), `HOST`, `HOST/CHECK`, or either with
 * `*` for any run of characters. `HOST` is a name or a whole id.
 */
export function matches(
  matcher: string,
  incident: Pick<Incident, 'id' | 'aliases' | 'host' | 'check'>,
  host: string,
): boolean {
  if (/^[0-9a-f]+$/.test(matcher) && matcher.length >= ID_PREFIX_MIN) {
    if ([incident.id, ...incident.aliases].some((id) => id.startsWith(matcher))) return true
  }
  const [hostPattern = '', checkPattern] = matcher.split('/', 2)
  if (hostPattern !== incident.host && !matchesGlob(hostPattern, host)) return false
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
