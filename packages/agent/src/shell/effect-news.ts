/** What the effects of the core mean to people: lines in the log and events for the API. */
import { type Effect, labelOf, type State } from '@muster/protocol'
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
      const fields = { host: labelOf(state, subject), how, ageMs }
      const member = state.members.get(subject)
      if (member?.state === 'asleep') return log.info('a host is asleep', fields)
      const isStopped = member?.verdict?.body.fault === 'stopped'
      return log.warn(isStopped ? 'a host was stopped and is not back' : 'a host is silent', fields)
    }
    default:
      return undefined
  }
}

function nameHosts(state: State, fields: Readonly<Record<string, string | number | boolean>>): Record<string, unknown> {
  const named: Record<string, unknown> = { ...fields }
  for (const key of HOST_FIELDS) {
    const id = fields[key]
    if (typeof id === 'string') named[key] = labelOf(state, id)
  }
  return named
}
