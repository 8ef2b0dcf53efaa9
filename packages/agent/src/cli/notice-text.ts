/**
 * A notice as a person reads it in a terminal or a chat. Pure: one notice, one text.
 *
 * Plain, calm, exact: what, since when, who saw it, what else is on it, who told, how to answer. Every name in it was
 * written by somebody else and is stripped of what a terminal would obey.
 */
import { CLOSED_BY_LEAVE, type Notice, type Severity, type ToldIncident } from '@muster/protocol'
import { counted, listed, plain } from './plain-text.ts'
import { durationText, spanText, zonedText } from './time-text.ts'

/** Hosts that one notice tells of in lines of their own; names in one line. */
const LINES_MAX = 20
const NAMES_MAX = 12
const ID_DIGITS = 4

/** What the text depends on besides the notice. */
export interface Reading {
  /** The reader's wall clock. */
  readonly nowUnixMs: number
  /** The reader's time zone; the system's when absent. */
  readonly timeZone?: string
}

/** The word that heads the notice. A verdict by one observer is UNKNOWN, however bad it may be. */
export function headingOf(
  notice: Pick<Notice, 'transition' | 'incidents'>,
): 'CRITICAL' | 'WARNING' | 'UNKNOWN' | 'RESOLVED' {
  if (notice.transition === 'resolved') return 'RESOLVED'
  const severities = notice.incidents.map(({ severity }) => severity)
  const worst = (['critical', 'unknown', 'warning'] satisfies Severity[]).find((each) => severities.includes(each))
  if (worst === 'critical') return 'CRITICAL'
  return worst === 'warning' ? 'WARNING' : 'UNKNOWN'
}

/** The whole text, without a line end after the last line. */
export function noticeText(notice: Notice, reading: Reading): string {
  const [first] = notice.incidents
  if (first === undefined) return `${headingOf(notice)}  (an empty notice)`
  const lines =
    notice.incidents.length === 1 && !notice.massDeath
      ? oneIncident(notice, first, reading)
      : severalIncidents(notice, reading)
  const heading = `${headingOf(notice)}  `
  return [`${heading}${lines[0] ?? ''}`, ...lines.slice(1), lastLine(notice, first)].join('\n')
}

function oneIncident(notice: Notice, incident: ToldIncident, reading: Reading): readonly string[] {
  if (notice.transition === 'resolved') return [resolvedLine(incident, reading)]
  const lines = [`${whatFor(notice, incident)} since ${sinceText(notice, incident, reading)}`]
  const seen = seenLine(incident)
  if (seen !== '') lines.push(seen)
  if (incident.alsoOn.length > 0) lines.push(alsoOnLine(incident))
  return lines
}

/** "vps-1 is silent", "vps-1 is still silent", "disk on vps-1 has become critical". */
function whatFor({ transition }: Notice, incident: ToldIncident): string {
  const host = plain(incident.hostName, 64)
  const still = transition.startsWith('reminder') ? 'still ' : ''
  switch (incident.fault) {
    case 'silent':
      return incident.severity === 'unknown'
        ? `${host} is ${still}silent, says one observer,`
        : `${host} is ${still}silent`
    case 'stopped':
      return `${host} was stopped and is ${still}not back,`
    case 'asleep':
      return `${host} is ${still}asleep`
    case 'isolated':
      return `${host} ${still}hears nobody`
    case 'flapping':
      return `${host} ${still}comes and goes, silent`
    case 'check': {
      const verb = transition === 'worse' ? 'has become' : `is ${still}`.trimEnd()
      return `${plain(incident.check, 64)} on ${host} ${verb} ${incident.severity}`
    }
    default:
      return incident.fault satisfies never
  }
}

function sinceText(notice: Notice, incident: ToldIncident, { nowUnixMs, timeZone }: Reading): string {
  // By the teller's clock while the notice is fresh; a notice read later counts on by the reader's.
  const laterMs = Math.max(0, nowUnixMs - notice.writtenUnixMs)
  return `${zonedText(incident.sinceUnixMs, nowUnixMs, timeZone)} (${durationText(incident.lastedMs + laterMs)} ago)`
}

function seenLine(incident: ToldIncident): string {
  const { fault, voters, observers, because } = incident
  switch (fault) {
    case 'silent':
    case 'flapping':
      return `${agreement(incident)} No answer to a direct dial either: power or network.`
    case 'stopped':
      return `${agreement(incident)} It said that it was stopping, and is not back in its time.`
    case 'isolated':
      return `It hears none of the other ${observers} and accuses nobody: its own network, or all the others at once.`
    case 'asleep':
      return ''
    case 'check':
      return plain(because, 240)
    default:
      return `${listed(voters, NAMES_MAX)}${fault satisfies never}`
  }
}

function agreement({ voters, observers, severity }: ToldIncident): string {
  if (severity === 'unknown') return `Only one observer: ${listed(voters, NAMES_MAX)}.`
  const of = Math.max(observers, voters.length)
  return `${voters.length} of ${counted(of, 'peer')} agree${of === 1 ? 's' : ''}: ${listed(voters, NAMES_MAX)}.`
}

function alsoOnLine({ hostName, alsoOn }: ToldIncident): string {
  return `Also on ${plain(hostName, 64)}: ${listed(alsoOn, NAMES_MAX)} (${counted(alsoOn.length, 'check')}, now unknown)`
}

/** Says everything by itself: a reader may never have seen that it began. */
function resolvedLine(incident: ToldIncident, { nowUnixMs, timeZone }: Reading): string {
  const host = plain(incident.hostName, 64)
  const { sinceUnixMs, lastedMs } = incident
  const endUnixMs = sinceUnixMs + lastedMs
  const span = `${spanText(sinceUnixMs, endUnixMs)}, ${zonedText(sinceUnixMs, nowUnixMs, timeZone)} to ${zonedText(endUnixMs, nowUnixMs, timeZone)}`
  const isClosed = incident.because === CLOSED_BY_LEAVE
  const isBack = isClosed ? 'has left the mesh' : 'is back'
  switch (incident.fault) {
    case 'silent':
      return `${host} ${isBack}. It was silent for ${span}`
    case 'stopped':
      return `${host} ${isBack}. It was stopped for ${span}`
    case 'asleep':
      return `${host} is awake. It was asleep for ${span}`
    case 'isolated':
      return `${host} hears others again. It heard nobody for ${span}`
    case 'flapping':
      return `${host} ${isClosed ? isBack : 'is steady again'}. It came and went for ${span}`
    case 'check':
      return `${plain(incident.check, 64)} on ${host} is ${isClosed ? CLOSED_BY_LEAVE : 'well again'}. It was ${incident.severity} for ${span}`
    default:
      return incident.fault satisfies never
  }
}

function severalIncidents(notice: Notice, reading: Reading): readonly string[] {
  const { incidents, transition } = notice
  const hosts = [...new Set(incidents.map(({ hostName }) => hostName))]
  const names = listed(hosts, NAMES_MAX)
  const shown = incidents.slice(0, LINES_MAX)
  const rest = incidents.length > shown.length ? [`and ${incidents.length - shown.length} more`] : []
  if (transition === 'resolved') {
    const isAnyClosed = incidents.some(({ because }) => because === CLOSED_BY_LEAVE)
    return [
      `${counted(hosts.length, 'host')} ${hosts.length === 1 ? 'is' : 'are'} ${isAnyClosed ? 'no longer missed' : 'back'}: ${names}`,
      ...shown.map((each) => `  ${resolvedLine(each, reading)}`),
      ...rest,
    ]
  }
  const title = notice.massDeath
    ? `split or mass death: ${counted(hosts.length, 'host')} vanished at once: ${names}`
    : `${counted(hosts.length, 'host')} are in trouble: ${names}`
  return [
    title,
    ...shown.map((each) => `  ${whatFor(notice, each)} since ${sinceText(notice, each, reading)}. ${seenLine(each)}`),
    ...rest,
  ]
}

function lastLine(notice: Notice, first: ToldIncident): string {
  const told = `Told by ${plain(notice.toldBy, 64)}.`
  if (notice.transition === 'resolved') return told
  const id = plain(first.id, 64).slice(0, ID_DIGITS)
  return `${told} Answer: muster ack ${id} · muster silence ${id} --for 2h`
}
