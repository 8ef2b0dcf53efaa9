/** A run as a story: one line for each thing that a person would want to know, in virtual time. */
import type { Effect, HostId } from '@muster/protocol'
import type { Happening } from './happening.ts'

/** Virtual time as `mm:ss.mmm`. */
export function clockText(atMs: number): string {
  const minutes = Math.floor(atMs / 60_000)
  const seconds = Math.floor((atMs % 60_000) / 1_000)
  const pad = (value: number, size: number): string => String(value).padStart(size, '0')
  return `${pad(minutes, 2)}:${pad(seconds, 2)}.${pad(Math.floor(atMs % 1_000), 3)}`
}

/** The line of a happening, or null when it is not worth one. `nameOf` turns ids into names. */
export function tell(happening: Happening, nameOf: (host: HostId) => string): string | null {
  const line = (who: string, what: string): string => `${clockText(happening.atMs)}  ${who.padEnd(8)}  ${what}`
  switch (happening.kind) {
    case 'fault':
      return line(happening.hosts.map(nameOf).join(', ') || 'network', `! ${happening.text}`)
    case 'mode':
      return line(nameOf(happening.host), `is ${happening.mode} (${happening.cause})`)
    case 'effect': {
      const what = tellEffect(happening.effect, nameOf)
      return what === null ? null : line(nameOf(happening.host), what)
    }
    case 'copy': {
      const { notice } = happening
      return line(
        nameOf(happening.host),
        `Waku took "${notice.transition}" of ${notice.incidents.map(({ id }) => id.slice(0, 8)).join(', ')}`,
      )
    }
    case 'shown': {
      const what = happening.check === '' ? nameOf(happening.host) : `${nameOf(happening.host)}/${happening.check}`
      return line('phone', `${happening.shown ?? 'no news'}: ${what} (${happening.incident.slice(0, 8)})`)
    }
    case 'healed':
      return line('network', '! everything works again')
    default:
      return null
  }
}

function tellEffect(effect: Effect, nameOf: (host: HostId) => string): string | null {
  switch (effect.kind) {
    case 'gossip': {
      const { record } = effect
      if (record.domain === 'vote') {
        const { subject, life, ageMs, round } = record.body
        return `votes: ${nameOf(subject)} of life ${life.incarnation}.${life.epoch} is silent for ${seconds(ageMs)} (round ${round})`
      }
      if (record.domain === 'notice') {
        const { step, transition, incidents, attempt } = record.body
        return `${step} "${transition}" of ${incidents.map((id) => id.slice(0, 8)).join(', ')} (attempt ${attempt})`
      }
      return null
    }
    case 'concluded':
      return `concludes (${effect.how}) that ${nameOf(effect.subject)} of life ${effect.life.incarnation}.${effect.life.epoch} is gone, unheard for ${seconds(effect.ageMs)}`
    case 'incident': {
      const { id, host, check, fault, state, severity } = effect.incident
      return `incident ${id.slice(0, 8)} ${state}: ${nameOf(host)}${check === '' ? '' : `/${check}`} ${fault} (${severity})`
    }
    default:
      return null
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
