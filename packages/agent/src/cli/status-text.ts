/** `muster status` as text: with colours and bars in a terminal, with letters elsewhere. Pure. */
import { sentenceOf } from '../api/sentence.ts'
import type { HostView, IncidentView, Mark, StatusView, ToldView } from '../api/shapes.ts'
import { counted, fitted, listed, plain } from './plain-text.ts'
import { ageText, clockText, durationText } from './time-text.ts'

const MARKS_WIDTH = 40
const NAME_WIDTH_MAX = 24
/** What tells two hosts of one name apart, a space and brackets included. */
const SHORT_ID_WIDTH = 11
const ANSWER_WIDTH = 10
const INCIDENTS_MAX = 15
const NAMES_MAX = 8

/** How the text is drawn. */
export interface Drawing {
  readonly colour: boolean
  readonly columns: number
  readonly timeZone?: string
  /** Makes the commands in a text of ours work when they are typed. */
  readonly typed: (text: string) => string
  /** The word at the right of the head: `live`, or what is wrong. */
  readonly link?: string
}

type Ink = 'red' | 'amber' | 'green' | 'grey' | 'bold' | 'none'

/** Basic colours only: they follow the user's own theme. */
const CODES: Readonly<Record<Ink, string>> = { red: '31', amber: '33', green: '32', grey: '90', bold: '1', none: '' }

const BARS: Readonly<Record<Mark, string>> = { o: '▇', w: '▅', c: '▃', _: '▁', '?': '╌', z: '·' }

/** The whole page, line by line. */
export function statusLines(status: StatusView, drawing: Drawing): readonly string[] {
  const body = drawing.colour ? colouredPage(status, drawing) : plainPage(status, drawing)
  return [...body, ...footer(status, drawing)]
}

function plainPage(status: StatusView, drawing: Drawing): readonly string[] {
  const shown = status.incidents.filter(({ folded }) => !folded)
  const lines = shown.length === 0 ? [plain(status.headline)] : []
  for (const incident of shown.slice(0, INCIDENTS_MAX)) lines.push(...plainIncident(incident, status, drawing))
  if (shown.length > INCIDENTS_MAX)
    lines.push(drawing.typed(`and ${shown.length - INCIDENTS_MAX} more: muster incidents`))
  return [...lines, '', ...hostRows(status, drawing)]
}

function plainIncident(incident: IncidentView, status: StatusView, { timeZone, typed }: Drawing): readonly string[] {
  const since = clockText(incident.sinceUnixMs, status.nowUnixMs, timeZone)
  const lines = [
    `${plain(sentenceOf(incident))} since ${since} (${durationText(incident.lastedMs)}).${agreementText(incident)} Incident ${incident.shortId}.`,
  ]
  const told = toldText(incident, status.nowUnixMs, timeZone)
  lines.push(`Told: ${told === '' ? typed(nobodyText(incident, status)) : told}.`)
  const silence = silenceText(incident, status.nowUnixMs, timeZone)
  if (silence !== '') lines.push(`It is ${silence}: until then nothing more is told of it.`)
  if (incident.alsoOn.length > 0) lines.push(`Also on ${plain(incident.hostName, 64)}: ${alsoOnText(incident)}.`)
  return lines
}

function agreementText({ fault, voters, observers }: IncidentView): string {
  if (fault === 'check' || fault === 'isolated') return ''
  const of = Math.max(observers, voters.length)
  return ` ${voters.length} of ${counted(of, 'peer')} agree${of === 1 ? 's' : ''}.`
}

function alsoOnText({ alsoOn }: IncidentView): string {
  return `${listed(alsoOn, NAMES_MAX)} (${counted(alsoOn.length, 'check')}, now unknown)`
}

function nobodyText(incident: IncidentView, { recipients }: StatusView): string {
  if (incident.fault === 'asleep') return 'nobody, it sleeps'
  if (incident.inMaintenance) return 'nobody, it is in maintenance'
  if (incident.silenced) return 'nobody, it is silenced'
  return recipients.length === 0 ? 'nobody, there is no recipient: muster recipient add phone' : 'nobody yet'
}

/** "silenced until 15:20:00 by laptop"; empty while it is not. */
export function silenceText({ silence }: IncidentView, nowUnixMs: number = Date.now(), timeZone?: string): string {
  if (silence === null) return ''
  return `silenced until ${clockText(silence.untilUnixMs, nowUnixMs, timeZone)} by ${plain(silence.by, 64)}`
}

const STEP_WORDS: Readonly<Record<ToldView['step'], string>> = {
  claim: 'being told',
  release: 'could not be told',
  accepted: 'accepted, not yet delivered',
  stored: 'stored, not yet delivered',
  delivered: 'delivered',
}

/** "phone 03:14:05, delivered, not answered"; empty while nobody was told. */
export function toldText(incident: IncidentView, nowUnixMs: number = Date.now(), timeZone?: string): string {
  const newest = new Map<string, ToldView>()
  for (const told of incident.told) {
    const before = newest.get(told.recipient)
    const isLater = before === undefined || rankOf(told.transition) >= rankOf(before.transition)
    if (isLater) newest.set(told.recipient, told)
  }
  const parts = [...newest.values()].map(({ recipientName, step, atUnixMs, by }) => {
    const time = atUnixMs === null ? '' : ` ${clockText(atUnixMs, nowUnixMs, timeZone)}`
    return `${plain(recipientName, 64)}${time}, ${STEP_WORDS[step]} by ${plain(by, 64)}`
  })
  if (parts.length === 0) return ''
  const answer = incident.acknowledged === null ? 'not answered' : `answered by ${plain(incident.acknowledged.by, 64)}`
  return `${parts.join('; ')}; ${answer}`
}

/** Of one that was missed here: "concluded by laptop, vps-2, learnt here afterwards"; empty for all others. */
export function missedText({ missed, voters, resolvedUnixMs }: IncidentView): string {
  if (!missed) return ''
  const end = resolvedUnixMs === null ? '; it is over, since when is not known here' : ''
  return `concluded by ${listed(voters, NAMES_MAX)}, learnt here afterwards${end}`
}

function rankOf(transition: ToldView['transition']): number {
  if (transition === 'fired') return 0
  if (transition === 'worse') return 1
  if (transition === 'resolved') return Number.MAX_SAFE_INTEGER
  return 2 + Number(transition.slice('reminder-'.length))
}

function colouredPage(status: StatusView, drawing: Drawing): readonly string[] {
  const { columns, timeZone, link = 'live' } = drawing
  const right = `${clockText(status.nowUnixMs, status.nowUnixMs, timeZone)}  ${link}`
  const title = `Muster  as ${plain(status.name, 64)} sees it`
  const width = Math.min(Math.max(40, columns), 100)
  const gap = ' '.repeat(Math.max(2, width - title.length - right.length))
  const lines = [`${ink('Muster', 'bold')}${title.slice(6)}${gap}${right}`, ink('─'.repeat(width), 'grey')]
  const shown = status.incidents.filter(({ folded }) => !folded)
  if (shown.length === 0) lines.push(ink(plain(status.headline), status.well ? 'bold' : 'red'))
  const [worst] = shown
  if (worst !== undefined) lines.push(...worstIncident(worst, status, drawing))
  lines.push('', ...hostRows(status, drawing))
  if (shown.length > 1) lines.push('', ...incidentTable(shown, status, drawing))
  return lines
}

function worstIncident(incident: IncidentView, status: StatusView, { timeZone, typed }: Drawing): readonly string[] {
  const since = clockText(incident.sinceUnixMs, status.nowUnixMs, timeZone)
  const lines = [
    `${ink(`${plain(sentenceOf(incident))}.`, inkOf(incident))}  since ${since}, ${durationText(incident.lastedMs)}   incident ${incident.shortId}`,
  ]
  if (incident.fault !== 'check')
    lines.push(`  seen by   ${listed(incident.voters, NAMES_MAX)}:${agreementText(incident).replace(/\.$/, '')}`)
  const told = toldText(incident, status.nowUnixMs, timeZone)
  lines.push(`  told      ${told === '' ? ink(typed(nobodyText(incident, status)), 'amber') : told}`)
  const silence = silenceText(incident, status.nowUnixMs, timeZone)
  if (silence !== '') lines.push(`  quiet     ${silence}`)
  if (incident.alsoOn.length > 0) lines.push(`  also on   ${alsoOnText(incident)}`)
  return lines
}

function inkOf({ severity, inMaintenance, silenced, fault }: IncidentView): Ink {
  if (inMaintenance || silenced || fault === 'asleep' || severity === 'unknown') return 'grey'
  return severity === 'critical' ? 'red' : 'amber'
}

function incidentTable(incidents: readonly IncidentView[], status: StatusView, { typed }: Drawing): readonly string[] {
  const rows = incidents.slice(0, INCIDENTS_MAX).map((incident) => {
    const told = toldText(incident, status.nowUnixMs) === '' ? typed(nobodyText(incident, status)) : ''
    const age = fitted(durationText(incident.lastedMs), 12)
    const word = ink(fitted(severityWord(incident), 8), inkOf(incident))
    return `${fitted(incident.shortId, 6)}  ${word}  ${fitted(plain(sentenceOf(incident)), 36)}  ${age} ${told}`.trimEnd()
  })
  return [ink('INCIDENT', 'grey'), ...rows]
}

/** How bad it is, in a word; a host that sleeps is not bad. */
export function severityWord({ fault, severity }: IncidentView): string {
  return fault === 'asleep' ? 'asleep' : severity
}

/** The word with which a host answers the roll. */
export function answerOf(host: Pick<HostView, 'state' | 'ageMs' | 'stopping' | 'inMaintenance'>): string {
  switch (host.state) {
    case 'alive':
      if (host.ageMs === null) return 'not yet'
      return host.stopping ? 'stopping' : 'here'
    case 'suspect':
      return 'late'
    case 'silent':
      return 'no answer'
    default:
      return host.state
  }
}

const GLYPHS: Readonly<Record<Mark, readonly [string, Ink]>> = {
  o: ['✓', 'green'],
  w: ['!', 'amber'],
  c: ['×', 'red'],
  _: ['×', 'red'],
  '?': ['?', 'grey'],
  z: ['z', 'grey'],
}

function hostRows(status: StatusView, { colour }: Drawing): readonly string[] {
  const { hosts } = status
  const width = Math.max(4, ...hosts.map((host) => [...rowName(host)].length))
  const rows = hosts.map((host) => {
    const mark = glyphMark(host)
    const name = fitted(rowName(host), width)
    const age = (host.ageMs === null ? '-' : host.isSelf ? 'now' : ageText(host.ageMs)).padStart(4)
    const more = trouble(host)
    if (!colour) {
      const bar = host.recent.slice(-MARKS_WIDTH).join('').padStart(MARKS_WIDTH)
      return `${name}  ${fitted(answerOf(host), ANSWER_WIDTH)} ${age}   ${bar}  ${more}`.trimEnd()
    }
    const [glyph, glyphInk] = GLYPHS[mark]
    const isHere = host.state === 'alive' && mark === 'o'
    const answer = ink(fitted(answerOf(host), ANSWER_WIDTH), isHere ? 'green' : glyphInk)
    return `${ink(glyph, glyphInk)} ${name}  ${answer} ${age}   ${colouredBar(host)}  ${more}`.trimEnd()
  })
  const head = `  ${fitted('HOST', width)}  ${fitted('ANSWER', ANSWER_WIDTH)}        ONE MARK 20 s, NOW AT THE RIGHT`
  return colour ? [ink(head, 'grey'), ...rows] : rows
}

/** A long name is cut, but not what tells two hosts of one name apart. */
function rowName({ name, label }: HostView): string {
  const cut = (text: string): string => fitted(plain(text, 64), NAME_WIDTH_MAX).trimEnd()
  if (name === label) return cut(name)
  const idAt = label.lastIndexOf(' (')
  return `${cut(label.slice(0, idAt))} ${plain(label.slice(idAt + 1), SHORT_ID_WIDTH)}`
}

function glyphMark(host: HostView): Mark {
  return (
    host.recent.at(-1) ??
    (host.state === 'silent' ? '_' : host.state === 'asleep' ? 'z' : host.state === 'alive' ? 'o' : '?')
  )
}

/** What is wrong on a host, in a few words. */
function trouble(host: HostView): string {
  const bad = host.checks.filter(({ status }) => status === 'critical' || status === 'warning' || status === 'late')
  const words = [
    host.inMaintenance ? 'maintenance' : '',
    host.reach === 'relayed' ? 'heard through another host' : '',
    bad.length === 0
      ? ''
      : bad
          .map(({ name, status }) => `${plain(name, 24)} ${status}`)
          .slice(0, 3)
          .join(', '),
  ]
  return words.filter((word) => word !== '').join('; ')
}

/** Green only for what answers now: the past of a host that is missing is grey. */
function colouredBar(host: HostView): string {
  const marks = host.recent.slice(-MARKS_WIDTH)
  const isPresent = host.state === 'alive' || host.state === 'suspect'
  const pad = ' '.repeat(MARKS_WIDTH - marks.length)
  return pad + marks.map((mark) => ink(BARS[mark], barInk(mark, isPresent))).join('')
}

function barInk(mark: Mark, isPresent: boolean): Ink {
  if (mark === 'o') return isPresent ? 'green' : 'grey'
  if (mark === 'w') return 'amber'
  return mark === 'c' || mark === '_' ? 'red' : 'grey'
}

function footer(status: StatusView, { colour, typed }: Drawing): readonly string[] {
  const notes = [...status.warnings, ...status.troubles].map((text) => plain(text, 300))
  if (status.isolated) notes.unshift('This host hears nobody, so it accuses nobody: is its own network down?')
  if (status.recipients.length === 0) notes.push(typed('Nobody is told yet: muster recipient add phone'))
  return notes.length === 0 ? [] : ['', ...notes.map((note) => (colour ? ink(note, 'amber') : note))]
}

function ink(text: string, colour: Ink): string {
  return colour === 'none' || text === '' ? text : `\u001b[${CODES[colour]}m${text}\u001b[0m`
}
