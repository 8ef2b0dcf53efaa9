/** `muster incidents`: open and ended ones, from the agent. */

import { sentenceOf } from '../../api/sentence.ts'
import type { IncidentView } from '../../api/shapes.ts'
import { findAgent } from '../api-client.ts'
import { EXIT } from '../cli-error.ts'
import { fitted, plain } from '../plain-text.ts'
import { toldText } from '../status-text.ts'
import type { Context } from '../surroundings.ts'
import { clockText, durationText } from '../time-text.ts'

/** Ended incidents that are printed; `--json` prints all. */
const ENDED_MAX = 30

/** Prints the incidents. */
export async function incidents(context: Context): Promise<number> {
  const agent = await findAgent(context.folder)
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
  if (ended.length > ENDED_MAX) context.line(`and ${ended.length - ENDED_MAX} more; muster incidents --json has all`)
  return EXIT.done
}

function incidentLine(incident: IncidentView, nowUnixMs: number): string {
  const word = incident.state === 'resolved' ? 'resolved' : incident.severity
  const marks = [
    incident.acknowledged === null ? '' : `acknowledged by ${plain(incident.acknowledged.by, 64)}`,
    incident.silenced ? 'silenced' : '',
    incident.inMaintenance ? 'in maintenance' : '',
    incident.folded ? 'part of its host’s' : '',
  ].filter((mark) => mark !== '')
  const since = `since ${clockText(incident.sinceUnixMs, nowUnixMs)}, ${durationText(incident.lastedMs)}`
  const more = [since, toldText(incident), ...marks].filter((part) => part !== '').join('; ')
  return `${fitted(incident.shortId, 6)}  ${fitted(word, 8)}  ${plain(sentenceOf(incident), 160)}; ${more}`
}
