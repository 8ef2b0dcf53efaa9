import { describe, expect, test } from 'vitest'
import type { Attempt, Quiet, State } from '../state.ts'
import { heartbeatOf, memberAt, START, stateWith } from '../testing/make-state.ts'
import { beginWork } from '../work.ts'
import { advanceClock, endQuietWhenDue, gapMs, mayTell, noticeGap } from './quiet.ts'

/** The start, so many milliseconds later on each clock. */
const after = (monotonic: number, boot = monotonic, unix = boot) => ({
  monotonicMs: START.monotonicMs + monotonic,
  bootMs: START.bootMs + boot,
  unixMs: START.unixMs + unix,
})

describe('the clock', () => {
  test.each<[string, ReturnType<typeof after>, number, number]>([
    // awake, elapsed
    ['follows a tick', after(250), 250, 250],
    ['advances by two ticks at most, however long nothing happened', after(60_000), 500, 60_000],
    ['stands in suspend, while the elapsed one goes on', after(250, 60_250), 250, 60_250],
    ['does not go back', after(-500), 0, 0],
    ['does not care for the wall clock', after(250, 250, -86_400_000), 250, 250],
  ])('%s', (_, at, awakeMs, elapsedMs) => {
    const clock = advanceClock(stateWith([]).clock, at, stateWith([]).options)
    expect([clock.awakeMs, clock.elapsedMs]).toEqual([awakeMs, elapsedMs])
    expect(clock.monotonicMs).toBeGreaterThanOrEqual(START.monotonicMs)
  })
})

test.each<[string, ReturnType<typeof after>, number, boolean]>([
  ['three seconds without an event are none', after(3_000), 3_000, false],
  ['a longer stretch is one', after(3_001), 3_001, true],
  ['a suspend is one, though the monotonic clock stood still', after(100, 3_101), 3_001, true],
  ['a short suspend is none', after(100, 3_100), 3_000, false],
  ['a leap of the wall clock is none', after(250, 250, 9_000_000), 250, false],
])('a gap of our own: %s', (_, at, gap, isGap) => {
  const state = stateWith([memberAt('a')])
  expect(gapMs(state.clock, at)).toBe(gap)
  const work = beginWork(state)
  noticeGap(work, gapMs(state.clock, at))
  expect(work.state.quiet !== null).toBe(isGap)
})

describe('after a gap', () => {
  const suspicion = {
    probe: null,
    nextProbeAtMs: 0,
    failures: 2,
    round: 1,
    castAtMs: 1,
    votes: new Map(),
  }
  const attempt = (id: number, departed: boolean): Attempt => ({
    attempt: id,
    transition: 'fired',
    recipient: 'phone',
    incidents: ['x'],
    claimedAtMs: 0,
    departed,
  })
  const slow = heartbeatOf('b', { everyMs: 30_000, graceMs: 20_000 })
  const members = [memberAt('a', 0, { state: 'suspect', suspicion }), memberAt('b', 0, { heartbeat: slow })]
  const change: Partial<State> = {
    connected: new Set(['a']),
    attempts: new Map([
      [1, attempt(1, false)],
      [2, attempt(2, true)],
    ]),
  }
  const gapped = () => {
    const work = beginWork(stateWith(members, 14_000, change))
    noticeGap(work, gapMs(work.state.clock, after(90_000)))
    return work
  }

  test('every watch starts anew and every doubt is forgotten', () => {
    for (const member of gapped().state.members.values()) {
      expect(member).toMatchObject({ heardAtMs: 14_000, suspicion: null, state: 'alive' })
    }
  })

  test('claims that are not under way are given back', () => {
    const { state, effects } = gapped()
    expect([...state.attempts.keys()]).toEqual([2])
    expect(effects).toContainEqual({ kind: 'abandon', attempt: 1 })
  })

  test('nobody is judged for the longest period, and until two catch-up rounds have ended', () => {
    const { state, effects } = gapped()
    expect(state.quiet).toEqual({ sinceMs: 14_000, untilMs: 14_000 + 50_000, rounds: 2, inRound: true })
    expect(effects.filter(({ kind }) => kind === 'catch-up')).toHaveLength(1)
  })

  test('without the rule, a simulation sees what happens', () => {
    const state = stateWith(members, 14_000, change)
    const work = beginWork({ ...state, options: { ...state.options, without: ['own-gap'] } })
    noticeGap(work, gapMs(work.state.clock, after(90_000)))
    expect(work.state.quiet).toBeNull()
  })
})

describe('a quiet time', () => {
  const quiet = (more: Partial<Quiet> = {}): Quiet => ({
    sinceMs: 0,
    untilMs: 15_000,
    rounds: 0,
    inRound: false,
    ...more,
  })
  const ended = (at: Quiet, awakeMs: number, more: Partial<State> = {}) => {
    const work = beginWork(stateWith([memberAt('a')], awakeMs, { quiet: at, connected: new Set(['a']), ...more }))
    endQuietWhenDue(work)
    return work.state.quiet
  }

  test('ends when its period is over and its rounds are through', () => {
    expect(ended(quiet(), 14_999)).not.toBeNull()
    expect(ended(quiet(), 15_000)).toBeNull()
  })

  test('goes on while a round is under way', () => {
    expect(ended(quiet({ rounds: 1, inRound: true }), 16_000, { catchUps: new Map([['a', 15_500]]) })).toMatchObject({
      rounds: 1,
    })
  })

  test('counts a round when its catch-ups have ended, and starts the next at once', () => {
    const work = beginWork(
      stateWith([memberAt('a')], 5_000, { quiet: quiet({ rounds: 2, inRound: true }), connected: new Set(['a']) }),
    )
    endQuietWhenDue(work)
    expect(work.state.quiet).toMatchObject({ rounds: 1, inRound: true })
    expect(work.effects).toMatchObject([{ kind: 'catch-up', peer: 'a' }])
  })

  test('waits for no round longer than thirty seconds', () => {
    const hanging = { catchUps: new Map([['a', 29_000]]) }
    expect(ended(quiet({ rounds: 2, inRound: true }), 29_999, hanging)).not.toBeNull()
    expect(ended(quiet({ rounds: 2, inRound: true }), 30_000, hanging)).toBeNull()
  })

  test('asks for no round in a mesh of one', () => {
    const work = beginWork(stateWith([], 15_000, { quiet: quiet({ rounds: 1 }) }))
    endQuietWhenDue(work)
    expect(work.state.quiet).toBeNull()
  })

  test.each<[string, Quiet | null, number, boolean]>([
    ['none is no reason not to tell', null, 0, true],
    ['a round that has not ended is', quiet({ rounds: 1 }), 29_999, false],
    ['when the rounds are through, what is known may be told', quiet(), 1_000, true],
    ['when they have had their time, too', quiet({ rounds: 1 }), 30_000, true],
  ])('%s', (_, at, awakeMs, tells) => {
    expect(mayTell(stateWith([], awakeMs, { quiet: at }))).toBe(tells)
  })
})
