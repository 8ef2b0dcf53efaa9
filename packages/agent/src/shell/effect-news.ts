/** What the effects of the core mean to people: lines in the log and events for the API. */
import { type Effect, nameOf, type State } from '@muster/protocol'
import type { AgentEvent } from '../agent-port.ts'
import type { Log } from '../log.ts'

/** Fields of a report that hold a host's id. */
const HOST_FIELDS = ['host', 'by'] as const

/** Tells the log and the listeners what an effect was about. */
export function tellNews(effect: Effect, state: State, log: Log, emit: (event: AgentEvent) => void): void {
  switch (effect.kind) {
    case 'incident':
      return emit({ kind: 'incident', incident: effect.incident })
    case 'report': {
      const fields = nameHosts(state, effect.fields)
      log[effect.level](effect.phrase, fields)
      return emit({ kind: 'report', level: effect.level, phrase: effect.phrase, fields })
    }
    case 'concluded': {
      const { subject, how, ageMs } = effect
      return log.warn('a host is silent', { host: nameOf(state, subject), how, ageMs })
    }
    default:
      return undefined
  }
}

function nameHosts(state: State, fields: Readonly<Record<string, string | number | boolean>>): Record<string, unknown> {
  const named: Record<string, unknown> = { ...fields }
  for (const key of HOST_FIELDS) {
    const id = fields[key]
    if (typeof id === 'string') named[key] = nameOf(state, id)
  }
  return named
}
