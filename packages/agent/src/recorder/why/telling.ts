/** Who tells whom of what, and why not: incidents, duties and whose turn they are, and the way of a notice. */
import {
  type Effect,
  effectText,
  type Incident,
  idsText,
  isFolded,
  isInMaintenance,
  isSilenced,
  isTellable,
  type State,
  secondsText,
  type Turn,
  turnOf,
} from '@muster/protocol'
import type { Replayed } from '../replaying.ts'
import { type WhyLine, type Words, wordsOf } from './words.ts'

/** Tells of incidents and notices, each change once. */
export interface Tellings {
  tell(replayed: Replayed): readonly WhyLine[]
}

/** Begins where nothing has been told yet. */
export function createTellings(): Tellings {
  /** What was last told of each duty's turn. */
  const told = new Map<string, string>()

  function tellDuties({ before, after, effects }: Replayed, words: Words): readonly WhyLine[] {
    const lines: WhyLine[] = []
    for (const [key, duty] of after.duties) {
      const turn = turnOf(after, duty)
      const mark = turnMark(turn)
      if (told.get(key) === mark) continue
      const isNew = !told.has(key)
      told.set(key, mark)
      if (turn.kind === 'under-way' && effects.some(({ kind }) => kind === 'send-notice')) continue
      const what = `"${duty.transition}" of ${idsText([duty.incident])} to ${words.recipient(duty.recipient)}`
      lines.push({ topic: 'turn', text: `${what}${isNew ? ' is due' : ''}: ${turnText(after, turn, words)}` })
    }
    for (const [key, duty] of before.duties) {
      if (after.duties.has(key)) continue
      told.delete(key)
      const what = `"${duty.transition}" of ${idsText([duty.incident])} to ${words.recipient(duty.recipient)}`
      lines.push({ topic: 'turn', text: `${what} is due no more` })
    }
    return lines
  }

  return {
    tell(replayed) {
      const words = wordsOf(replayed.after)
      const lines = replayed.effects.flatMap((effect) => tellEffect(replayed.after, effect, words))
      const { before, after } = replayed
      // Most of the time there are none.
      if (after.duties.size > 0 || before.duties !== after.duties) lines.push(...tellDuties(replayed, words))
      return lines
    },
  }
}

function turnMark(turn: Turn): string {
  if (turn.kind === 'claimed') return `claimed ${turn.by}`
  return turn.kind === 'rank' ? `rank ${turn.ranks.join(' ')}` : turn.kind
}

function turnText(state: State, turn: Turn, words: Words): string {
  switch (turn.kind) {
    case 'mine':
      return 'it is the turn of this host'
    case 'rank': {
      const rank = turn.ranks.indexOf(state.options.self)
      return `the turn goes to ${words.hosts(turn.ranks)}, in this order; this host has rank ${rank} and waits ${secondsText(turn.inMs)}`
    }
    case 'claimed':
      return `${words.host(turn.by)} has claimed it`
    case 'under-way':
      return 'this host is at it'
    case 'catch-up':
      return 'it waits for a catch-up to end'
    case 'held':
      return 'it waits a little, for another host is suspect and may join the notice'
    case 'end-first':
      return 'it waits a little, so that the end of the trouble before is told first'
    case 'done':
      return 'it is done'
    case 'passed-over':
      return 'this host failed at it lately, and is passed over for a while'
    case 'unable':
      return 'others have to tell it'
    default:
      return turn satisfies never
  }
}

function tellEffect(state: State, effect: Effect, words: Words): WhyLine[] {
  switch (effect.kind) {
    case 'incident': {
      const why = effect.incident.state === 'firing' ? quietText(state, effect.incident) : null
      const text = effectText(effect, words.host) ?? ''
      return [{ topic: 'incident', text: why === null ? text : `${text}: not told, ${why}` }]
    }
    case 'gossip': {
      const text = effect.record.domain === 'notice' ? effectText(effect, words.host) : null
      return text === null ? [] : [{ topic: 'notice', text }]
    }
    case 'send-notice':
      return [
        {
          topic: 'notice',
          text: `writes the notice of attempt ${effect.attempt} to ${words.recipient(effect.recipient)}`,
        },
      ]
    case 'depart':
      return [{ topic: 'notice', text: `the last look: the notice of attempt ${effect.attempt} may leave` }]
    case 'abandon':
      return [{ topic: 'notice', text: `the notice of attempt ${effect.attempt} does not leave` }]
    default:
      return []
  }
}

/** What keeps an incident from being told; null when nothing does. */
function quietText(state: State, incident: Incident): string | null {
  if (isTellable(state, incident)) return null
  if (isInMaintenance(state, incident.host)) return 'for its host is in maintenance'
  if (isSilenced(state, incident)) return 'for it is silenced'
  if (isFolded(state, incident)) return 'for its host is missing as a whole'
  return incident.fault === 'asleep' ? 'for its host sleeps' : 'for the check could not tell'
}
