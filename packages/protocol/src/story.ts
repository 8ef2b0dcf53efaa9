/** What a core does, as the lines of a story: for the simulator and for the replay of a recording. */
import type { Effect } from './effect.ts'
import type { HostId, IncidentId } from './ids.ts'
import type { Life } from './wire/records.ts'

/** The name that a story gives a host. */
export type NameOf = (host: HostId) => string

/** Time since the beginning of a story as `mm:ss.mmm`. */
export function storyTimeText(atMs: number): string {
  const minutes = Math.floor(atMs / 60_000)
  const seconds = Math.floor((atMs % 60_000) / 1_000)
  const pad = (value: number, size: number): string => String(value).padStart(size, '0')
  return `${pad(minutes, 2)}:${pad(seconds, 2)}.${pad(Math.floor(atMs % 1_000), 3)}`
}

/** An effect in words, or null when it is not worth a line. */
export function effectText(effect: Effect, nameOf: NameOf): string | null {
  switch (effect.kind) {
    case 'gossip': {
      const { record } = effect
      if (record.domain === 'vote') {
        const { subject, life, ageMs, round } = record.body
        return `votes: ${nameOf(subject)} of life ${lifeText(life)} is silent for ${secondsText(ageMs)} (round ${round})`
      }
      if (record.domain === 'notice') {
        const { step, transition, incidents, attempt } = record.body
        return `${step} "${transition}" of ${idsText(incidents)} (attempt ${attempt})`
      }
      return null
    }
    case 'concluded':
      return `concludes (${effect.how}) that ${nameOf(effect.subject)} of life ${lifeText(effect.life)} is gone, unheard for ${secondsText(effect.ageMs)}`
    case 'incident': {
      const { id, host, check, fault, state, severity } = effect.incident
      const how = fault === 'asleep' ? fault : `${fault} (${severity})`
      return `incident ${idsText([id])} ${state}: ${nameOf(host)}${check === '' ? '' : `/${check}`} ${how}`
    }
    default:
      return null
  }
}

/** A life as its incarnation and its epoch. */
export function lifeText({ incarnation, epoch }: Life): string {
  return `${incarnation}.${epoch}`
}

/** A duration in seconds, with tenths. */
export function secondsText(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

/** The starts of ids. */
export function idsText(ids: readonly IncidentId[]): string {
  return ids.map((id) => id.slice(0, 8)).join(', ')
}
