import { expect, test } from 'vitest'
import type { Member, State } from '../state.ts'
import { heartbeatOf, incidentOf, memberAt, stateWith, viewsOf } from '../testing/make-state.ts'
import { ranksFor } from './ranks.ts'

const down = incidentOf({ host: 'vps' })
const check = incidentOf({ host: 'a', check: 'disk', fault: 'check', life: null })
const waku = (host: string, wakuAgeMs: number | null) => ({ heartbeat: heartbeatOf(host, { wakuAgeMs }) })
const sleeper = (host: string, wakuAgeMs: number | null = null) => ({
  heartbeat: heartbeatOf(host, { sleeps: true, wakuAgeMs }),
})
const ranks = (members: readonly Member[], incident = down, change: Partial<State> = {}, awakeMs = 0) =>
  ranksFor(stateWith(members, awakeMs, change), incident)

test('all host incidents share one order, so that a rack’s loss has one notifier', () => {
  const members = ['a', 'b', 'c', 'd'].map((host) => memberAt(host))
  expect(ranks(members, incidentOf({ id: 'x', host: 'vps' }))).toEqual(
    ranks(members, incidentOf({ id: 'y', host: 'nas' })),
  )
})

test('each check’s incident has an order of its own', () => {
  const members = ['a', 'b', 'c', 'd', 'e'].map((host) => memberAt(host))
  const orders = new Set(['1', '2', '3', '4'].map((id) => ranks(members, { ...check, id }).join()))
  expect(orders.size).toBeGreaterThan(1)
})

test('peers with the same view compute the same order', () => {
  const orders = viewsOf(['me', 'a', 'b', 'c']).map((state) => ranksFor(state, down))
  for (const order of orders) expect(order).toEqual(orders[0])
})

test.each<[string, readonly Member[], readonly string[]]>([
  ['the host itself has no rank in its own death', [memberAt('vps'), memberAt('a')], ['a', 'me']],
  ['one declared silent has none', [memberAt('a', 0, { state: 'silent' })], ['me']],
  ['one asleep has none', [memberAt('a', 0, { state: 'asleep' })], ['me']],
  ['one that left has none', [memberAt('a', 0, { state: 'left' })], ['me']],
  ['one that is stopping has none', [memberAt('a', 0, { heartbeat: heartbeatOf('a', { mode: 'stopping' }) })], ['me']],
  ['one never heard keeps its rank', [memberAt('a', 0, { heartbeat: null })], ['a', 'me']],
])('%s', (_, members, expected) => {
  expect([...ranks(members)].sort()).toEqual(expected)
})

test('those whose Waku worked within the last minute go first, sleepers go last within each', () => {
  const members = [
    memberAt('plain', 0, waku('plain', null)),
    memberAt('works', 0, waku('works', 59_000)),
    memberAt('worked', 0, waku('worked', 61_000)),
    memberAt('sleepy', 0, sleeper('sleepy')),
    memberAt('sleepy-works', 0, sleeper('sleepy-works', 5)),
  ]
  const order = ranks(members, down, { lastWakuAtMs: 0 }, 500)
  expect([...order.slice(0, 2)].sort()).toEqual(['me', 'works'])
  expect(order[2]).toBe('sleepy-works')
  expect([...order.slice(3, 5)].sort()).toEqual(['plain', 'worked'])
  expect(order[5]).toBe('sleepy')
})

test('the age of a peer’s Waku grows with the age of its heartbeat', () => {
  const members = [memberAt('a', 0, waku('a', 50_000))]
  expect(ranks(members, down, { lastWakuAtMs: null }, 10_000)[0]).toBe('a')
  const atLast = ranks(members, down, { lastWakuAtMs: 15_000 }, 15_000)
  expect(atLast).toEqual(['me', 'a'])
})

test('a check is told by all who hold the result, its own host included', () => {
  expect([...ranks([memberAt('a'), memberAt('b')], check)].sort()).toEqual(['a', 'b', 'me'])
  expect(ranks([], incidentOf({ host: 'me', check: 'disk', fault: 'check' }))).toEqual(['me'])
})

test('an isolated host tells of itself, and counts nobody whom it does not hear', () => {
  const isolation = incidentOf({ host: 'me', fault: 'isolated' })
  const members = [memberAt('a', 0), memberAt('b', 0)]
  expect(ranks(members, isolation, { isolated: true }, 20_000)).toEqual(['me'])
  expect(ranks(members, incidentOf({ host: 'me', fault: 'silent' }))).not.toContain('me')
})

test('sleepers go last, whatever their score', () => {
  const plain = ['p1', 'p2', 'p3', 'p4'].map((host) => memberAt(host))
  const sleepers = ['s1', 's2', 's3', 's4'].map((host) => memberAt(host, 0, sleeper(host)))
  expect([...ranks([...sleepers, ...plain]).slice(5)].sort()).toEqual(['s1', 's2', 's3', 's4'])
})
