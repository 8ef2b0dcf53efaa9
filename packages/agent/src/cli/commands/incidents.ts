/** `muster incidents`: open and ended ones, from the agent. */

import { sentenceOf } from '../../api/sentence.ts'
import type { IncidentView } from '../../api/shapes.ts'
import { findAgent } from '../api-client.ts'
import { EXIT } from '../cli-error.ts'
import { fitted, plain } from '../plain-text.ts'
import { missedText, severityWord, silenceText, toldText } from '../status-text.ts'
import type { Context } from '../surroundings.ts'
import { clockText, durationText, spanText } from '../time-text.ts'

/** Ended incidents that are printed; `--json` prints all. */
const ENDED_MAX = 30

/** Prints the incidents. */
export async function incidents(context: Context): Promise<number> {
  const agent = await findAgent(context)
  const { incidents: all } = await agent.get<{ incidents: readonly IncidentView[] }>('/api/v1/incidents')
  if (context.json) {
    context.print({ incidents: all })
    return EXIT.done
  }
  if (all.length === 0) context.line('No incidents in the last 48 hours.')
  const open = all.filter(({ state }) => state === 'firing')
  const ended = all.filter(({ state }) => state === 'resolved')
  const now = Date.now()
  for (const incident of [...open, ...ended.slice(0, ENDED_MAX)]) context.line(incidentLine(incident, now))
  if (ended.length > ENDED_MAX)
    context.line(context.typed(`and ${ended.length - ENDED_MAX} more. All of them: muster incidents --json`))
  return EXIT.done
}

function incidentLine(incident: IncidentView, nowUnixMs: number): string {
  const word = incident.state === 'resolved' ? 'resolved' : severityWord(incident)
  const told = toldText(incident)
  const marks = [
    // Who was told and who answered are one part.
    incident.acknowledged === null || told !== '' ? '' : `acknowledged by ${plain(incident.acknowledged.by, 64)}`,
    silenceText(incident, nowUnixMs),
    incident.inMaintenance ? 'in maintenance' : '',
    incident.folded ? 'part of its host’s' : '',
    missedText(incident),
  ].filter((mark) => mark !== '')
  const since = `since ${clockText(incident.sinceUnixMs, nowUnixMs)}${lengthText(incident)}`
  const more = [since, told, ...marks].filter((part) => part !== '').join('; ')
  return `${fitted(incident.shortId, 6)}  ${fitted(word, 8)}  ${plain(sentenceOf(incident), 160)}; ${more}`
}

function lengthText({ state, sinceUnixMs, resolvedUnixMs, lastedMs }: IncidentView): string {
  if (state === 'firing') return `, ${durationText(lastedMs)}`
  return resolvedUnixMs === null ? '' : `, ${spanText(sinceUnixMs, resolvedUnixMs)}`
}
