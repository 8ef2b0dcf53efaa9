import { describe, expect, test } from 'vitest'
import type { Member, State } from '../state.ts'
import { fixedRecords } from '../testing/fixed-records.ts'
import { heartbeatOf, incidentOf, memberAt, stateWith } from '../testing/make-state.ts'
import type { Life, SignedAs } from '../wire/records.ts'
import { beginWork } from '../work.ts'
import { hear, hearEntry, learnLife } from './hearing.ts'

const life = (incarnation: number, epoch = 0): Life => ({ incarnation, epoch })
const NOW = 60_000

const verdict: SignedAs<'verdict'> = {
  ...fixedRecords.verdict,
  body: { ...fixedRecords.verdict.body, subject: 'vps', life: life(1), votes: [], evidence: null },
}
/** `vps`, declared silent at 50 s with its first life. */
const silent = memberAt('vps', 30_000, { state: 'silent', stateAtMs: 50_000, life: life(1), verdict })

function hearing(
  member: Member,
  beat: Parameters<typeof heartbeatOf>[1],
  how: { ageMs?: number; direct?: boolean } = {},
  change: Partial<State> = {},
) {
  const work = beginWork(stateWith([member, memberAt('a', NOW)], NOW, change))
  hear(work, heartbeatOf('vps', { life: life(1), ...beat }), {
    from: how.direct === false ? 'a' : 'vps',
    ageMs: how.ageMs ?? 0,
    direct: how.direct ?? true,
  })
  const heard = work.state.members.get('vps')
  if (heard === undefined) throw new Error('vps is a member')
  return { heard, effects: work.effects, incidents: [...work.state.incidents.values()] }
}

describe('a newer heartbeat', () => {
  const suspicion = {
    probe: null,
    nextProbeAtMs: 0,
    failures: 2,
    round: 1,
    castAtMs: 1,
    votes: new Map(),
  }

  test('ends every doubt', () => {
    expect(hearing(memberAt('vps', 45_000, { state: 'suspect', suspicion }), { beat: 2 }).heard).toMatchObject({
      state: 'alive',
      suspicion: null,
      heardAtMs: NOW,
      direct: true,
    })
  })

  test('relayed, counts from when its relay received it, and shows that the link is down', () => {
    expect(hearing(memberAt('vps', 45_000), { beat: 2 }, { ageMs: 4_000, direct: false }).heard).toMatchObject({
      heardAtMs: NOW - 4_000,
      direct: false,
    })
  })

  test('relayed late, does not turn the clock back', () => {
    expect(hearing(memberAt('vps', 58_000), { beat: 2 }, { ageMs: 9_000, direct: false }).heard.heardAtMs).toBe(58_000)
  })

  test('is passed on to those who doubted its host lately', () => {
    const doubters = new Map([
      ['a', NOW - 5_000],
      ['b', NOW - 20_000],
    ])
    const { effects } = hearing(memberAt('vps', 45_000, { doubters }), { beat: 2 }, { ageMs: 700 })
    expect(effects.filter(({ kind }) => kind === 'send')).toMatchObject([{ to: 'a', carried: [{ ageMs: 700 }] }])
  })
})

test.each<[string, Parameters<typeof heartbeatOf>[1]]>([
  ['the same', { beat: 1 }],
  ['an older one', { beat: 0 }],
  ['one of an older life', { beat: 9, life: life(0) }],
])('%s keeps nobody alive', (_, beat) => {
  expect(hearing(memberAt('vps', 45_000, { life: life(1) }), beat).heard.heardAtMs).toBe(45_000)
})

describe('a host that was declared silent', () => {
  test('is answered with the verdict when it goes on with the life that has ended', () => {
    const { heard, effects } = hearing(silent, { beat: 9 })
    expect(heard.state).toBe('silent')
    expect(effects).toEqual([{ kind: 'send', to: 'vps', carried: [{ record: verdict, ageMs: 0 }] }])
  })

  test('is not answered through others', () => {
    expect(hearing(silent, { beat: 9 }, { direct: false }).effects).toEqual([])
  })

  test.each<[string, Life]>([
    ['epoch', life(1, 1)],
    ['incarnation', life(2)],
  ])('is back with a higher %s, and its incident is over', (_, higher) => {
    const incident = incidentOf({ life: life(1) })
    const { heard, incidents } = hearing(
      silent,
      { beat: 9, life: higher },
      {},
      { incidents: new Map([[incident.id, incident]]) },
    )
    expect(heard).toMatchObject({ state: 'alive', life: higher })
    expect(incidents).toMatchObject([{ state: 'resolved', resolvedAtMs: NOW }])
  })

  test('is back with a heartbeat that is kept, for a restart must not forget the life', () => {
    const { heard, effects } = hearing(silent, { beat: 9, life: life(1, 1) })
    expect(effects).toContainEqual({ kind: 'keep-record', id: 'return/vps', record: heard.heartbeat, ageMs: 0 })
    expect(hearing(memberAt('vps', 45_000), { beat: 2 }).effects).toEqual([])
  })

  test.each<[string, number]>([
    ['received before the verdict', 10_001],
    ['older than its own deadline', 15_001],
  ])('is not back by evidence %s, and its incident keeps its name for the life to come', (_, ageMs) => {
    const incident = incidentOf({ life: life(1) })
    const incidents = new Map([[incident.id, incident]])
    const { heard, incidents: after } = hearing(
      silent,
      { beat: 9, life: life(1, 1) },
      { ageMs, direct: false },
      { incidents },
    )
    expect(heard).toMatchObject({ state: 'silent', life: life(1, 1) })
    expect(after).toMatchObject([{ id: incident.id, state: 'firing', aliases: [], life: life(1) }])
  })
})

test('who said goodbye is back with its next life only', () => {
  const left = memberAt('vps', 0, { state: 'left', life: life(1) })
  expect(hearing(left, { beat: 9 }).heard.state).toBe('left')
  expect(hearing(left, { beat: 1, life: life(2) }).heard.state).toBe('alive')
})

test('who said goodbye is back also when an entry of its next life comes before a heartbeat', () => {
  const work = beginWork(stateWith([memberAt('vps', 0, { state: 'left', life: life(1) })], NOW))
  learnLife(work, 'vps', life(2))
  const left = work.state.members.get('vps')
  expect(left).toMatchObject({ state: 'left' })
  if (left !== undefined)
    expect(hearing(left, { beat: 1, life: life(2) }).heard).toMatchObject({ state: 'alive', life: life(2) })
})

describe('what its heartbeats say that a host has written', () => {
  const head = (seq: number) => ({ incarnation: 1, seq, cid: `cid-${seq}` })
  const before = (seq: number | null) =>
    memberAt('vps', 45_000, { heartbeat: heartbeatOf('vps', { life: life(1), head: seq === null ? null : head(seq) }) })

  test.each<[string, Member, number, number]>([
    ['and is not here since the heartbeat before, is pulled', before(5), 5, 1],
    ['and only the newest names, is on its way', before(4), 5, 0],
    ['and is here, is not pulled', before(4), 4, 0],
    ['in its first heartbeat that is heard, is pulled', { ...before(null), heartbeat: null }, 5, 1],
  ])('%s', (_, member, seq, pulled) => {
    const held: Partial<State> = { connected: new Set(['vps']), heads: new Map([['vps', head(4)]]) }
    const { effects } = hearing(member, { beat: 2, head: head(seq) }, {}, held)
    expect(effects.filter(({ kind }) => kind === 'catch-up')).toHaveLength(pulled)
  })
})

describe('an entry of a new life of a host that is missing', () => {
  const crowd = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((host) => memberAt(host, NOW))
  const entry = { ...fixedRecords.entry, signer: 'vps', body: { ...fixedRecords.entry.body, life: life(2) } }
  const told = (observers: readonly string[], self: string) => {
    const member = { ...silent, heartbeat: heartbeatOf('vps', { life: life(1), observers: [...observers] }) }
    const options = { ...stateWith([]).options, self, name: self }
    const work = beginWork(stateWith([member, ...crowd], NOW, { options }))
    hearEntry(work, entry)
    return { state: work.state.members.get('vps')?.state, asked: work.effects.filter(({ kind }) => kind === 'probe') }
  }

  test('makes who was listed by the life that ended ask: it may be listed no longer', () => {
    expect(told(['me'], 'me')).toMatchObject({ state: 'silent', asked: [{ target: 'vps' }] })
  })

  test('brings it back for who does not watch it', () => {
    const others = Array.from({ length: 40 }, (_, index) => told([], `z${index}`))
    expect(others).toContainEqual({ state: 'alive', asked: [] })
  })
})
