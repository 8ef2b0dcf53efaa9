import { describe, expect, test } from 'vitest'
import { limits } from '../limits.ts'
import type { HeldRecord, Member, State } from '../state.ts'
import { fixedRecords } from '../testing/fixed-records.ts'
import { heartbeatOf, heldRecord, memberAt, stateWith } from '../testing/make-state.ts'
import { beginWork } from '../work.ts'
import { beatWhenDue, sendHeartbeat, setsText } from './heartbeats.ts'

const NOW = 100_000
const { notice } = fixedRecords

function noticeHeld(attempt: number, learntAtMs: number): readonly [string, HeldRecord] {
  return [
    `${attempt}`,
    { record: { ...notice, body: { ...notice.body, attempt } }, bornAtMs: learntAtMs - 500, learntAtMs },
  ]
}

function beats(members: readonly Member[], change: Partial<State> = {}) {
  const work = beginWork(stateWith(members, NOW, change))
  sendHeartbeat(work)
  const sent = work.effects.flatMap((effect) => (effect.kind === 'send-heartbeat' ? [effect] : []))
  return { sent, state: work.state }
}

test.each<[string, Partial<Member>, boolean]>([
  ['to an observer', {}, true],
  ['to one declared silent, who may hear us and answer', { state: 'silent' }, true],
  ['to one asleep', { state: 'asleep' }, true],
  ['to one that is stopping', { heartbeat: heartbeatOf('a', { mode: 'stopping' }) }, true],
  ['not to one that left', { state: 'left' }, false],
])('a heartbeat goes %s', (_, change, goes) => {
  expect(beats([memberAt('a', NOW, change)]).sent.map(({ to }) => to)).toEqual(goes ? [['a']] : [])
})

test('a heartbeat lists its observers, its head and its sets, and the next is due one period later', () => {
  const head = { incarnation: 1, seq: 4, cid: 'x' }
  const { sent, state } = beats([memberAt('a', NOW), memberAt('b', NOW)], {
    heads: new Map([['me', head]]),
    sets: [1, -1],
    beat: 6,
    lastWakuAtMs: 90_000,
  })
  const body = sent[0]?.heartbeat.body
  expect(body).toMatchObject({ beat: 7, mode: 'up', head, sets: '00000001ffffffff', wakuAgeMs: 10_000, nonce: null })
  expect([...(body?.observers ?? [])].sort()).toEqual(['a', 'b'])
  expect(state.nextBeatAtMs).toBe(NOW + 10_000)
})

test('a stop is announced', () => {
  expect(beats([memberAt('a', NOW)], { stopping: true }).sent[0]?.heartbeat.body).toMatchObject({
    mode: 'stopping',
    restartMs: 300_000,
  })
})

test('nothing is sent before it is due', () => {
  const work = beginWork(stateWith([memberAt('a', NOW)], NOW, { nextBeatAtMs: NOW + 1 }))
  beatWhenDue(work)
  expect(work.effects).toEqual([])
})

describe('riders', () => {
  const others = [memberAt('a', NOW)]
  const sets = [7, 7] as const
  test('are the lines of the notice log that were learnt lately, with their ages', () => {
    const records = new Map([
      noticeHeld(1, NOW - limits.ridingMs),
      noticeHeld(2, NOW - limits.ridingMs - 1),
      heldRecord('a', { kind: 'silence', matcher: 'x', forMs: 1, atUnixMs: 0 }, NOW),
    ])
    const [sent] = beats(others, { records, sets }).sent
    expect(sent?.riders).toMatchObject([{ record: { body: { attempt: 1 } }, ageMs: limits.ridingMs + 500 }])
  })

  test('are bounded, and the newest go first', () => {
    const records = new Map(Array.from({ length: 40 }, (_, index) => noticeHeld(index, NOW)))
    const [sent] = beats(others, { records, sets }).sent
    expect(sent?.riders).toHaveLength(limits.riders)
    expect(sent?.riders.at(-1)).toMatchObject({ record: { body: { attempt: 39 } } })
  })

  test('do not ride to one that announces the same sets', () => {
    const level = memberAt('level', NOW, { heartbeat: heartbeatOf('level', { sets: setsText(sets) }) })
    const { sent } = beats([...others, level], { records: new Map([noticeHeld(1, NOW)]), sets })
    expect(sent.map(({ to, riders }) => [to, riders.length])).toEqual([
      [['level'], 0],
      [['a'], 1],
    ])
  })
})
