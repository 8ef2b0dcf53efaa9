import { describe, expect, test } from 'vitest'
import type { Member, State } from '../state.ts'
import { fixedRecords } from '../testing/fixed-records.ts'
import { heartbeatOf, memberAt, stateWith } from '../testing/make-state.ts'
import type { Life, Verdict, Vote } from '../wire/records.ts'
import { beginWork } from '../work.ts'
import { receiveVerdict, receiveVote } from './testimony.ts'
import { isWitnessed } from './witness.ts'

const NOW = 60_000
const life = (incarnation: number, epoch = 0): Life => ({ incarnation, epoch })

function voteBy(signer: string, change: Partial<Vote> = {}) {
  const { vote } = fixedRecords
  return { ...vote, signer, body: { ...vote.body, subject: 'vps', life: life(1), beat: 1, evidence: null, ...change } }
}

function verdictBy(signer: string, voters: readonly string[], change: Partial<Verdict> = {}) {
  const { verdict } = fixedRecords
  const votes = voters.map((voter) => voteBy(voter, { life: change.life ?? life(1) }))
  return {
    ...verdict,
    signer,
    body: { ...verdict.body, subject: 'vps', life: life(1), beat: 1, evidence: null, observers: 3, votes, ...change },
  }
}

describe('a verdict is witnessed', () => {
  test.each<[string, ReturnType<typeof verdictBy>, boolean]>([
    ['by three of many', verdictBy('a', ['b', 'c'], { observers: 8 }), true],
    ['by both of two', verdictBy('a', ['b'], { observers: 2 }), true],
    ['not by two of three', verdictBy('a', ['b'], { observers: 3 }), false],
    ['not by its signer alone, however few it says could vote', verdictBy('a', [], { observers: 1 }), false],
    ['not by votes of its signer', verdictBy('a', ['a', 'a']), false],
    ['not by one voter twice', verdictBy('a', ['b', 'b']), false],
    [
      'not by votes on another life',
      verdictBy('a', [], { votes: ['b', 'c'].map((voter) => voteBy(voter, { life: life(2) })) }),
      false,
    ],
    ['not by votes of its subject', verdictBy('a', ['vps'], { observers: 2 }), false],
    [
      'not by votes on another host',
      verdictBy('a', [], { observers: 2, votes: [voteBy('b', { subject: 'nas' })] }),
      false,
    ],
  ])('%s', (_, verdict, expected) => {
    expect(isWitnessed(verdict)).toBe(expected)
  })
})

/** `vps` as last heard so long ago, with its first life and beat 1. */
const heardAgo = (agoMs: number, change: Partial<Member> = {}) =>
  memberAt('vps', NOW - agoMs, { life: life(1), ...change })

/** The same, past its deadline, with a vote of our own that has been out for so long. */
const doubted = (castAgoMs: number) =>
  heardAgo(15_001, {
    state: 'suspect',
    suspicion: {
      probe: null,
      nextProbeAtMs: NOW,
      failures: 1,
      round: 1,
      castAtMs: NOW - castAgoMs,
      votes: new Map(),
    },
  })

function receive(verdict: ReturnType<typeof verdictBy>, vps: Member, change: Partial<State> = {}) {
  const others = ['a', 'b', 'c'].map((host) => memberAt(host, NOW))
  const work = beginWork(stateWith([vps, ...others], NOW, change))
  receiveVerdict(work, verdict, 0)
  return work
}

describe('the verdict of another', () => {
  test.each<[string, ReturnType<typeof verdictBy>, Member, Partial<State>, string, number]>([
    // verdict, what is known, state of this host, state of the member, offers that wait
    ['is adopted when we do not hear the host either', verdictBy('a', ['b', 'c']), doubted(2_000), {}, 'silent', 0],
    ['waits until our own vote has been out for a round', verdictBy('a', ['b', 'c']), doubted(1_999), {}, 'suspect', 1],
    ['waits while the host is within its deadline for us', verdictBy('a', ['b', 'c']), heardAgo(9_000), {}, 'alive', 1],
    ['is refused without witnesses', verdictBy('a', ['b']), heardAgo(15_001), {}, 'alive', 0],
    [
      'is never adopted when its signer was alone',
      verdictBy('a', ['b', 'c'], { alone: true }),
      heardAgo(15_001),
      {},
      'alive',
      0,
    ],
    ['waits while we are isolated', verdictBy('a', ['b', 'c']), heardAgo(15_001), { isolated: true }, 'alive', 1],
    [
      'waits in a quiet time',
      verdictBy('a', ['b', 'c']),
      heardAgo(15_001),
      { quiet: { sinceMs: 0, untilMs: 99_000, rounds: 0, inRound: false } },
      'alive',
      1,
    ],
    [
      'on a life that is over is nothing',
      verdictBy('a', ['b', 'c']),
      heardAgo(1_000, { life: life(2) }),
      {},
      'alive',
      0,
    ],
  ])('%s', (_, verdict, vps, change, state, offered) => {
    const member = receive(verdict, vps, change).state.members.get('vps')
    expect([member?.state, member?.offered.length]).toEqual([state, offered])
  })

  test('is refuted with newer evidence', () => {
    const vps = heardAgo(1_000, { heartbeat: heartbeatOf('vps', { beat: 5 }) })
    const work = receive(verdictBy('a', ['b', 'c']), vps)
    expect(work.effects.filter(({ kind }) => kind === 'send')).toMatchObject([
      { to: 'a', carried: [{ record: { domain: 'heartbeat', body: { beat: 5 } }, ageMs: 1_000 }] },
    ])
    expect(work.state.members.get('vps')?.state).toBe('alive')
  })

  test.each([
    ['old', 60_000, 1],
    ['fresh', 1_000, 0],
  ])('goes on waiting when one more brings newer evidence that is %s', (_, ageMs, waiting) => {
    // Seen from no observer of the host, who asks before believing.
    const vps = heardAgo(15_001, { offered: [verdictBy('a', ['b', 'c'])] })
    const evidence = heartbeatOf('vps', { beat: 2 })
    const work = receive(verdictBy('d', [], { alone: true, beat: 2, ageMs, evidence }), vps)
    expect(work.state.members.get('vps')?.offered).toHaveLength(waiting)
  })

  test('is kept, for those who come later', () => {
    expect(receive(verdictBy('a', ['b', 'c']), heardAgo(15_001)).state.records.size).toBe(1)
  })

  test.each<[string, ReturnType<typeof verdictBy>, boolean]>([
    ['by two of three that could vote', verdictBy('b', ['c'], { life: life(1, 1) }), true],
    ['not by one voice', verdictBy('b', [], { life: life(1, 1) }), false],
    ['not by one that says it is alone', verdictBy('b', ['c'], { life: life(1, 1), alone: true }), false],
    [
      'by one voice that shows what the host signed in that life',
      verdictBy('b', [], {
        life: life(1, 1),
        alone: true,
        ageMs: 60_000,
        evidence: heartbeatOf('vps', { life: life(1, 1), beat: 9 }),
      }),
      true,
    ],
  ])('a trouble is renamed %s', (_, verdict, isRenamed) => {
    const first = receive(verdictBy('a', ['b', 'c']), doubted(2_000))
    const silent = first.state.members.get('vps')
    if (silent === undefined) throw new Error('vps is a member')
    const work = receive(verdict, silent, { incidents: first.state.incidents })
    expect([...work.state.incidents.values()]).toMatchObject([{ life: isRenamed ? life(1, 1) : life(1) }])
  })

  test('on a newer life of a host that is silent for us too gives the trouble its newer name', () => {
    const first = receive(verdictBy('a', ['b', 'c']), doubted(2_000))
    const silent = first.state.members.get('vps')
    if (silent === undefined) throw new Error('vps is a member')
    const work = receive(verdictBy('b', ['a', 'c'], { life: life(1, 1) }), silent, { incidents: first.state.incidents })
    const [old] = [...first.state.incidents.keys()]
    expect([...work.state.incidents.values()]).toMatchObject([{ state: 'firing', aliases: [old], life: life(1, 1) }])
  })

  test.each<[string, Life, number, Life]>([
    ['our current life begins a new epoch', life(1), 0, life(1, 1)],
    [
      'our current life, from before we started, is on an earlier start that our disk forgot',
      life(1),
      NOW + 1,
      life(2),
    ],
    ['a life of ours that is over changes nothing', life(0, 7), 0, life(1)],
    ['a life that we never had changes nothing', life(7), NOW + 1, life(1)],
  ])('on %s', (_, named, carriedMs, expected) => {
    const work = beginWork(stateWith([heardAgo(0)], NOW))
    receiveVerdict(work, verdictBy('a', ['b'], { subject: 'me', life: named }), carriedMs)
    expect(work.state.life).toEqual(expected)
    const isNew = expected.incarnation + expected.epoch > 1
    expect(work.effects.filter(({ kind }) => kind === 'keep-life')).toHaveLength(isNew ? 1 : 0)
    expect(work.state.members.has('me')).toBe(false)
  })
})

describe('the vote of another', () => {
  const vote = (change: Partial<Vote>, vps: Member, signer = 'a') => {
    const work = beginWork(stateWith([vps, memberAt('a', NOW)], NOW))
    receiveVote(work, voteBy(signer, change), 0)
    return work
  }

  test('is held, and the voter is remembered as a doubter', () => {
    const member = vote({}, heardAgo(14_000)).state.members.get('vps')
    expect([...(member?.suspicion?.votes.keys() ?? [])]).toEqual(['a'])
    expect(member?.doubters.get('a')).toBe(NOW)
  })

  test('is answered with newer evidence, and not held', () => {
    const work = vote({}, heardAgo(4_000, { heartbeat: heartbeatOf('vps', { beat: 3 }) }))
    expect(work.effects).toMatchObject([{ kind: 'send', to: 'a', carried: [{ ageMs: 4_000 }] }])
    expect(work.state.members.get('vps')?.suspicion).toBeNull()
  })

  test('brings the newest heartbeat that its voter knows', () => {
    const evidence = heartbeatOf('vps', { beat: 8 })
    const work = vote({ evidence, beat: 8, ageMs: 13_000 }, heardAgo(20_000))
    expect(work.state.members.get('vps')).toMatchObject({ heartbeat: { body: { beat: 8 } }, heardAtMs: NOW - 13_000 })
  })

  test('with evidence of another host is held without it', () => {
    const work = vote({ evidence: heartbeatOf('nas', { beat: 8 }) }, heardAgo(20_000))
    expect(work.state.members.get('vps')?.heartbeat?.body.beat).toBe(1)
    expect(work.state.members.has('nas')).toBe(false)
  })

  test('on a host that is silent for us is answered with the verdict', () => {
    const verdict = verdictBy('b', ['a', 'c'])
    const work = vote({}, heardAgo(40_000, { state: 'silent', verdict }))
    expect(work.effects).toEqual([{ kind: 'send', to: 'a', carried: [{ record: verdict, ageMs: 0 }] }])
  })

  test('on ourselves is answered with a heartbeat at once', () => {
    const work = vote({ subject: 'me' }, heardAgo(0))
    expect(work.state.nextBeatAtMs).toBeLessThanOrEqual(NOW)
    expect(work.state.members.has('me')).toBe(false)
  })
})
