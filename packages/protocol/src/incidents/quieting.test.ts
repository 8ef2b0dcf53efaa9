import { describe, expect, test } from 'vitest'
import type { Member, MemberState } from '../state.ts'
import { heldRecord, incidentOf, memberAt, stateWith } from '../testing/make-state.ts'
import type { MeshRecord } from '../wire/records.ts'
import type { Incident } from './incident.ts'
import { isAcknowledged, isFolded, isInMaintenance, isSilenced, isTellable, matches, silenceOn } from './quieting.ts'

const HOUR = 3_600_000
const ID = `7f3a91${'0'.repeat(26)}`
const ALIAS = `beef00${'0'.repeat(26)}`

describe('a matcher', () => {
  test.each<[string, string, string, boolean]>([
    // matcher, host, check, whether it names the incident
    ['7f3a', 'vps', '', true],
    ['7f3a91', 'vps', 'disk', true],
    [ID, 'vps', '', true],
    ['beef', 'vps', '', true],
    ['7f3', 'vps', '', false],
    ['91', 'vps', '', false],
    ['7F3A', 'vps', '', false],
    ['vps', 'vps', '', true],
    ['vps', 'vps', 'disk', true],
    ['vps', 'vps-1', '', false],
    ['vps-*', 'vps-1', 'disk', true],
    ['*-1', 'vps-1', '', true],
    ['v*-*', 'vps-1', '', true],
    ['v*1*2', 'v-1-2', '', true],
    ['v*2*1', 'v-1-2', '', false],
    ['*', 'anything', 'disk', true],
    ['vps/disk', 'vps', 'disk', true],
    ['vps/disk', 'vps', 'load', false],
    ['vps/disk', 'vps', '', false],
    ['*/disk*', 'vps', 'disk-root', true],
    ['vps/*', 'vps', 'disk', true],
    ['vps/', 'vps', '', true],
    ['vps/', 'vps', 'disk', false],
    ['dead', 'dead', '', true],
    ['a*a', 'a', '', false],
    ['', 'vps', '', false],
    ['12D3KooWvps', 'vps', '', true],
    ['12D3KooWvps/disk', 'vps', 'disk', true],
    ['12D3KooWvps/disk', 'vps', 'load', false],
    ['12D3KooW', 'vps', '', false],
  ])('%j against %s/%s: %s', (matcher, host, check, expected) => {
    expect(matches(matcher, { id: ID, aliases: [ALIAS], host: '12D3KooWvps', check }, host)).toBe(expected)
  })
})

/** A state at `elapsedMs` that holds these records, made at 0. */
function stateAt(elapsedMs: number, records: readonly MeshRecord[], members: readonly Member[] = []) {
  const state = stateWith(members, elapsedMs)
  return { ...state, records: new Map(records.map((body) => heldRecord('laptop', body))) }
}

const silence: MeshRecord = { kind: 'silence', matcher: 'vps', forMs: HOUR, atUnixMs: 0 }
const maintenance: MeshRecord = { kind: 'maintenance', host: 'vps', forMs: HOUR, atUnixMs: 0 }
const named = memberAt('vps', 0, {
  profile: {
    kind: 'member',
    name: 'web',
    addresses: [],
    wakuAddresses: [],
    everyMs: 10_000,
    graceMs: 5_000,
    sleeps: false,
    certificate: new Uint8Array(),
    serial: 1,
  },
})

test.each([
  [0, true],
  [HOUR - 1, true],
  [HOUR, false],
])('after %i ms of an hour, a silence and a maintenance are running: %s', (elapsedMs, running) => {
  expect(isSilenced(stateAt(elapsedMs, [silence]), incidentOf({ host: 'vps' }))).toBe(running)
  expect(isInMaintenance(stateAt(elapsedMs, [maintenance]), 'vps')).toBe(running)
})

test('a maintenance is of one host', () => {
  expect(isInMaintenance(stateAt(0, [maintenance]), 'nas')).toBe(false)
})

test('a silence goes by the name that people use for a host', () => {
  const incident = incidentOf({ host: 'vps' })
  expect(isSilenced(stateAt(0, [{ ...silence, matcher: 'web' }], [named]), incident)).toBe(true)
  expect(isSilenced(stateAt(0, [{ ...silence, matcher: 'vps-1' }], [named]), incident)).toBe(false)
})

test('of several silences the longest counts, with the host at which it was asked for', () => {
  const shorter: MeshRecord = { ...silence, matcher: '*', forMs: HOUR / 2 }
  const incident = incidentOf({ host: 'vps' })
  expect(silenceOn(stateAt(60_000, [shorter, silence]), incident)).toEqual({ by: 'laptop', leftMs: HOUR - 60_000 })
  expect(silenceOn(stateAt(HOUR, [shorter, silence]), incident)).toBeNull()
})

test.each<[string, readonly string[], string, boolean]>([
  ['by its id', [], ID, true],
  ['by an id that it had before', [ALIAS], ALIAS, true],
  ['not by another', [ALIAS], 'f'.repeat(32), false],
])('an incident is acknowledged %s', (_, aliases, acknowledged, expected) => {
  const state = stateAt(0, [{ kind: 'ack', incident: acknowledged, by: 'phone', atUnixMs: 0 }])
  expect(isAcknowledged(state, incidentOf({ id: ID, aliases }))).toBe(expected)
})

test.each<[MemberState, boolean]>([
  ['alive', false],
  ['suspect', false],
  ['silent', true],
  ['asleep', true],
  ['left', false],
])('a check of a host that is %s is folded: %s, and the host itself never', (memberState, folded) => {
  const state = stateAt(0, [], [memberAt('vps', 0, { state: memberState })])
  expect(isFolded(state, incidentOf({ check: 'disk', fault: 'check' }))).toBe(folded)
  expect(isFolded(state, incidentOf())).toBe(false)
})

test.each<[string, Partial<Incident>, readonly MeshRecord[], boolean]>([
  ['a silent host is told', {}, [], true],
  ['a host that one observer missed is told', { severity: 'unknown' }, [], true],
  ['a host asleep is not', { fault: 'asleep' }, [], false],
  ['a stopped host is', { fault: 'stopped' }, [], true],
  ['a critical check is told', { check: 'disk', fault: 'check' }, [], true],
  ['a warning is told', { check: 'disk', fault: 'check', severity: 'warning' }, [], true],
  ['a check that could not tell is not', { check: 'disk', fault: 'check', severity: 'unknown' }, [], false],
  ['nothing is told of a host in maintenance', {}, [maintenance], false],
  ['nothing is told that is silenced', {}, [silence], false],
  ['what an acknowledgement answers is still told', {}, [{ kind: 'ack', incident: ID, by: '', atUnixMs: 0 }], true],
])('%s', (_, change, records, tellable) => {
  expect(isTellable(stateAt(0, records), incidentOf({ id: ID, ...change }))).toBe(tellable)
})
