import { describe, expect, test } from 'vitest'
import type { NoticeFact } from '../state.ts'
import { incidentOf, stateWith } from '../testing/make-state.ts'
import { attemptsOf, factKey, factsOf, mayHaveBeenTold, standingOf } from './facts.ts'

const fact = (step: NoticeFact['step'], atMs: number, peer = 'a', attempt = 1): NoticeFact => ({
  peer,
  attempt,
  step,
  atMs,
})
const claim = (atMs: number, peer = 'a', attempt = 1) => fact('claim', atMs, peer, attempt)

describe('a duty', () => {
  // facts, now, who is gone, done, claimed by, who failed
  test.each<[string, readonly NoticeFact[], number, readonly string[], boolean, string | null, readonly string[]]>([
    ['nobody has taken is free', [], 0, [], false, null, []],
    ['claimed is respected', [claim(0)], 4_999, [], false, 'a', []],
    ['claimed five seconds ago without a receipt is free again', [claim(0)], 5_000, [], false, null, ['a']],
    ['claimed by one who died is free at once', [claim(0)], 1, ['a'], false, null, ['a']],
    ['given back is free at once', [claim(0), fact('release', 400)], 400, [], false, null, ['a']],
    ['that failed long ago is free for all again', [claim(0)], 20_000, [], false, null, []],
    ['accepted is done', [claim(0), fact('accepted', 900)], 900, [], true, null, []],
    ['accepted is done long after', [claim(0), fact('accepted', 900)], 9_000_000, [], true, null, []],
    [
      'accepted by one who died since is inherited',
      [claim(0), fact('accepted', 900)],
      6_000,
      ['a'],
      false,
      null,
      ['a'],
    ],
    [
      'accepted a minute before its sender died is left alone',
      [claim(0), fact('accepted', 900)],
      60_900,
      ['a'],
      true,
      null,
      [],
    ],
    ['stored is done, whoever dies', [claim(0), fact('stored', 900)], 6_000, ['a'], true, null, []],
    [
      'delivered is done, whoever dies',
      [claim(0), fact('delivered', 900, 'b', 0)],
      6_000,
      ['a', 'b'],
      true,
      null,
      ['a'],
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
      ['a'],
    ],
    ['whose receipt came before its claim is done', [fact('accepted', 10), claim(20)], 30, [], true, null, []],
  ])('%s', (_, facts, nowMs, gone, done, claimedBy, failed) => {
    const standing = standingOf(facts, nowMs, (peer) => gone.includes(peer))
    expect({ done: standing.done, claimedBy: standing.claimedBy, failed: [...standing.failed] }).toEqual({
      done,
      claimedBy,
      failed,
    })
  })

  test('says when a claim will have run out, and when one last failed', () => {
    const facts = [claim(0), fact('release', 400), claim(500, 'b', 7)]
    expect(standingOf(facts, 600, () => false)).toMatchObject({ failedAtMs: 400, claimEndsAtMs: 5_500 })
    expect(standingOf([], 600, () => false)).toMatchObject({
      failedAtMs: Number.NEGATIVE_INFINITY,
      claimEndsAtMs: Number.POSITIVE_INFINITY,
    })
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
    [factKey('new', 'fired', 'phone'), [claim(1)]],
    [factKey('old', 'fired', 'phone'), [claim(2, 'b')]],
    [factKey('old', 'resolved', 'phone'), [claim(3, 'c')]],
    [factKey('old', 'fired', 'tablet'), [claim(4, 'd')]],
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
    expect(mayHaveBeenTold(facts)).toBe(expected)
  })

  // ARCHITECTURE.md, "Who tells the user", rule 8: a fired receipt or an *unreleased* claim.
  test.fails('not when its only claim was given back', () => {
    expect(mayHaveBeenTold([claim(0), fact('release', 1)])).toBe(false)
  })
})
