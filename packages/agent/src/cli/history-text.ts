/** `muster history` as text: what changed, and what each host last said. Pure. */
import { sentenceOf } from '../api/sentence.ts'
import type { HistoryEntryView, HistoryResultView, HistoryView, IncidentView } from '../api/shapes.ts'
import { fitted, plain } from './plain-text.ts'
import { missedText, toldText } from './status-text.ts'
import { dateTimeText, spanText } from './time-text.ts'

/** How it is told. */
export interface HistoryTelling {
  /** The newest lines that are kept. */
  readonly limit: number
  /** Every result, not only changes and the last of each check. */
  readonly all: boolean
  readonly nowUnixMs: number
  readonly timeZone?: string
}

interface Line {
  readonly atUnixMs: number
  readonly host: string
  readonly what: string
}

/** The lines, oldest first. */
export function historyLines(view: HistoryView, telling: HistoryTelling): readonly string[] {
  const lines = [...resultLines(view.entries, telling.all), ...incidentLines(view, telling)]
  const kept = lines.sort((a, b) => a.atUnixMs - b.atUnixMs).slice(-telling.limit)
  const width = Math.min(24, Math.max(0, ...kept.map(({ host }) => [...host].length)))
  return kept.map(
    ({ atUnixMs, host, what }) => `${dateTimeText(atUnixMs, telling.timeZone)}  ${fitted(host, width)}  ${what}`,
  )
}

function resultLines(entries: readonly HistoryEntryView[], all: boolean): readonly Line[] {
  const before = new Map<string, HistoryResultView>()
  const last = new Map<string, HistoryResultView>()
  for (const { host, results } of entries) {
    for (const result of results) {
      const key = `${host}|${result.check}`
      if (!last.has(key)) last.set(key, result)
    }
  }
  const lines: Line[] = []
  for (const { host, hostName, results, retired, atUnixMs } of entries.toReversed()) {
    const name = plain(hostName, 63)
    for (const result of results) {
      const key = `${host}|${result.check}`
      const isNews = before.get(key)?.status !== result.status || last.get(key) === result
      before.set(key, result)
      if (all || isNews) lines.push({ atUnixMs: result.atUnixMs, host: name, what: resultText(result) })
    }
    for (const check of retired) lines.push({ atUnixMs, host: name, what: `${plain(check, 64)}  is no longer watched` })
  }
  return lines
}

function resultText({ check, status, text, because }: HistoryResultView): string {
  const why = status === 'ok' || because === '' ? '' : `  (${plain(because, 160)})`
  return `${fitted(plain(check, 64), 10)}  ${fitted(status, 8)}  ${plain(text, 160)}${why}`.trimEnd()
}

function incidentLines({ incidents }: HistoryView, telling: HistoryTelling): readonly Line[] {
  return incidents.flatMap((incident) => {
    const { sinceUnixMs, resolvedUnixMs, shortId, hostName } = incident
    const host = plain(hostName, 63)
    const began = {
      atUnixMs: sinceUnixMs,
      host,
      what: `incident ${shortId}: ${plain(sentenceOf(incident), 160)}${seenText(incident, telling)}`,
    }
    if (resolvedUnixMs === null) return [began]
    const ended = {
      atUnixMs: resolvedUnixMs,
      host,
      what: `incident ${shortId} ended after ${spanText(sinceUnixMs, resolvedUnixMs)}`,
    }
    return [began, ended]
  })
}

/** Who saw it; of one that was missed here also who was told, for it is in no other line. */
function seenText(incident: IncidentView, { nowUnixMs, timeZone }: HistoryTelling): string {
  const { missed, fault, voters, observers } = incident
  if (missed) {
    const told = toldText(incident, nowUnixMs, timeZone)
    return `, ${[missedText(incident), ...(told === '' ? [] : [`told ${told}`])].join('; ')}`
  }
  if (fault === 'check' || fault === 'isolated') return ''
  return `, ${voters.length} of ${Math.max(observers, voters.length)} agreed`
}
