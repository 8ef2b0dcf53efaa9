import { expect, test } from 'vitest'
import type { HeldVote, Member, Suspicion } from '../state.ts'
import { heartbeatOf, memberAt, stateWith } from '../testing/make-state.ts'
import type { SignedAs } from '../wire/records.ts'
import { type Balance, balanceOf } from './balance.ts'

const vote = (signer: string, atMs: number): [string, HeldVote] => [
  signer,
  { record: { signer } as SignedAs<'vote'>, atMs },
]
const suspect = (change: Partial<Suspicion>): Member =>
  memberAt('vps', 0, {
    heartbeat: heartbeatOf('vps', { observers: ['me', 'a', 'b'] }),
    suspicion: {
      probe: null,
      nextProbeAtMs: 0,
      failures: 1,
      round: 1,
      castAtMs: null,
      votes: new Map(),
      ...change,
    },
  })

// what is held, the time, others that are heard; what falls, and what is missing
test.each<[string, Partial<Suspicion>, number, Pick<Balance, 'verdict' | 'lacks' | 'needed'>]>([
  ['before the deadline', { castAtMs: 13_000 }, 15_000, { verdict: null, lacks: 'age', needed: 3 }],
  [
    'without a vote of its own',
    { votes: new Map([vote('a', 15_000)]) },
    16_000,
    { verdict: null, lacks: 'own-vote', needed: 3 },
  ],
  [
    'with too few votes',
    { castAtMs: 13_000, votes: new Map([vote('a', 15_000)]) },
    16_000,
    { verdict: null, lacks: 'votes', needed: 3 },
  ],
  [
    'with votes that are old',
    { castAtMs: 13_000, votes: new Map([vote('a', 15_000), vote('b', 8_000)]) },
    16_000,
    { verdict: null, lacks: 'votes', needed: 3 },
  ],
  [
    'with a vote that was not repeated this round',
    { castAtMs: 13_000, votes: new Map([vote('a', 15_000), vote('b', 13_999)]) },
    16_000,
    { verdict: null, lacks: 'repeat', needed: 3 },
  ],
  [
    'with votes that may still be refuted',
    { castAtMs: 15_000, votes: new Map([vote('a', 15_000), vote('b', 15_500)]) },
    16_000,
    { verdict: null, lacks: 'round', needed: 3 },
  ],
  [
    'with enough of them',
    { castAtMs: 13_000, votes: new Map([vote('a', 15_000), vote('b', 15_500)]) },
    16_000,
    { verdict: 'votes', lacks: null, needed: 3 },
  ],
  [
    'with one of another, one more period later',
    { castAtMs: 13_000, votes: new Map([vote('a', 22_000)]) },
    23_000,
    { verdict: 'votes', lacks: null, needed: 3 },
  ],
  ['alone, one more period later', { castAtMs: 13_000 }, 23_000, { verdict: 'alone', lacks: null, needed: 3 }],
])('%s', (_, suspicion, nowMs, expected) => {
  const member = suspect(suspicion)
  const others = ['a', 'b'].map((host) => memberAt(host, nowMs, { stateAtMs: 0 }))
  const state = stateWith([member, ...others], nowMs)
  expect(balanceOf(state, member)).toMatchObject({
    ...expected,
    ageMs: nowMs,
    deadlineMs: 15_000,
    voters: ['me', 'a', 'b'],
  })
})

// when the other observer came back, the vote of it that is held; what falls
test.each<[string, number, Suspicion['votes'], Balance['verdict']]>([
  ['within the last period has to be waited for', 13_001, new Map(), null],
  ['one period ago or earlier has had its time', 13_000, new Map(), 'alone'],
  ['lately and votes as well, is waited for all the same', 13_001, new Map([vote('a', 22_000)]), null],
])('an observer that came back %s', (_, stateAtMs, votes, expected) => {
  const member = suspect({ castAtMs: 13_000, votes })
  const others = [memberAt('a', 23_000, { stateAtMs }), memberAt('b', 23_000, { stateAtMs: 0 })]
  expect(balanceOf(stateWith([member, ...others], 23_000), member).verdict).toBe(expected)
})
