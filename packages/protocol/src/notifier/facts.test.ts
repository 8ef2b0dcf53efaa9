import { describe, expect, test } from 'vitest'
import { turns } from '../limits.ts'
import type { NoticeFact } from '../state.ts'
import { incidentOf, stateWith } from '../testing/make-state.ts'
import { attemptsOf, dutyKey, factsOf, mayHaveBeenTold, standingOf } from './facts.ts'

const fact = (
  step: NoticeFact['step'],
  atMs: number,
  peer = 'a',
  attempt = 1,
  more: Partial<NoticeFact> = {},
): NoticeFact => ({
  transition: 'fired',
  recipient: 'phone',
  peer,
  attempt,
  step,
  atMs,
  ...more,
})
const claim = (atMs: number, peer = 'a', attempt = 1) => fact('claim', atMs, peer, attempt)

const { claimMs, failedMs, failedMostMs, resendMs, resends } = turns

describe('a duty', () => {
  // facts, now, who is gone, done, claimed by, who failed
  test.each<[string, readonly NoticeFact[], number, readonly string[], boolean, string | null, readonly string[]]>([
    ['nobody has taken is free', [], 0, [], false, null, []],
    ['claimed is respected', [claim(0)], claimMs - 1, [], false, 'a', []],
    ['claimed a while ago without a receipt is free again', [claim(0)], claimMs, [], false, null, ['a']],
    ['claimed by one who died is free at once', [claim(0)], 1, ['a'], false, null, ['a']],
    ['given back is free at once', [claim(0), fact('release', 400)], 400, [], false, null, ['a']],
    ['that failed long ago is free for all again', [claim(0)], claimMs + failedMs, [], false, null, []],
    ['accepted is held for its receipt', [claim(0), fact('accepted', 900)], 900 + resendMs - 1, [], false, 'a', []],
    [
      'accepted and never confirmed is free again',
      [claim(0), fact('accepted', 900)],
      900 + resendMs,
      [],
      false,
      null,
      ['a'],
    ],
    ['accepted by one who died since is inherited', [claim(0), fact('accepted', 900)], 900, ['a'], false, null, ['a']],
    ['stored is done', [claim(0), fact('accepted', 900), fact('stored', 950)], 960, [], true, null, []],
    ['stored is done for ever, whoever dies', [claim(0), fact('stored', 900)], 9_000_000, ['a'], true, null, []],
    [
      'delivered is done, whoever heard of it',
      [claim(0), fact('delivered', 900, 'b', 0)],
      6_000,
      ['a', 'b'],
      true,
      null,
      [],
    ],
    [
      'claimed by a second after the first failed is respected',
      [claim(0), claim(6_000, 'b', 9)],
      7_000,
      [],
      false,
      'b',
      ['a'],
    ],
    [
      'given back and taken anew by the same is respected',
      [claim(0), fact('release', 400), claim(500, 'a', 2)],
      600,
      [],
      false,
      'a',
      ['a'],
    ],
    [
      'that one gave back and another did is done',
      [claim(0), fact('release', 400), claim(500, 'b', 2), fact('stored', 900, 'b', 2)],
      950,
      [],
      true,
      null,
      [],
    ],
    ['whose receipt came before its claim is done', [fact('stored', 10), claim(20)], 30, [], true, null, []],
  ])('%s', (_, facts, nowMs, gone, done, claimedBy, failed) => {
    const standing = standingOf(attemptsOf(facts), nowMs, (peer) => gone.includes(peer))
    expect({ done: standing.done, claimedBy: standing.claimedBy, failed: [...standing.failed.keys()] }).toEqual({
      done,
      claimedBy,
      failed,
    })
  })

  test('that was accepted so many times unconfirmed is left alone', () => {
    const tries = (count: number) => Array.from({ length: count }, (_, index) => fact('accepted', index, 'a', index))
    expect(standingOf(attemptsOf(tries(resends)), 9_000_000, () => false).done).toBe(false)
    expect(standingOf(attemptsOf(tries(resends + 1)), 9_000_000, () => false).done).toBe(true)
  })

  test('is passed over by who failed at it, longer each time, up to a bound', () => {
    const failures = (count: number) => Array.from({ length: count }, (_, index) => fact('release', 0, 'a', index))
    const isPassed = (count: number, nowMs: number) =>
      standingOf(attemptsOf(failures(count)), nowMs, () => false).failed.has('a')
    for (const [count, ms] of [
      [1, failedMs],
      [2, 2 * failedMs],
      [30, failedMostMs],
    ] as const) {
      expect([isPassed(count, ms - 1), isPassed(count, ms)]).toEqual([true, false])
    }
  })

  test('is not lost to one who was missing, and spoke after its return', () => {
    const isGone = (_: string, saidAtMs: number) => saidAtMs <= 100
    expect(standingOf(attemptsOf([claim(100)]), 200, isGone).claimedBy).toBe(null)
    expect(standingOf(attemptsOf([claim(101)]), 200, isGone).claimedBy).toBe('a')
  })

  test('says when one last failed at it', () => {
    const facts = [claim(0), fact('release', 400), claim(500, 'b', 7)]
    expect(standingOf(attemptsOf(facts), 600, () => false).failedAtMs).toBe(400)
    expect(standingOf([], 600, () => false).failedAtMs).toBe(Number.NEGATIVE_INFINITY)
  })
})

test('the facts of one peer are folded by attempt', () => {
  const facts = [claim(1), fact('accepted', 2), claim(3, 'a', 2), fact('release', 4, 'a', 2), claim(5, 'b')]
  expect(attemptsOf(facts)).toEqual([
    { peer: 'a', claimedAtMs: 1, acceptedAtMs: 2, stored: false, releasedAtMs: null },
    { peer: 'a', claimedAtMs: 3, acceptedAtMs: null, stored: false, releasedAtMs: 4 },
    { peer: 'b', claimedAtMs: 5, acceptedAtMs: null, stored: false, releasedAtMs: null },
  ])
})

test('the facts of an incident are found under every id that it has had, and of one news only', () => {
  const incident = incidentOf({ id: 'new', aliases: ['old'] })
  const facts = new Map([
    ['new', [claim(1)]],
    [
      'old',
      [
        claim(2, 'b'),
        fact('claim', 3, 'c', 1, { transition: 'resolved' }),
        fact('claim', 4, 'd', 1, { recipient: 'tablet' }),
      ],
    ],
    ['other', [claim(5, 'e')]],
  ])
  const state = stateWith([], 0, { facts })
  expect(factsOf(state, incident, 'fired', 'phone').map(({ peer }) => peer)).toEqual(['a', 'b'])
  expect(factsOf(state, { ...incident, aliases: [] }, 'fired', 'phone').map(({ peer }) => peer)).toEqual(['a'])
})

describe('an end is worth telling', () => {
  test.each<[string, readonly NoticeFact[], boolean]>([
    ['not when nobody ever claimed', [], false],
    ['when somebody holds a claim, for it may be under way', [claim(0)], true],
    ['when it was stored', [claim(0), fact('stored', 1)], true],
    ['when the recipient says so', [fact('delivered', 1, 'b', 0)], true],
  ])('%s', (_, facts, expected) => {
    expect(mayHaveBeenTold(attemptsOf(facts))).toBe(expected)
  })
})

test('a duty is one transition of one incident, for one recipient', () => {
  const keys = [
    dutyKey('x', 'fired', 'phone'),
    dutyKey('x', 'worse', 'phone'),
    dutyKey('y', 'fired', 'phone'),
    dutyKey('x', 'fired', 'tablet'),
  ]
  expect(new Set(keys).size).toBe(4)
})
