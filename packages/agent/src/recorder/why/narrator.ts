/**
 * Why a host judged and told as it did, line by line.
 *
 * Nothing is concluded here: each line is read off what the core met, what it asked for, and its state before and after.
 */
import { type Effect, effectText, lifeText, secondsText } from '@muster/protocol'
import type { Replayed } from '../replaying.ts'
import { createDoubts } from './doubts.ts'
import { tellMet } from './met.ts'
import { createTellings } from './telling.ts'
import { type WhyLine, type Words, wordsOf } from './words.ts'

/** Tells what mattered, in its order. */
export interface Narrator {
  tell(replayed: Replayed): readonly WhyLine[]
}

/** Begins to tell of one host. */
export function createNarrator(): Narrator {
  const doubts = createDoubts()
  const tellings = createTellings()
  let last = ''
  return {
    tell(replayed) {
      const all = [...tellMet(replayed), ...tellHost(replayed), ...doubts.tell(replayed), ...tellings.tell(replayed)]
      return all.filter(({ text }) => {
        const isNews = text !== last
        last = text
        return isNews
      })
    },
  }
}

/** What became of the host itself: its life, its quiet times, its isolation, and what it told its own log. */
function tellHost({ before, after, effects }: Replayed): readonly WhyLine[] {
  const words = wordsOf(after)
  const lines: WhyLine[] = effects.flatMap((effect) => reportText(effect, words))
  if (before.life !== after.life) lines.push({ topic: 'host', text: `begins life ${lifeText(after.life)}` })
  if (before.quiet !== null && after.quiet === null) {
    lines.push({
      topic: 'host',
      text: `judges again, after ${secondsText(after.clock.awakeMs - before.quiet.sinceMs)}`,
    })
  }
  if (before.quiet !== null && after.quiet !== null && after.quiet.rounds < before.quiet.rounds) {
    const left = after.quiet.rounds === 0 ? 'none is missing' : `${after.quiet.rounds} more to go`
    lines.push({ topic: 'host', text: `still judges nobody; a round of catch-ups is through, ${left}` })
  }
  return lines
}

function reportText(effect: Effect, words: Words): WhyLine[] {
  if (effect.kind !== 'report' || effect.level === 'debug') return []
  const fields = Object.entries(effect.fields).map(([key, value]) => {
    const isHost = (key === 'host' || key === 'by') && typeof value === 'string'
    return `${key}: ${isHost ? words.host(value) : value}`
  })
  return [{ topic: 'host', text: fields.length === 0 ? effect.phrase : `${effect.phrase} (${fields.join(', ')})` }]
}

/** The effects in words, for who compares what was decided with what would be. */
export function decisionText(effects: readonly Effect[], words: Words): string {
  const decisions = effects.filter(({ kind }) => kind !== 'report')
  if (decisions.length === 0) return 'nothing'
  return decisions.map((effect) => effectText(effect, words.host) ?? effect.kind).join('; ')
}
