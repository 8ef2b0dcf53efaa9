/** Why a host doubts another, and why a verdict falls or does not: from the core's own balance of each suspicion. */
import {
  type Balance,
  balanceOf,
  type Effect,
  effectText,
  type HostId,
  lifeText,
  type Member,
  type State,
  secondsText,
} from '@muster/protocol'
import type { Replayed } from '../replaying.ts'
import { type WhyLine, type Words, wordsOf } from './words.ts'

/** Tells of doubts and verdicts, each change once. */
export interface Doubts {
  tell(replayed: Replayed): readonly WhyLine[]
}

/** Begins where nothing has been told yet. */
export function createDoubts(): Doubts {
  /** What was last told of each suspect's balance. */
  const told = new Map<HostId, string>()

  function tellBalance(state: State, member: Member, words: Words): readonly WhyLine[] {
    const { suspicion } = member
    if (suspicion === null || (suspicion.castAtMs === null && suspicion.votes.size === 0)) {
      told.delete(member.host)
      return []
    }
    const balance = balanceOf(state, member)
    const key = `${balance.lacks} ${balance.votes.length} ${balance.needed} ${state.isolated} ${state.quiet !== null}`
    if (told.get(member.host) === key) return []
    told.set(member.host, key)
    return [
      {
        topic: 'verdict',
        text: `no verdict on ${words.host(member.host)} yet: ${lackText(state, member, balance, words)}`,
      },
    ]
  }

  return {
    tell(replayed) {
      const { before, after, effects } = replayed
      const words = wordsOf(after)
      const lines = effects.flatMap((effect) => tellEffect(replayed, effect, words))
      for (const [host, member] of after.members) {
        const known = before.members.get(host)
        if (known === undefined) lines.push({ topic: 'mesh', text: `learns of ${words.host(host)}` })
        else if (known !== member) lines.push(...tellChange(replayed, known, member, words))
        if (member.suspicion !== null || told.has(host)) lines.push(...tellBalance(after, member, words))
      }
      return lines
    },
  }
}

function lackText(state: State, { host, suspicion }: Member, balance: Balance, words: Words): string {
  const { self } = state.options
  const have = [...balance.votes.map(({ signer }) => signer), ...(suspicion?.castAtMs == null ? [] : [self])]
  const votes = `${have.length} of ${balance.needed} votes (${words.hosts(have)})`
  const age = `unheard for ${secondsText(balance.ageMs)} of ${secondsText(balance.deadlineMs)}`
  if (state.quiet !== null) return `this host judges nobody just now; ${age}, ${votes}`
  if (state.isolated) return `this host hears nobody; ${age}, ${votes}`
  const missing = balance.voters.filter((voter) => voter !== host && !have.includes(voter))
  switch (balance.lacks) {
    case 'age':
      return `${age}; ${votes}`
    case 'own-vote':
      return `this host has not voted, no probe of its own has failed so late; ${votes}`
    case 'votes':
      return missing.length === 0
        ? `${votes}, but nobody else can vote: it waits one more period; ${age}`
        : `${votes}, none yet of ${words.hosts(missing)}; ${age}`
    case 'repeat':
      return `${votes}, but not all said so again this round: who did not may have heard the host since; ${age}`
    default:
      return `${votes}, but not yet for a whole round in which nobody says otherwise; ${age}`
  }
}

function tellEffect({ before, after }: Replayed, effect: Effect, words: Words): WhyLine[] {
  switch (effect.kind) {
    case 'probe': {
      const member = before.members.get(effect.target)
      if (member === undefined) return []
      const { ageMs, deadlineMs } = balanceOf({ ...before, clock: after.clock }, member)
      const relays = effect.relays.length === 0 ? 'straight' : `straight and through ${words.hosts(effect.relays)}`
      const age = `unheard for ${secondsText(ageMs)} of ${secondsText(deadlineMs)}`
      return [{ topic: 'doubt', text: `${words.host(effect.target)} is ${age}: probes it, ${relays}` }]
    }
    case 'gossip': {
      const text = effect.record.domain === 'vote' ? effectText(effect, words.host) : null
      return text === null ? [] : [{ topic: 'doubt', text }]
    }
    case 'concluded': {
      const verdict = after.members.get(effect.subject)?.verdict
      const why = verdict == null ? '' : `: ${whyText(effect.how, verdict, words)}`
      return [{ topic: 'verdict', text: `${effectText(effect, words.host)}${why}` }]
    }
    default:
      return []
  }
}

function whyText(how: 'votes' | 'adopted' | 'alone', verdict: NonNullable<Member['verdict']>, words: Words): string {
  const { signer, body } = verdict
  const voters = [...body.votes.map((vote) => vote.signer), signer]
  switch (how) {
    case 'alone':
      return 'no other voice came for one more period'
    case 'adopted':
      return `the verdict of ${words.host(signer)}, on ${voters.length} votes of ${body.observers} observers (${words.hosts(voters)})`
    case 'votes':
      return `${voters.length} votes of ${body.observers} observers (${words.hosts(voters)})`
    default:
      return how satisfies never
  }
}

function tellChange({ event, after }: Replayed, known: Member, member: Member, words: Words): readonly WhyLine[] {
  const name = words.host(member.host)
  const lines: WhyLine[] = []
  const beat = member.heartbeat
  const isNews = beat !== null && beat !== known.heartbeat
  const wasDoubted = known.suspicion !== null && (known.suspicion.failures > 0 || known.suspicion.votes.size > 0)
  if (wasDoubted && member.suspicion === null && member.verdict === known.verdict) {
    const from = event?.kind === 'received' && event.from !== member.host ? `, from ${words.host(event.from)}` : ''
    const why = isNews
      ? `hears ${name} (life ${lifeText(beat.body.life)}, beat ${beat.body.beat}${from})`
      : `begins to watch ${name} anew, ${after.isolated ? 'for it hears nobody' : 'for it was not listening'}`
    lines.push({ topic: 'doubt', text: `${why}: the doubt ends` })
  }
  if (isNews && known.heartbeat !== null && known.direct !== member.direct) {
    const text = member.direct
      ? `hears ${name} straight again`
      : `hears ${name} only through others: the link between is down`
    lines.push({ topic: 'mesh', text })
  }
  if (
    member.state !== known.state &&
    (member.state === 'left' || member.state === 'asleep' || known.state === 'left')
  ) {
    lines.push({ topic: 'mesh', text: `${name} was ${known.state}, is ${member.state}` })
  }
  if (isNews && beat.body.mode === 'stopping' && known.heartbeat?.body.mode !== 'stopping') {
    lines.push({
      topic: 'mesh',
      text: `${name} says that it stops, and means to be back in ${secondsText(beat.body.restartMs)}`,
    })
  }
  return lines
}
