import { describe, expect, test } from 'vitest'
import type { Member, MemberState } from '../state.ts'
import { heartbeatOf, memberAt, stateWith, viewsOf } from '../testing/make-state.ts'
import { isMineToWatch, meshSize, observersOf, votersOn } from './observers.ts'
import { counts, isPresent } from './roster.ts'

const names = (count: number) => Array.from({ length: count }, (_, index) => `host-${index}`)
const meshOf = (size: number, change: Partial<Member> = {}) =>
  stateWith(names(size - 1).map((host) => memberAt(host, 0, change)))

test.each([
  [1, 0],
  [2, 1],
  [3, 2],
  [5, 4],
  [9, 8],
  [10, 8],
  [12, 8],
])('in a mesh of %i, a host has %i observers', (size, expected) => {
  const state = meshOf(size)
  const observers = observersOf(state, 'me')
  expect(observers).toHaveLength(expected)
  expect(new Set(observers).size).toBe(expected)
  expect(observers).not.toContain('me')
})

test('everybody with the same view lists the same observers in the same order', () => {
  const listed = viewsOf([...names(11), 'me']).map((state) => observersOf(state, 'host-3'))
  for (const list of listed) expect(list).toEqual(listed[0])
})

test('when an observer falls silent the next in order enters, and the others stay', () => {
  const state = meshOf(12)
  const before = observersOf(state, 'me')
  const [gone = ''] = before
  const members = [...state.members.values()].map((member) =>
    member.host === gone ? { ...member, state: 'silent' as const } : member,
  )
  const after = observersOf(stateWith(members), 'me')
  expect(after).toHaveLength(8)
  expect(after.slice(0, 7)).toEqual(before.slice(1))
  expect(before).not.toContain(after[7])
})

const stopping = heartbeatOf('x', { mode: 'stopping' })
test.each<[MemberState, boolean, boolean, boolean]>([
  ['alive', false, true, true],
  ['suspect', false, true, true],
  ['alive', true, true, false],
  ['silent', false, false, false],
  ['asleep', false, false, false],
  ['left', false, false, false],
  ['revoked', false, false, false],
])('a member that is %s (stopping: %s) is present: %s, and counts: %s', (state, isStopping, present, counted) => {
  const member = memberAt('x', 0, { state, ...(isStopping ? { heartbeat: stopping } : {}) })
  expect([isPresent(member), counts(member)]).toEqual([present, counted])
  expect(meshSize(stateWith([member, memberAt('y')]))).toBe(counted ? 3 : 2)
})

describe('a member is mine to watch', () => {
  test('always, in a mesh of up to nine', () => {
    const state = meshOf(9, { heartbeat: heartbeatOf('x', { observers: [] }) })
    for (const member of state.members.values()) expect(isMineToWatch(state, member)).toBe(true)
  })

  test('in a larger one when it lists me, or when I am in its order', () => {
    const state = meshOf(14, { heartbeat: heartbeatOf('x', { observers: [] }) })
    for (const member of state.members.values()) {
      expect(isMineToWatch(state, member)).toBe(observersOf(state, member.host).includes('me'))
      expect(isMineToWatch(state, { ...member, heartbeat: heartbeatOf(member.host) })).toBe(true)
    }
    const mine = [...state.members.values()].filter((member) => isMineToWatch(state, member))
    expect(mine.length).toBeGreaterThan(0)
    expect(mine.length).toBeLessThan(13)
  })
})

describe('the votes that count', () => {
  const vps = memberAt('vps', 0, { heartbeat: heartbeatOf('vps', { observers: ['me', 'a', 'b'] }) })
  const voters = (others: readonly Member[], awakeMs = 0) =>
    [...votersOn(stateWith([vps, ...others], awakeMs), vps)].sort()
  test.each<[string, readonly Member[], readonly string[]]>([
    ['are those of its observers', [memberAt('a'), memberAt('b')], ['a', 'b', 'me']],
    ['are not of one declared silent', [memberAt('a', 0, { state: 'silent' }), memberAt('b')], ['b', 'me']],
    ['are not of one who left', [memberAt('a', 0, { state: 'left' }), memberAt('b')], ['b', 'me']],
    ['are not of one whom nobody here knows', [memberAt('b')], ['b', 'me']],
    ['are also of one who has entered for it', [memberAt('a'), memberAt('b'), memberAt('c')], ['a', 'b', 'c', 'me']],
    ['are not of one whom I watch and do not hear', [memberAt('a', -20_000), memberAt('b')], ['b', 'me']],
    ['are mine alone when I hear nobody', [memberAt('a', -20_000), memberAt('b', -20_000)], ['me']],
  ])('%s', (_, others, expected) => {
    expect(voters(others)).toEqual(expected)
  })

  test('are never its own', () => {
    const itself = memberAt('vps', 0, { heartbeat: heartbeatOf('vps', { observers: ['vps', 'me'] }) })
    expect(votersOn(stateWith([itself]), itself)).toEqual(['me'])
  })
})
