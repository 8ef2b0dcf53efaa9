/** Incidents, with who saw them, who was told and who quietened them. Pure. */
import {
  attemptsOf,
  factsOf,
  type HostId,
  ID_PREFIX_MIN,
  type Incident,
  type IncidentId,
  isFolded,
  isInMaintenance,
  labelOf,
  meshRecords,
  type NoticeFact,
  PRESENCE,
  type RecipientId,
  recipientIdOf,
  recipientsOf,
  type State,
  silenceOn,
} from '@muster/protocol'
import { compareText } from './host-views.ts'
import { missedIncidents } from './missed-incidents.ts'
import type { IncidentView, RecipientView, ToldView } from './shapes.ts'

const SEVERITIES = ['critical', 'unknown', 'warning'] as const
const STEPS = ['claim', 'release', 'accepted', 'stored', 'delivered'] as const
const SEPARATOR = '|'

/** All incidents that are known, and those `missed` here: open ones first, the worst of them first, then by the newest. */
export function viewIncidents(state: State, missed: readonly Incident[] = []): readonly IncidentView[] {
  const own = [...state.incidents.values()]
  const short = shortIds([...own, ...missed])
  return [
    ...own.map((incident) => viewIncident(state, incident, short)),
    ...missed.map((incident) => ({ ...viewIncident(state, incident, short), missed: true })),
  ].sort(worstFirst)
}

function worstFirst(a: IncidentView, b: IncidentView): number {
  if (a.state !== b.state) return a.state === 'firing' ? -1 : 1
  if (a.state === 'firing') {
    const bySeverity = badnessOf(a) - badnessOf(b)
    const byHost = Number(a.check !== PRESENCE) - Number(b.check !== PRESENCE)
    if (bySeverity !== 0 || byHost !== 0) return bySeverity || byHost
  }
  return b.sinceUnixMs - a.sinceUnixMs || compareText(a.id, b.id)
}

/** From the worst: a host that sleeps is no trouble at all. */
function badnessOf({ fault, severity }: IncidentView): number {
  return fault === 'asleep' ? SEVERITIES.length : SEVERITIES.indexOf(severity)
}

function silenceOf(state: State, incident: Incident): Pick<IncidentView, 'silenced' | 'silence'> {
  const silence = silenceOn(state, incident)
  if (silence === null) return { silenced: false, silence: null }
  const untilUnixMs = Math.round(state.clock.unixMs + silence.leftMs)
  return { silenced: true, silence: { by: labelOf(state, silence.by), untilUnixMs } }
}

function viewIncident(state: State, incident: Incident, short: ReadonlyMap<IncidentId, string>): IncidentView {
  const { id, aliases, host, check, fault, severity, observers, because, outages } = incident
  const { sinceUnixMs, resolvedUnixMs } = incident
  return {
    id,
    aliases,
    shortId: short.get(id) ?? id,
    host,
    hostName: labelOf(state, host),
    check,
    fault,
    severity,
    state: incident.state,
    sinceUnixMs: Math.round(sinceUnixMs),
    resolvedUnixMs,
    lastedMs: Math.max(0, Math.round(endOf(state, incident) - sinceUnixMs)),
    voters: incident.voters.map((voter) => labelOf(state, voter)),
    observers: fault === 'isolated' ? state.members.size : observers,
    because,
    outages,
    alsoOn: check === PRESENCE && fault !== 'isolated' ? checksOf(state, host) : [],
    told: toldOf(state, incident),
    acknowledged: acknowledgementOf(state, incident),
    ...silenceOf(state, incident),
    inMaintenance: isInMaintenance(state, host),
    folded: isFolded(state, incident),
    missed: false,
  }
}

/** Of one that is over nobody here knows since when, there is no length to be shown. */
function endOf({ clock }: State, { state, resolvedUnixMs, sinceUnixMs }: Incident): number {
  return resolvedUnixMs ?? (state === 'firing' ? clock.unixMs : sinceUnixMs)
}

/** True for what counts as bad news: open, not merely asleep, and not quietened by anybody. */
export function isBadNews({ state, fault, silenced, inMaintenance }: IncidentView): boolean {
  return state === 'firing' && fault !== 'asleep' && !silenced && !inMaintenance
}

function checksOf(state: State, host: HostId): readonly string[] {
  return [...(state.results.get(host)?.keys() ?? [])].sort()
}

function acknowledgementOf(state: State, incident: Incident): IncidentView['acknowledged'] {
  for (const { body } of meshRecords(state, 'ack')) {
    if (body.incident === incident.id || incident.aliases.includes(body.incident)) {
      return { by: body.by, atUnixMs: body.atUnixMs }
    }
  }
  return null
}

function toldOf(state: State, incident: Incident): readonly ToldView[] {
  const names = new Map(recipientsOf(state).map(({ id, name }) => [id, name]))
  const told = new Map<string, ToldView>()
  for (const id of [incident.id, ...incident.aliases]) {
    for (const { transition, recipient } of state.facts.get(id) ?? []) {
      const view = furthest(state, factsOf(state, incident, transition, recipient))
      if (view === undefined) continue
      const recipientName = names.get(recipient) ?? recipient.slice(0, 8)
      told.set(`${transition}${SEPARATOR}${recipient}`, { recipient, recipientName, transition, ...view })
    }
  }
  return [...told.values()].sort(
    (a, b) => compareText(a.recipientName, b.recipientName) || compareText(a.transition, b.transition),
  )
}

/** The furthest that any attempt got. A device's own answer names no teller: it is the one whose notice was taken. */
function furthest(state: State, facts: readonly NoticeFact[]): Pick<ToldView, 'step' | 'by' | 'atUnixMs'> | undefined {
  let best: NoticeFact | undefined
  for (const fact of facts) {
    if (best === undefined || STEPS.indexOf(fact.step) > STEPS.indexOf(best.step)) best = fact
  }
  if (best === undefined) return undefined
  const taken = attemptsOf(facts).find(({ acceptedAtMs }) => acceptedAtMs !== null)
  const by = best.step === 'delivered' ? (taken?.peer ?? best.peer) : best.peer
  return { step: best.step, by: labelOf(state, by), atUnixMs: wallTimeOf(state, best.atMs) }
}

/** What the awake clock showed `atMs`, on the wall clock; null for what was read from disk at the start. */
function wallTimeOf({ clock }: State, atMs: number): number | null {
  return atMs > 0 ? Math.round(clock.unixMs - (clock.awakeMs - atMs)) : null
}

/** For each incident the shortest start of its id that no other one shares. */
export function shortIds(incidents: readonly Pick<Incident, 'id' | 'aliases'>[]): ReadonlyMap<IncidentId, string> {
  const all = incidents.flatMap(({ id, aliases }) => [id, ...aliases]).sort()
  const shared = (a = '', b = ''): number => {
    let length = 0
    while (length < a.length && a[length] === b[length]) length += 1
    return length
  }
  const short = new Map<IncidentId, string>()
  for (const [index, id] of all.entries()) {
    const needed = Math.max(shared(id, all[index - 1]), shared(id, all[index + 1])) + 1
    short.set(id, id.slice(0, Math.max(ID_PREFIX_MIN, needed)))
  }
  return short
}

/** The incidents whose id, or an alias of it, starts with these hex digits; open ones alone where there are some. */
export function findIncidents(state: State, start: string): readonly Incident[] {
  const digits = start.toLowerCase()
  if (!/^[0-9a-f]{4,64}$/.test(digits)) return []
  const found = [...state.incidents.values(), ...missedIncidents(state)].filter((incident) =>
    [incident.id, ...incident.aliases].some((id) => id.startsWith(digits)),
  )
  const open = found.filter((incident) => incident.state === 'firing')
  return open.length > 0 ? open : found
}

/** Who is told, by name. */
export function viewRecipients(state: State): readonly RecipientView[] {
  const added = new Map<string, number>()
  for (const { id, body } of meshRecords(state, 'recipient')) added.set(id, body.atUnixMs)
  return recipientsOf(state).map(({ id, record, name, publicKey }) => ({
    id,
    name,
    publicKey: Buffer.from(publicKey).toString('hex'),
    addedUnixMs: added.get(record) ?? 0,
  }))
}

/** The record that added a recipient, by its id. */
export function recordOfRecipient(state: State, recipient: RecipientId): string | undefined {
  return recipientsOf(state).find(({ publicKey }) => recipientIdOf(publicKey) === recipient)?.record
}
