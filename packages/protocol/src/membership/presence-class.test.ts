import { describe, expect, test } from 'vitest'
import { heartbeatOf, memberAt, stateWith } from '../testing/make-state.ts'
import type { MeshRecord } from '../wire/records.ts'
import { ageMs, classOf, deadlineMs, isHeard, isNewerBeat, roundMs, usualPeriodMs } from './presence-class.ts'

const profile: Extract<MeshRecord, { kind: 'member' }> = {
  kind: 'member',
  name: 'vps',
  addresses: [],
  wakuAddresses: [],
  everyMs: 30_000,
  graceMs: 20_000,
  sleeps: false,
  certificate: new Uint8Array(),
  serial: 1,
}

test.each([
  ['its heartbeat says', heartbeatOf('vps', { everyMs: 2_000, graceMs: 1_000 }), profile, 2_000, 1_000],
  ['its profile says while it was never heard', null, profile, 30_000, 20_000],
  ['ours is, while nothing is known of it', null, null, 10_000, 5_000],
])('a member is of the class that %s', (_, heartbeat, known, everyMs, graceMs) => {
  const member = memberAt('vps', 0, { heartbeat, profile: known })
  expect(classOf(stateWith([member]), member)).toMatchObject({ everyMs, graceMs })
})

test.each<[string, Parameters<typeof heartbeatOf>[1], number]>([
  ['every + grace', {}, 15_000],
  ['its restart time after a stop', { mode: 'stopping' }, 300_000],
  ['every + grace after a stop that promises less', { mode: 'stopping', restartMs: 1_000 }, 15_000],
])('a deadline is %s', (_, change, expected) => {
  const member = memberAt('vps', 0, { heartbeat: heartbeatOf('vps', change) })
  expect(deadlineMs(stateWith([member]), member)).toBe(expected)
})

test.each([
  [500, 200],
  [1_000, 400],
  [5_000, 2_000],
  [60_000, 2_000],
])('with a grace of %i ms a probe round lasts %i ms', (graceMs, expected) => {
  expect(roundMs({ graceMs })).toBe(expected)
})

test.each([
  [14_999, true],
  [15_000, true],
  [15_001, false],
])('a member heard %i ms ago counts as heard: %s', (elapsedMs, heard) => {
  const member = memberAt('vps', 1_000)
  const state = stateWith([member], 1_000 + elapsedMs)
  expect(ageMs(state, member)).toBe(elapsedMs)
  expect(isHeard(state, member)).toBe(heard)
})

test('the longest period is that of the slowest, this host included', () => {
  const slow = memberAt('vps', 0, { heartbeat: heartbeatOf('vps', { everyMs: 60_000, graceMs: 30_000 }) })
  expect(usualPeriodMs(stateWith([memberAt('a'), slow]))).toBe(15_000)
  expect(usualPeriodMs(stateWith([]))).toBe(15_000)
})

describe('a heartbeat is newer', () => {
  const at = (incarnation: number, epoch: number, beat: number) => ({ life: { incarnation, epoch }, beat })
  test.each([
    ['than none', at(1, 0, 1), null, true],
    ['by its beat', at(1, 0, 2), at(1, 0, 1), true],
    ['not when it is the same', at(1, 0, 2), at(1, 0, 2), false],
    ['not by a lower beat', at(1, 0, 1), at(1, 0, 2), false],
    ['by its incarnation, whatever its beat', at(2, 0, 1), at(1, 5, 900), true],
    ['not by an older incarnation', at(1, 0, 900), at(2, 0, 1), false],
    ['by its beat across epochs', at(1, 1, 8), at(1, 0, 7), true],
    ['not by its epoch alone', at(1, 1, 7), at(1, 0, 7), false],
  ])('%s', (_, a, b, expected) => {
    expect(isNewerBeat(a, b)).toBe(expected)
  })
})
