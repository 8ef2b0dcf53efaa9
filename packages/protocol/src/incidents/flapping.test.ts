import { expect, test } from 'vitest'
import { flapping } from '../limits.ts'
import type { HeldRecord, MemberState } from '../state.ts'
import { fixedRecords } from '../testing/fixed-records.ts'
import { heldRecord, incidentOf, memberAt, OPTIONS, stateWith } from '../testing/make-state.ts'
import { hostIncidentId } from '../wire/names.ts'
import type { AbsenceFault, SignedAs } from '../wire/records.ts'
import { beginWork } from '../work.ts'
import { endSteadyFlapping, noticeFlapping } from './flapping.ts'
import { applyMeshRecord } from './housekeeping.ts'
import type { Incident } from './incident.ts'
import { outagesOf } from './outages.ts'

const NOW = 3_600_000
const { verdict, vote } = fixedRecords

/** Verdicts on `vps` as [incarnation, how long ago, fault]. */
function heldVerdicts(
  verdicts: readonly (readonly [number, number, AbsenceFault?])[],
): ReadonlyMap<string, HeldRecord> {
  return new Map(
    verdicts.map(([incarnation, agoMs, fault = 'silent'], index) => {
      const life = { incarnation, epoch: 0 }
      const votes = ['a', 'b'].map((signer) => ({ ...vote, signer, body: { ...vote.body, subject: 'vps', life } }))
      const body = { ...verdict.body, subject: 'vps', fault, life, votes, observers: 3 }
      return [`${index}`, { record: { ...verdict, body }, bornAtMs: NOW - agoMs, learntAtMs: NOW }]
    }),
  )
}

const ended = (incarnation: number) => ({ incarnation, epoch: 0 })

test.each<[string, readonly (readonly [number, number, AbsenceFault?])[], number]>([
  ['the life that ends now counts without a verdict', [], 1],
  ['it counts once', [[3, 0]], 1],
  [
    'two verdicts on one life count once',
    [
      [2, 100],
      [2, 200],
    ],
    2,
  ],
  [
    'earlier lives within ten minutes count',
    [
      [1, flapping.withinMs],
      [2, 60_000],
    ],
    3,
  ],
  [
    'earlier ones do not',
    [
      [1, flapping.withinMs + 1],
      [2, 60_000],
    ],
    2,
  ],
  [
    'sleeps and stops are no outages',
    [
      [1, 100, 'asleep'],
      [2, 200, 'stopped'],
    ],
    1,
  ],
])('outages are counted from the verdicts: %s', (_, verdicts, expected) => {
  expect(outagesOf(stateWith([], NOW, { records: heldVerdicts(verdicts) }), 'vps', ended(3))).toBe(expected)
  expect(outagesOf(stateWith([], NOW, { records: heldVerdicts(verdicts) }), 'nas', ended(3))).toBe(1)
})

test('a goodbye ends the count: the outages before it are none of those after it', () => {
  const three = [1, 2, 3].map((incarnation) => [incarnation, (4 - incarnation) * 60_000] as const)
  const since = (left: number) =>
    new Map([...heldVerdicts(three), heldRecord('vps', { kind: 'leave', life: ended(left) }, NOW)])
  const outages = (left: number) => outagesOf(stateWith([], NOW, { records: since(left) }), 'vps', ended(4))
  expect([0, 2, 3].map(outages)).toEqual([4, 2, 1])
  // Who was away meanwhile opens no flapping incident that the others have closed.
  const work = beginWork(stateWith([memberAt('vps', NOW, { life: ended(4) })], NOW, { records: since(3) }))
  noticeFlapping(work, 'vps')
  expect(work.state.incidents.size).toBe(0)
})

test.each<[string, Partial<Incident>, number, boolean]>([
  ['ends what flapped before it', { fault: 'flapping', life: ended(3) }, 3, true],
  ['does not end what flapped after it', { fault: 'flapping', life: ended(4) }, 3, false],
  ['does not end what is missing', { fault: 'silent', life: ended(3) }, 3, false],
])('a goodbye that is learnt when its host is back %s', (_, change, incarnation, ends) => {
  const incident = incidentOf({ host: 'vps', ...change })
  const incidents = new Map([[incident.id, incident]])
  const work = beginWork(stateWith([memberAt('vps', NOW, { life: ended(5) })], NOW, { incidents }))
  const [, { record }] = heldRecord('vps', { kind: 'leave', life: ended(incarnation) }, NOW)
  applyMeshRecord(work, record as SignedAs<'record'>)
  expect(work.state.members.get('vps')?.state).toBe('alive')
  expect([...work.state.incidents.values()]).toMatchObject([{ state: ends ? 'resolved' : 'firing' }])
})

test('a verdict learnt later turns an open incident into a flapping one', () => {
  const incident = incidentOf({ life: ended(3) })
  const incidents = new Map([[incident.id, incident]])
  const records = heldVerdicts([
    [1, 100],
    [3, 0],
    [2, 50],
  ])
  const work = beginWork(stateWith([memberAt('vps', NOW, { state: 'silent' })], NOW, { incidents, records }))
  noticeFlapping(work, 'vps')
  expect([...work.state.incidents.values()]).toMatchObject([{ fault: 'flapping', outages: 3 }])
})

test.each<[string, MemberState, readonly (readonly [number, number])[], boolean]>([
  [
    'opens it, while the hold lasts',
    'alive',
    [
      [1, 400_000],
      [2, 350_000],
      [3, flapping.holdMs - 1],
    ],
    true,
  ],
  [
    'does not when the hold is over',
    'alive',
    [
      [1, 400_000],
      [2, 350_000],
      [3, flapping.holdMs],
    ],
    false,
  ],
  [
    'does not for two outages',
    'alive',
    [
      [2, 100],
      [3, 50],
    ],
    false,
  ],
  [
    'does not for a host that is away: a verdict opens that',
    'silent',
    [
      [1, 100],
      [2, 50],
      [3, 0],
    ],
    false,
  ],
])('who was away while a host flapped %s', (_, state, verdicts, opens) => {
  const work = beginWork(stateWith([memberAt('vps', NOW, { state })], NOW, { records: heldVerdicts(verdicts) }))
  noticeFlapping(work, 'vps')
  expect([...work.state.incidents.values()].map(({ fault, life }) => [fault, life])).toEqual(
    opens ? [['flapping', ended(3)]] : [],
  )
})

test.each<[string, number, MemberState, number, boolean]>([
  // outages, state, for how long, whether it ends
  ['ends when its host has been steady for five minutes', 3, 'alive', flapping.holdMs, true],
  ['does not end before', 3, 'alive', flapping.holdMs - 1, false],
  ['must be steady twice as long after a fourth outage', 4, 'alive', 2 * flapping.holdMs - 1, false],
  ['ends then', 4, 'alive', 2 * flapping.holdMs, true],
  ['waits an hour at most', 40, 'alive', flapping.holdMostMs, true],
  ['does not end while its host is away', 3, 'silent', 10 * flapping.holdMs, false],
])('a flapping incident %s', (_, outages, state, steadyMs, ends) => {
  const incident = incidentOf({ fault: 'flapping', outages })
  const member = memberAt('vps', NOW, { state, stateAtMs: NOW - steadyMs })
  const work = beginWork(stateWith([member], NOW, { incidents: new Map([[incident.id, incident]]) }))
  endSteadyFlapping(work)
  expect([...work.state.incidents.values()]).toMatchObject([{ state: ends ? 'resolved' : 'firing' }])
})

test.each([
  [flapping.holdMs - 1, 'firing'],
  [flapping.holdMs, 'resolved'],
])('whoever heard a host through all of its outages counts from the last of them: %d ms ago, %s', (agoMs, state) => {
  const three = [1, 2, 3].map((incarnation) => [incarnation, agoMs + (3 - incarnation) * 60_000] as const)
  const incident = incidentOf({ host: 'vps', fault: 'flapping', outages: 3, life: ended(3) })
  const incidents = new Map([[incident.id, incident]])
  const records = heldVerdicts(three)
  const work = beginWork(
    stateWith([memberAt('vps', NOW, { stateAtMs: 0, life: ended(4) })], NOW, { incidents, records }),
  )
  endSteadyFlapping(work)
  expect([...work.state.incidents.values()]).toMatchObject([{ state }])
})

test('a host whose last outage this one has ended is flapping here too, once a verdict learnt later shows it', () => {
  const three = [1, 2, 3].map((incarnation) => [incarnation, (4 - incarnation) * 60_000] as const)
  const id = hostIncidentId(OPTIONS.mesh, 'vps', ended(3))
  const known = incidentOf({ id, host: 'vps', life: ended(3), state: 'resolved', resolvedAtMs: NOW, sinceAtMs: 7 })
  const notice = (records: ReadonlyMap<string, HeldRecord>, incidents: readonly Incident[]) => {
    const state = stateWith([memberAt('vps', NOW, { life: ended(4) })], NOW, {
      records,
      incidents: new Map(incidents.map((incident) => [incident.id, incident])),
      settled: new Map([[id, true]]),
    })
    const work = beginWork(state)
    noticeFlapping(work, 'vps')
    return work.state
  }
  const reopened = notice(heldVerdicts(three), [known])
  expect([...reopened.incidents.values()]).toMatchObject([{ id, fault: 'flapping', state: 'firing', sinceAtMs: 7 }])
  expect(reopened.settled.size).toBe(0)
  // One that was flapping and is over stays over, and two outages are none too many.
  expect(notice(heldVerdicts(three), [{ ...known, fault: 'flapping' }]).incidents.get(id)?.state).toBe('resolved')
  expect(notice(heldVerdicts(three.slice(1)), [known]).incidents.get(id)?.state).toBe('resolved')
})

test.each([
  ['its end was told by one who saw it steady', 50_000, 'resolved'],
  ['what was told is older than its last outage', 70_000, 'firing'],
])('a flapping host that this one has not yet seen steady: %s', (_, toldAgoMs, state) => {
  const incident = incidentOf({ id: 'x', host: 'vps', fault: 'flapping', outages: 3, life: ended(3) })
  const told = { transition: 'resolved', recipient: 'phone', peer: 'a', attempt: 1, step: 'claim' } as const
  const three = [1, 2, 3].map((incarnation) => [incarnation, (4 - incarnation) * 60_000] as const)
  const work = beginWork(
    stateWith([memberAt('vps', NOW, { stateAtMs: NOW - 1_000 })], NOW, {
      records: heldVerdicts(three),
      incidents: new Map([['x', incident]]),
      facts: new Map([['x', [{ ...told, atMs: NOW - toldAgoMs }]]]),
    }),
  )
  endSteadyFlapping(work)
  expect(work.state.incidents.get('x')?.state).toBe(state)
})
