import { describe, expect, test } from 'vitest'
import type { Incident } from '../incidents/incident.ts'
import type { Member, MemberState, State } from '../state.ts'
import { fixedRecords } from '../testing/fixed-records.ts'
import { incidentOf, memberAt, START, stateWith } from '../testing/make-state.ts'
import { composeNotice } from './compose.ts'

const [result] = fixedRecords.entry.body.results
const results = new Map([
  [
    'vps',
    new Map(
      ['site', 'backup', 'disk'].flatMap((check) =>
        result === undefined ? [] : [[check, { ...result, check }] as const],
      ),
    ),
  ],
])
const peers = [memberAt('vps', 0, { state: 'silent' }), memberAt('laptop'), memberAt('nas')]
const tell = (incident: Partial<Incident>, change: Partial<State> = {}, awakeMs = 0) =>
  composeNotice(stateWith(peers, awakeMs, { results, ...change }), 'fired', [incidentOf(incident)]).incidents[0]

test('a notice says who tells, of which mesh, and when', () => {
  expect(composeNotice(stateWith(peers), 'fired', [incidentOf()])).toMatchObject({
    transition: 'fired',
    toldBy: 'me',
    mesh: fixedRecords.heartbeat.mesh,
    writtenUnixMs: START.unixMs,
  })
})

describe('a silent host is told', () => {
  test('with the names of those who agree, out of how many, and of its checks in order', () => {
    expect(tell({ voters: ['laptop', 'me'], observers: 3 })).toMatchObject({
      hostName: 'vps',
      voters: ['laptop', 'me'],
      observers: 3,
      alsoOn: ['backup', 'disk', 'site'],
    })
  })

  test('with how long it has lasted, on the awake clock, whatever the wall clock says', () => {
    expect(tell({ sinceAtMs: 4_000 }, {}, 25_000)?.lastedMs).toBe(21_000)
    expect(tell({ sinceAtMs: 4_000, state: 'resolved', resolvedAtMs: 34_000 }, {}, 99_000)?.lastedMs).toBe(30_000)
    expect(tell({ sinceAtMs: 9_000 }, {}, 1_000)?.lastedMs).toBe(0)
  })
})

test('a check is told with its reason, and names no other check', () => {
  expect(tell({ check: 'disk', fault: 'check', because: 'free_percent < 10: yes' })).toMatchObject({
    check: 'disk',
    because: '9.5 % free on / – größer wäre besser (free_percent < 10: yes)',
    alsoOn: [],
  })
})

test('an isolated host tells of how many others it hears nothing', () => {
  expect(tell({ host: 'me', fault: 'isolated', observers: 1 })).toMatchObject({
    observers: 3,
    alsoOn: [],
    hostName: 'me',
  })
})

test.each<[string, readonly [MemberState, number][], boolean]>([
  [
    'three of five within one period are',
    [
      ['silent', 0],
      ['silent', 0],
      ['silent', 0],
      ['alive', 0],
    ],
    true,
  ],
  [
    'two of five are not',
    [
      ['silent', 0],
      ['silent', 0],
      ['alive', 0],
      ['alive', 0],
    ],
    false,
  ],
  [
    'half is not more than half',
    [
      ['silent', 0],
      ['silent', 0],
      ['alive', 0],
    ],
    false,
  ],
  [
    'two of three are',
    [
      ['silent', 0],
      ['silent', 0],
    ],
    true,
  ],
  [
    'those who fell silent long before do not count',
    [
      ['silent', -20_000],
      ['silent', 0],
      ['silent', -20_000],
    ],
    false,
  ],
  [
    'those who left or sleep are not of the mesh',
    [
      ['silent', 0],
      ['silent', 0],
      ['left', 0],
      ['asleep', 0],
    ],
    true,
  ],
])('a mass death: %s', (_, others, expected) => {
  const members: Member[] = others.map(([state, stateAtMs], index) =>
    memberAt(`host-${index}`, 0, { state, stateAtMs }),
  )
  expect(composeNotice(stateWith(members), 'fired', [incidentOf()]).massDeath).toBe(expected)
  expect(composeNotice(stateWith(members), 'resolved', [incidentOf()]).massDeath).toBe(false)
})
