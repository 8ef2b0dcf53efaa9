/** What a host met: who told it what, and what became of that. What changed because of it is told by the others. */
import {
  type AnySigned,
  compareLives,
  type Event,
  idsText,
  lifeText,
  type MeshRecord,
  secondsText,
} from '@muster/protocol'
import type { Replayed } from '../replaying.ts'
import { type WhyLine, type Words, wordsOf } from './words.ts'

/** The lines of an event; none for what comes all day long. */
export function tellMet(replayed: Replayed): readonly WhyLine[] {
  const { event, after } = replayed
  if (event === null) return []
  const words = wordsOf(after)
  switch (event.kind) {
    case 'received':
      return tellReceived(replayed, event, words)
    case 'connected':
      return [{ topic: 'mesh', text: `is connected to ${words.host(event.peer)}` }]
    case 'disconnected':
      return [{ topic: 'mesh', text: `loses its connection to ${words.host(event.peer)}: a hint, never evidence` }]
    case 'probe-ended': {
      const who = words.host(event.target)
      const how = event.direct ? 'straight' : 'through another host'
      const text = event.answer === null ? `${who} does not answer the probe` : `${who} answers the probe, ${how}`
      return [{ topic: 'doubt', text }]
    }
    case 'probed':
      return [{ topic: 'doubt', text: `${words.host(event.from)} probes this host, and is answered` }]
    case 'catch-up-ended':
      if (event.ok && after.quiet === null) return []
      return [
        { topic: 'mesh', text: `the catch-up with ${words.host(event.peer)} ${event.ok ? 'is done' : 'broke off'}` },
      ]
    case 'sent': {
      const text = event.outcome === 'refused' ? 'nobody on Waku took' : `Waku has ${event.outcome}`
      return [{ topic: 'notice', text: `${text} the notice of attempt ${event.attempt}` }]
    }
    case 'delivered': {
      const { recipient, transition, incidents } = event
      return [{ topic: 'notice', text: `${words.recipient(recipient)} has "${transition}" of ${idsText(incidents)}` }]
    }
    case 'route':
      if (replayed.before.routeUp === event.up) return []
      return [{ topic: 'host', text: event.up ? 'has a route again' : 'has no route' }]
    case 'configured':
      return [
        {
          topic: 'host',
          text: `takes its config: checks ${event.checks.map(({ name }) => name).join(', ') || 'none'}`,
        },
      ]
    case 'command': {
      const { command } = event
      const what = command.kind === 'publish' ? askedText(command.record, words) : command.kind
      return what === null ? [] : [{ topic: 'host', text: `is asked to ${what}` }]
    }
    default:
      return []
  }
}

function tellReceived(
  replayed: Replayed,
  { record, from, ageMs }: Extract<Event, { kind: 'received' }>,
  words: Words,
): readonly WhyLine[] {
  const signer = words.host(record.signer)
  const road = from === record.signer ? '' : ` (through ${words.host(from)})`
  switch (record.domain) {
    case 'vote': {
      const { subject, life, round } = record.body
      // It comes by gossip and straight.
      const held = replayed.before.members.get(subject)?.suspicion?.votes.get(record.signer)?.record.body
      if (held?.round === round && compareLives(held.life, life) === 0) return []
      const silent = secondsText(record.body.ageMs + ageMs)
      const text = `${signer} votes${road}: ${words.host(subject)} of life ${lifeText(life)} is silent for ${silent} (round ${round})`
      return [{ topic: 'doubt', text: `${text}: ${becameOfVote(replayed, record, words)}` }]
    }
    case 'verdict': {
      const { subject, life, votes, alone } = record.body
      const whose = alone ? 'alone' : `with ${words.hosts(votes.map((vote) => vote.signer))}`
      const text = `${signer} says ${whose}${road}: ${words.host(subject)} of life ${lifeText(life)} is gone`
      return [{ topic: 'verdict', text: `${text}: ${becameOfVerdict(replayed, record, words)}` }]
    }
    case 'notice': {
      if (replayed.after.records === replayed.before.records) return []
      const { step, transition, incidents, attempt } = record.body
      const text = `${signer}${road}: ${step} "${transition}" of ${idsText(incidents)} (attempt ${attempt})`
      const yields = step === 'claim' && replayed.effects.some((effect) => effect.kind === 'abandon')
      return [{ topic: 'notice', text: yields ? `${text}: this host yields, it ranks after it` : text }]
    }
    case 'record': {
      if (replayed.after.records === replayed.before.records) return []
      const what = askedText(record.body, words)
      return what === null ? [] : [{ topic: 'mesh', text: `${signer} was asked to ${what}` }]
    }
    default:
      return []
  }
}

function becameOfVote({ after, effects }: Replayed, vote: AnySigned, words: Words): string {
  if (vote.domain !== 'vote') return ''
  const { subject } = vote.body
  if (subject === after.options.self) return 'this host answers with a fresh heartbeat'
  const member = after.members.get(subject)
  if (member?.suspicion?.votes.get(vote.signer)?.record === vote) return 'it counts'
  for (const effect of effects) {
    // With this one it was enough: a suspicion ends with its verdict.
    if (effect.kind === 'concluded' && effect.subject === subject && effect.how === 'votes') return 'it counts'
    if (effect.kind !== 'send' || effect.to !== vote.signer) continue
    const [first] = effect.carried
    if (first?.record.domain === 'heartbeat') return `refuted, heard ${secondsText(first.ageMs)} ago`
    if (first?.record.domain === 'verdict') return `answered with the verdict of ${words.host(first.record.signer)}`
  }
  return 'it does not count here'
}

function becameOfVerdict({ before, after, effects }: Replayed, verdict: AnySigned, words: Words): string {
  if (verdict.domain !== 'verdict') return ''
  const { subject } = verdict.body
  if (subject === after.options.self) return 'this host is here'
  if (effects.some((effect) => effect.kind === 'concluded' && effect.subject === subject)) return 'adopted'
  const member = after.members.get(subject)
  if (member?.offered.includes(verdict) === true) {
    const unheard = secondsText(after.clock.awakeMs - member.heardAtMs)
    return `it waits until the evidence of this host agrees, which has not heard ${words.host(subject)} for ${unheard}`
  }
  for (const effect of effects) {
    if (effect.kind === 'send' && effect.to === verdict.signer) return 'refuted with a newer heartbeat'
  }
  return before.members.get(subject)?.state === 'silent' ? 'known already' : 'not adopted'
}

/** What a person asked for, or null for what hosts say of themselves. */
function askedText(record: MeshRecord, words: Words): string | null {
  switch (record.kind) {
    case 'member':
      return null
    case 'leave':
      return 'leave the mesh'
    case 'recipient':
      return `tell ${record.name}`
    case 'recipient-removed':
      return 'tell a recipient no more'
    case 'ack':
      return `note that ${record.by} answers for ${idsText([record.incident])}`
    case 'silence':
      return `silence ${record.matcher} for ${secondsText(record.forMs)}`
    case 'maintenance':
      return `excuse ${words.host(record.host)} for ${secondsText(record.forMs)}`
    default:
      return record satisfies never
  }
}
