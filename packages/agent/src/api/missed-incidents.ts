/**
 * Outages that this host has had no incident of: it was away or cut off itself when they began and ended, or was never
 * convinced.
 *
 * Nobody sends incidents; each host makes its own. But a catch-up brings the verdicts that others signed and the notice
 * log, and they tell who was missed, since when, who said so and who was told. Only shown: nothing is concluded from it.
 */
import {
  compareLives,
  type HostId,
  hostIncidentId,
  type Incident,
  type IncidentId,
  type Life,
  PRESENCE,
  type SignedAs,
  type State,
  type UnixMs,
} from '@muster/protocol'
import { MISSED_MAX } from './limits.ts'

/** One that is over, with the life that it ended. `resolvedUnixMs` is null where nothing that is held tells the end. */
export interface MissedIncident extends Incident {
  readonly life: Life
}

/** When a host first wrote into its log in a later life than this, by its own clock; null when no such entry is held. */
export type ReturnOf = (host: HostId, life: Life) => Promise<UnixMs | null>

/** The newest of them first, with their ends as the logs of their hosts tell them. */
export async function readMissedIncidents(state: State, returnOf: ReturnOf): Promise<readonly MissedIncident[]> {
  const open = new Set<HostId>()
  for (const { host, check, state: its } of state.incidents.values()) {
    if (check === PRESENCE && its === 'firing') open.add(host)
  }
  const told: MissedIncident[] = []
  for (const missed of missedIncidents(state)) {
    const ended = endedBy(missed, await returnOf(missed.host, missed.life))
    // Of a host that is missing still, an older verdict may be another name of the same trouble.
    if (ended.resolvedUnixMs !== null || !open.has(missed.host)) told.push(ended)
  }
  return told
}

/** The same as far as the core's state tells: one for each life that a verdict has ended and that its host outlived. */
export function missedIncidents(state: State): readonly MissedIncident[] {
  const known = new Set<IncidentId>()
  for (const { id, aliases } of state.incidents.values()) for (const each of [id, ...aliases]) known.add(each)
  const missed: MissedIncident[] = []
  for (const [id, verdicts] of outlivedVerdicts(state)) {
    if (!known.has(id)) missed.push(incidentOf(state, id, verdicts))
  }
  return missed.sort((a, b) => b.sinceUnixMs - a.sinceUnixMs).slice(0, MISSED_MAX)
}

/** One or more, on one life. */
type Verdicts = readonly [SignedAs<'verdict'>, ...SignedAs<'verdict'>[]]

function outlivedVerdicts(state: State): ReadonlyMap<IncidentId, Verdicts> {
  const byLife = new Map<string, Verdicts>()
  for (const { record } of state.records.values()) {
    if (record.domain !== 'verdict') continue
    const { subject, life } = record.body
    if (!isOutlived(state, subject, life)) continue
    const key = `${subject} ${life.incarnation} ${life.epoch}`
    const others = byLife.get(key)
    byLife.set(key, others === undefined ? [record] : [...others, record])
  }
  const byId = new Map<IncidentId, Verdicts>()
  for (const verdicts of byLife.values()) {
    const { subject, life } = verdicts[0].body
    byId.set(hostIncidentId(state.options.mesh, subject, life), verdicts)
  }
  return byId
}

/** Whoever holds a verdict on itself lives on. */
function isOutlived({ options, members }: State, host: HostId, life: Life): boolean {
  const member = members.get(host)
  return host === options.self || (member !== undefined && compareLives(member.life, life) > 0)
}

function incidentOf(state: State, id: IncidentId, verdicts: Verdicts): MissedIncident {
  const { subject: host, life, fault } = verdicts[0].body
  const bodies = verdicts.map(({ body }) => body)
  const sinceUnixMs = Math.max(...bodies.map(({ heardUnixMs }) => heardUnixMs))
  const missed: MissedIncident = {
    id,
    aliases: [],
    host,
    check: PRESENCE,
    fault,
    severity: bodies.every(({ alone }) => alone) ? 'unknown' : 'critical',
    state: 'resolved',
    life,
    episode: 0,
    // On the awake clock of whoever had it; here it is only shown.
    openedAtMs: 0,
    sinceAtMs: 0,
    resolvedAtMs: null,
    worsenedAtMs: null,
    sinceUnixMs,
    resolvedUnixMs: null,
    voters: [...new Set(verdicts.flatMap(({ signer, body }) => [signer, ...votersOf(body)]))].sort(),
    observers: Math.max(...bodies.map(({ observers }) => observers)),
    because: '',
    outages: Math.max(...bodies.map(({ outages }) => outages)),
  }
  return endedBy(endedBy(missed, startUnixMs(state, missed)), endToldUnixMs(state, id))
}

function votersOf({ votes }: SignedAs<'verdict'>['body']): readonly HostId[] {
  return votes.map(({ signer }) => signer)
}

/** The earliest sign of the end counts; one from before the beginning comes from a clock that is wrong. */
function endedBy(missed: MissedIncident, endUnixMs: UnixMs | null): MissedIncident {
  const { sinceUnixMs, resolvedUnixMs } = missed
  if (endUnixMs === null || endUnixMs < sinceUnixMs) return missed
  return { ...missed, resolvedUnixMs: Math.min(Math.round(endUnixMs), resolvedUnixMs ?? Number.POSITIVE_INFINITY) }
}

/** Of this host itself: when it was started, unless it went on in the very start that was missed. */
function startUnixMs({ options, life, clock }: State, missed: MissedIncident): UnixMs | null {
  if (missed.host !== options.self || missed.life.incarnation >= life.incarnation) return null
  return clock.unixMs - clock.elapsedMs
}

/** When somebody first set out to tell that it is over. */
function endToldUnixMs({ records, clock }: State, id: IncidentId): UnixMs | null {
  let earliest: UnixMs | null = null
  for (const { record, bornAtMs } of records.values()) {
    if (record.domain !== 'notice' || record.body.transition !== 'resolved') continue
    if (!record.body.incidents.includes(id)) continue
    earliest = Math.min(clock.unixMs - (clock.elapsedMs - bornAtMs), earliest ?? Number.POSITIVE_INFINITY)
  }
  return earliest
}
