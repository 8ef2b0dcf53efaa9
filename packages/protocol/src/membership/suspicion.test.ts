import { describe, expect, test } from 'vitest'
import type { HeldVote, Member, State, Suspicion } from '../state.ts'
import { fixedRecords } from '../testing/fixed-records.ts'
import { heartbeatOf, memberAt, stateWith } from '../testing/make-state.ts'
import { beginWork, type Work } from '../work.ts'
import { watchMembers } from './suspicion.ts'

/** Default class: a round lasts 2 s, a host is probed from 11 s on, voted on from 13 s, concluded upon after 15 s. */
const R = 2_000

const suspicionOf = (change: Partial<Suspicion>): Suspicion => ({
  probe: null,
  nextProbeAtMs: Number.POSITIVE_INFINITY,
  failures: 1,
  round: 0,
  castAtMs: null,
  votes: new Map(),
  ...change,
})

const voteOf = (voter: string, atMs: number, round = 2): HeldVote => {
  const { vote } = fixedRecords
  return { record: { ...vote, signer: voter, body: { ...vote.body, subject: 'vps', round, evidence: null } }, atMs }
}

/** Looks at `vps`, last heard at 0, among these others. */
function watch(
  nowMs: number,
  suspicion: Suspicion | null,
  others: readonly string[],
  change: Partial<State> = {},
): Work {
  const vps = memberAt('vps', 0, { suspicion, heartbeat: heartbeatOf('vps', { observers: ['me', ...others] }) })
  const members: Member[] = [vps, ...others.map((host) => memberAt(host, nowMs - 1_000, { stateAtMs: 0 }))]
  const work = beginWork(stateWith(members, nowMs, change))
  watchMembers(work)
  return work
}

const kindsOf = (work: Work) => work.effects.map(({ kind }) => kind).filter((kind) => kind !== 'report')

describe('a host that is nearly late', () => {
  test.each<[string, number, readonly string[]]>([
    ['is left alone before', 10_999, []],
    ['is probed two rounds before its deadline', 11_000, ['probe']],
  ])('%s', (_, nowMs, kinds) => {
    expect(kindsOf(watch(nowMs, null, ['a']))).toEqual(kinds)
  })

  test('is probed again each round, and voted on when a probe has failed near the deadline', () => {
    const probe = { nonce: 'n', sentAtMs: 11_000 }
    const early = watch(12_999, suspicionOf({ probe, nextProbeAtMs: 13_000, failures: 0 }), ['a'])
    expect(kindsOf(early)).toEqual([])
    const late = watch(13_000, suspicionOf({ probe, nextProbeAtMs: 13_000, failures: 0 }), ['a'])
    expect(kindsOf(late)).toEqual(['gossip', 'probe'])
    expect(late.effects.find(({ kind }) => kind === 'gossip')).toMatchObject({
      record: { domain: 'vote', body: { subject: 'vps', ageMs: 13_000, round: 1 } },
    })
    expect(late.state.members.get('vps')).toMatchObject({ state: 'suspect', suspicion: { castAtMs: 13_000 } })
  })

  test('is not voted on for a probe that failed early', () => {
    const probe = { nonce: 'n', sentAtMs: 10_500 }
    const work = watch(12_600, suspicionOf({ probe, nextProbeAtMs: 13_000, failures: 0 }), ['a'])
    expect(kindsOf(work)).toEqual([])
    expect(work.state.members.get('vps')).toMatchObject({ state: 'alive', suspicion: { failures: 1, probe: null } })
  })

  test('asks relays that are connected', () => {
    const work = watch(11_000, null, ['a', 'b', 'c', 'd', 'e'], { connected: new Set(['a', 'b', 'c', 'd']) })
    const [probe] = work.effects
    if (probe?.kind !== 'probe') throw new Error('a probe is due')
    expect(probe).toMatchObject({ target: 'vps', timeoutMs: R, relays: { length: 3 } })
    expect(probe.relays).not.toContain('e')
    expect(probe.relays).not.toContain('vps')
  })
})

describe('a verdict falls', () => {
  const cast = (votes: Readonly<Record<string, number>>, castAtMs = 13_000) =>
    suspicionOf({
      castAtMs,
      votes: new Map(Object.entries(votes).map(([voter, atMs]) => [voter, voteOf(voter, atMs)])),
    })
  // now, suspicion, who else observes, how it concludes
  test.each<[string, number, Suspicion, readonly string[], 'votes' | 'alone' | null]>([
    ['with both votes of two', 15_100, cast({ a: 14_000 }), ['a'], 'votes'],
    [
      'not with the first vote of the other of two: it may have heard the host since',
      15_100,
      suspicionOf({ castAtMs: 13_000, votes: new Map([['a', voteOf('a', 14_000, 1)]]) }),
      ['a'],
      null,
    ],
    [
      'with first votes where it takes two others',
      15_100,
      suspicionOf({ castAtMs: 13_000, votes: new Map(['a', 'b'].map((voter) => [voter, voteOf(voter, 14_000, 1)])) }),
      ['a', 'b'],
      'votes',
    ],
    ['not at the deadline itself', 15_000, cast({ a: 14_000 }), ['a'], null],
    ['not without our own vote', 15_100, suspicionOf({ votes: cast({ a: 14_000 }).votes }), ['a'], null],
    ['not with ours alone of two', 15_100, cast({}), ['a'], null],
    ['not with two of three', 15_100, cast({ a: 14_000 }), ['a', 'b'], null],
    ['with three of three', 15_100, cast({ a: 14_000, b: 14_000 }), ['a', 'b'], 'votes'],
    ['with three of five', 15_100, cast({ a: 14_000, b: 14_000 }), ['a', 'b', 'c', 'd'], 'votes'],
    ['not with two of five', 15_100, cast({ a: 14_000 }), ['a', 'b', 'c', 'd'], null],
    ['not before our own vote stood for one round', 15_100, cast({ a: 14_000 }, 13_101), ['a'], null],
    [
      'not with a vote that its voter did not repeat: it may have heard the host',
      15_101,
      cast({ a: 13_000 }),
      ['a'],
      null,
    ],
    ['with a vote of the round that is ending', 15_001, cast({ a: 13_001 }), ['a'], 'votes'],
    ['not with the vote of one who does not observe', 15_100, cast({ stranger: 14_000 }), ['a'], null],
    ['not with a vote that was not repeated for three rounds', 21_500, cast({ a: 14_000 }), ['a'], null],
    ['alone, one period after our vote, when nobody joins in', 23_000, cast({}), ['a'], 'alone'],
    ['not alone before', 22_999, cast({}), ['a'], null],
    ['alone, when nobody else observes', 23_000, cast({}), [], 'alone'],
  ])('%s', (_, nowMs, suspicion, others, how) => {
    const work = watch(nowMs, suspicion, others)
    const concluded = work.effects.find(({ kind }) => kind === 'concluded')
    expect(concluded?.kind === 'concluded' ? concluded.how : null).toBe(how)
    expect(work.state.members.get('vps')?.state === 'silent').toBe(how !== null)
  })

  test.each<[string, Partial<State>]>([
    ['while isolated', { isolated: true, isolatedSinceMs: 0 }],
    ['in a quiet time', { quiet: { sinceMs: 0, untilMs: 99_000, rounds: 0, inRound: false } }],
  ])('not %s', (_, change) => {
    const work = watch(15_100, cast({ a: 14_000, b: 14_000 }), ['a', 'b'], change)
    expect(kindsOf(work).filter((kind) => kind !== 'probe')).toEqual([])
  })

  test.each<[string, number, 'alone' | null]>([
    ['not alone while nobody was heard since our vote: then it is rather we who are cut off', 12_900, null],
    ['alone when somebody was', 13_000, 'alone'],
  ])('%s', (_, heardAtMs, how) => {
    const vps = memberAt('vps', 0, { suspicion: cast({}), heartbeat: heartbeatOf('vps', { observers: ['me', 'a'] }) })
    const work = beginWork(stateWith([vps, memberAt('a', heardAtMs)], 23_000))
    watchMembers(work)
    const concluded = work.effects.find(({ kind }) => kind === 'concluded')
    expect(concluded?.kind === 'concluded' ? concluded.how : null).toBe(how)
  })

  test('with the votes of the others in it, and the evidence', () => {
    const work = watch(15_100, cast({ a: 14_000, b: 14_000 }), ['a', 'b'])
    const gossip = work.effects.find((effect) => effect.kind === 'gossip' && effect.record.domain === 'verdict')
    expect(gossip).toMatchObject({
      record: {
        body: {
          alone: false,
          observers: 3,
          fault: 'silent',
          ageMs: 15_100,
          votes: [{ signer: 'a' }, { signer: 'b' }],
          evidence: { signer: 'vps' },
        },
      },
    })
  })
})
