import { describe, expect, test } from 'vitest'
import { answerCatchUp, catchUpWhenDue, digestOf, isAhead, startCatchUp } from './catch-up.ts'
import { limits } from './limits.ts'
import type { State } from './state.ts'
import { fixedRecords } from './testing/fixed-records.ts'
import { heldRecord, memberAt, START, stateWith } from './testing/make-state.ts'
import type { LogHead } from './wire/records.ts'
import { beginWork, type Work } from './work.ts'

const head = (incarnation: number, seq: number): LogHead => ({ incarnation, seq, cid: `cid-${incarnation}-${seq}` })
const [ID, HELD] = heldRecord('a', { kind: 'silence', matcher: 'x', forMs: 1, atUnixMs: 0 }, 400)
const change: Partial<State> = {
  connected: new Set(['a']),
  heads: new Map([
    ['a', head(1, 5)],
    ['me', head(2, 3)],
  ]),
  records: new Map([[ID, HELD]]),
}
const workAt = (awakeMs: number, more: Partial<State> = {}) =>
  beginWork(stateWith([memberAt('a')], awakeMs, { ...change, ...more }))
const started = (work: Work) => work.effects.flatMap((effect) => (effect.kind === 'catch-up' ? [effect.peer] : []))

test.each<[string, LogHead, LogHead | undefined, boolean]>([
  ['of anything over nothing', head(1, 1), undefined, true],
  ['of a later entry', head(1, 6), head(1, 5), true],
  ['not of the same', head(1, 5), head(1, 5), false],
  ['not of an earlier one', head(1, 4), head(1, 5), false],
  ['of a later incarnation, however short', head(2, 1), head(1, 500), true],
  ['not of an earlier incarnation, however long', head(1, 500), head(2, 1), false],
])('a log is ahead: %s', (_, a, b, expected) => {
  expect(isAhead(a, b)).toBe(expected)
})

test('a digest names every head and every record', () => {
  expect(digestOf(workAt(0).state)).toEqual({ heads: { a: head(1, 5), me: head(2, 3) }, records: [ID] })
})

describe('a catch-up', () => {
  test.each<[string, Partial<State>, boolean]>([
    ['starts with a connected peer', {}, true],
    ['does not with one that is not connected', { connected: new Set() }, false],
    ['does not while one is under way', { catchUps: new Map([['a', 9_000]]) }, false],
    ['does not right after the last', { caughtUpAtMs: new Map([['a', 10_000 - limits.catchUpPauseMs + 1]]) }, false],
    ['does again after a pause', { caughtUpAtMs: new Map([['a', 10_000 - limits.catchUpPauseMs]]) }, true],
  ])('%s', (_, more, starts) => {
    const work = workAt(10_000, more)
    expect(startCatchUp(work, 'a')).toBe(starts)
    expect(started(work)).toEqual(starts ? ['a'] : [])
  })

  test('is due every thirty seconds', () => {
    const work = workAt(limits.catchUpEveryMs - 1, { nextRoundAtMs: limits.catchUpEveryMs })
    catchUpWhenDue(work)
    expect(started(work)).toEqual([])
    const due = workAt(limits.catchUpEveryMs, { nextRoundAtMs: limits.catchUpEveryMs })
    catchUpWhenDue(due)
    expect(started(due)).toEqual(['a'])
    expect(due.state.nextRoundAtMs).toBe(2 * limits.catchUpEveryMs)
  })

  test('that hangs is given up', () => {
    const work = workAt(limits.catchUpMs, { catchUps: new Map([['a', 0]]), nextRoundAtMs: 1e9 })
    catchUpWhenDue(work)
    expect(work.state.catchUps.size).toBe(0)
  })
})

describe('an answer', () => {
  const ask = (heads: Readonly<Record<string, LogHead>>, records: readonly string[]) => {
    const work = workAt(1_000)
    answerCatchUp(work, { at: START, kind: 'catch-up-asked', from: 'a', ask: 7, digest: { heads, records } })
    const [answer] = work.effects
    return { answer, pulls: started(work).length > 0 }
  }

  test('to one who holds nothing is everything, with the ages of the records', () => {
    expect(ask({}, [])).toEqual({
      answer: {
        kind: 'answer-catch-up',
        ask: 7,
        carried: [{ record: HELD.record, ageMs: 600 }],
        logs: [
          { host: 'a', after: null },
          { host: 'me', after: null },
        ],
      },
      pulls: false,
    })
  })

  test('carries the heartbeats of hosts that returned from a verdict, lest it be taken for the present', () => {
    const { verdict } = fixedRecords
    const record = { ...verdict, body: { ...verdict.body, subject: 'a' } }
    const work = workAt(1_000, { records: new Map([['v', { record, bornAtMs: 0, learntAtMs: 0 }]]) })
    answerCatchUp(work, { at: START, kind: 'catch-up-asked', from: 'a', ask: 7, digest: { heads: {}, records: ['v'] } })
    expect(work.effects[0]).toMatchObject({ carried: [{ record: { domain: 'heartbeat', signer: 'a' }, ageMs: 1_000 }] })
  })

  test('to one who holds the same is nothing', () => {
    expect(ask({ a: head(1, 5), me: head(2, 3) }, [ID])).toMatchObject({
      answer: { carried: [], logs: [] },
      pulls: false,
    })
  })

  test('to one who lacks the end of a log is that end', () => {
    expect(ask({ a: head(1, 5), me: head(2, 1) }, [ID])).toMatchObject({
      answer: { logs: [{ host: 'me', after: head(2, 1) }] },
    })
  })

  test.each<[string, Readonly<Record<string, LogHead>>, readonly string[], boolean]>([
    ['a longer log', { a: head(1, 6), me: head(2, 3) }, [ID], true],
    ['a log of a host unknown here', { a: head(1, 5), me: head(2, 3), b: head(1, 1) }, [ID], true],
    ['a record unknown here', { a: head(1, 5), me: head(2, 3) }, [ID, 'ff'.repeat(16)], true],
    ['less', {}, [], false],
  ])('to one who holds %s is a pull of our own: %s', (_, heads, records, pulls) => {
    expect(ask(heads, records).pulls).toBe(pulls)
  })
})
