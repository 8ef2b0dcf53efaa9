/** I12: what was heard once changes nothing when it is heard again. */
import type { CoreView } from '../core.ts'
import { type Checker, type Surroundings, watching } from './checker.ts'

/** Answers are allowed: a beat or evidence to whoever doubts, a verdict to whoever does not know of it. */
const HARMLESS = new Set(['report', 'send', 'gossip', 'send-heartbeat'])

function textOf(view: CoreView): string {
  const members = [...view.members].map(([host, { state, life }]) => [host, state, life])
  const incidents = [...view.incidents.values()].map(({ id, state, aliases }) => [id, state, aliases])
  return JSON.stringify([view.life, members, incidents, [...view.heads], view.isolated, view.quiet === null])
}

/** Checks I12 on each record that was played to a core a second time, aside from the run. */
export function checkReplays({ exercise, report }: Surroundings): Checker {
  return watching(['replayed'], (happening) => {
    if (happening.kind !== 'replayed') return
    const { atMs, host, record, before, after, effects } = happening
    exercise('I12')
    const odd = effects.find(({ kind }) => !HARMLESS.has(kind))
    const isChanged = textOf(before) !== textOf(after)
    if (odd === undefined && !isChanged) return
    const what = odd === undefined ? 'changes what it believes' : `asks for ${odd.kind}`
    report({
      invariant: 'I12',
      atMs,
      hosts: [host, record.signer],
      text: `${host} ${what} on an old ${record.domain} of ${record.signer}`,
    })
  })
}
