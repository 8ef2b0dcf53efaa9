import { expect, test } from 'vitest'
import type { Attempt, Duty, NoticeFact, State } from '../state.ts'
import { heartbeatOf, incidentOf, memberAt, stateWith } from '../testing/make-state.ts'
import { type Turn, turnOf } from './duties.ts'

const NOW = 100_000
const open = incidentOf()
const duty: Duty = { incident: open.id, transition: 'fired', recipient: 'phone', sinceMs: NOW - 1_000 }
const fact = (step: NoticeFact['step']): NoticeFact => ({
  transition: 'fired',
  recipient: 'phone',
  peer: 'a',
  attempt: 1,
  step,
  atMs: NOW,
})
const attempt: Attempt = { ...fact('claim'), attempt: 7, incidents: [open.id], claimedAtMs: NOW, departed: false }

function stateOf(first: boolean, facts: readonly NoticeFact[], change: Partial<State> = {}): State {
  const a = memberAt('a', NOW, { heartbeat: heartbeatOf('a', { wakuAgeMs: first ? null : 0 }) })
  return stateWith([memberAt('vps', 0, { state: 'silent' }), a], NOW, {
    incidents: new Map([[open.id, open]]),
    facts: new Map([[open.id, facts]]),
    lastWakuAtMs: first ? NOW : null,
    ...change,
  })
}

test.each<[string, State, Turn]>([
  ['of the first rank, at once', stateOf(true, []), { kind: 'mine' }],
  ['of the second, later', stateOf(false, []), { kind: 'rank', ranks: ['a', 'me'], inMs: 4_000 }],
  ['of who claimed it', stateOf(true, [fact('claim')]), { kind: 'claimed', by: 'a' }],
  [
    'of others, when this host has just failed',
    stateOf(true, [{ ...fact('release'), peer: 'me', atMs: NOW - 1 }], { lastWakuAtMs: NOW - 2 }),
    { kind: 'passed-over' },
  ],
  ['of nobody, when it is done', stateOf(true, [fact('stored')]), { kind: 'done' }],
  ['of nobody, when its incident is forgotten', stateOf(true, [], { incidents: new Map() }), { kind: 'done' }],
  ['under way', stateOf(true, [], { attempts: new Map([[7, attempt]]) }), { kind: 'under-way' }],
  [
    'never that of the host that it is about',
    stateOf(true, [], { incidents: new Map([[open.id, { ...open, host: 'me' }]]) }),
    { kind: 'unable' },
  ],
])('the turn is %s', (_, state, expected) => {
  expect(turnOf(state, duty)).toEqual(expected)
})
