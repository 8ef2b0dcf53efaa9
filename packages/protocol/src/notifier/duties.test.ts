import { describe, expect, test } from 'vitest'
import type { Incident } from '../incidents/incident.ts'
import { limits, turns } from '../limits.ts'
import type { Attempt, Duty, Member, NoticeFact, State } from '../state.ts'
import { fixedRecords } from '../testing/fixed-records.ts'
import { heartbeatOf, heldRecord, incidentOf, memberAt, stateWith } from '../testing/make-state.ts'
import { recipientIdOf } from '../wire/names.ts'
import { beginWork } from '../work.ts'
import { depart, endOldAttempts, yieldTo } from './attempts.ts'
import { isMyTurn, tellWhenDue } from './duties.ts'
import { ranksFor } from './ranks.ts'

const NOW = 100_000
const PHONE = recipientIdOf(new Uint8Array(33).fill(2))
const ID = incidentOf().id
const duty = (change: Partial<Duty> = {}): Duty => ({
  incident: ID,
  transition: 'fired',
  recipient: PHONE,
  sinceMs: NOW,
  ...change,
})
const fact = (peer: string, step: NoticeFact['step'], atMs: number): NoticeFact => ({
  transition: 'fired',
  recipient: PHONE,
  peer,
  attempt: 1,
  step,
  atMs,
})
const attempt = (change: Partial<Attempt> = {}): Attempt => ({
  attempt: 7,
  transition: 'fired',
  recipient: PHONE,
  incidents: [ID],
  claimedAtMs: NOW,
  departed: false,
  ...change,
})

interface Scene {
  readonly incident?: Partial<Incident>
  readonly facts?: readonly NoticeFact[]
  readonly change?: Partial<State>
  /** Whether this host is first in rank, by its Waku; otherwise `a` is. */
  readonly first?: boolean
  readonly others?: readonly Member[]
}

/** Two hosts of which one is first in rank, and an incident of a third. */
function stateOf({ incident = {}, facts = [], change = {}, first = true, others = [] }: Scene, nowMs = NOW): State {
  const open = incidentOf(incident)
  const a = memberAt('a', nowMs, { heartbeat: heartbeatOf('a', { wakuAgeMs: first ? null : 0 }) })
  return stateWith([memberAt('vps', 0, { state: 'silent' }), a, ...others], nowMs, {
    incidents: new Map([[open.id, open]]),
    facts: new Map([[open.id, facts]]),
    lastWakuAtMs: first ? nowMs : null,
    ...change,
  })
}

test('the scene: who is first in rank', () => {
  expect(ranksFor(stateOf({ first: true }), incidentOf())).toEqual(['me', 'a'])
  expect(ranksFor(stateOf({ first: false }), incidentOf())).toEqual(['a', 'me'])
})

describe('it is my turn', () => {
  const doubted = (failures: number) =>
    memberAt('b', NOW, {
      suspicion: {
        probe: null,
        nextProbeAtMs: 0,
        failures,
        round: 0,
        castAtMs: null,
        votes: new Map(),
      },
    })
  // the scene, since when the duty is open, whether it is my turn
  test.each<[string, Scene, number, boolean]>([
    ['at once, as the first in rank', {}, NOW, true],
    ['not at once, as the second', { first: false }, NOW, false],
    ['after five seconds, as the second', { first: false }, NOW - turns.waitMs, true],
    ['not while another’s claim holds', { facts: [fact('a', 'claim', NOW)] }, NOW, false],
    ['not when it is done', { facts: [fact('a', 'stored', NOW)] }, NOW, false],
    [
      'at once, when the first has given its claim back',
      { first: false, facts: [fact('a', 'release', NOW)] },
      NOW,
      true,
    ],
    ['not while my own attempt is under way', { change: { attempts: new Map([[7, attempt()]]) } }, NOW, false],
    [
      'while an attempt of mine at other news is',
      { change: { attempts: new Map([[7, attempt({ transition: 'worse' })]]) } },
      NOW,
      true,
    ],
    ['not while another member is doubted, for it may be one more death', { others: [doubted(1)] }, NOW, false],
    ['while another was only asked', { others: [doubted(0)] }, NOW, true],
    ['after five seconds of that, whoever is doubted', { others: [doubted(3)] }, NOW - turns.holdMs, true],
    [
      'for a check, whoever is doubted',
      { incident: { check: 'disk', fault: 'check' }, others: [doubted(3)] },
      NOW - turns.waitMs * 3,
      true,
    ],
    [
      'not for a check, while a catch-up may bring its end',
      { incident: { check: 'disk', fault: 'check' }, change: { catchUps: new Map([['a', NOW]]) } },
      NOW - 9_000,
      false,
    ],
    ['not for an incident that is gone', { change: { incidents: new Map() } }, NOW, false],
  ])('%s', (_, scene, sinceMs, expected) => {
    expect(isMyTurn(stateOf(scene), duty({ sinceMs }))).toBe(expected)
  })
})

describe('right before a notice leaves', () => {
  const departing = (scene: Scene, mine: Attempt | null) => {
    const attempts = new Map(mine === null ? [] : [[7, mine]])
    const publicKey = new Uint8Array(33).fill(2)
    const records = new Map([heldRecord('a', { kind: 'recipient', name: 'phone', publicKey, atUnixMs: 0 })])
    const work = beginWork(stateOf({ ...scene, change: { attempts, records, ...scene.change } }))
    depart(work, { at: work.state.clock, kind: 'departing', attempt: 7 })
    return work.effects.map((effect) =>
      effect.kind === 'gossip' && effect.record.domain === 'notice' ? effect.record.body.step : effect.kind,
    )
  }
  const given = ['keep-record', 'release', 'abandon']
  test.each<[string, Scene, Attempt | null, readonly string[]]>([
    ['it may go', {}, attempt(), ['depart']],
    [
      'it may go within a second and a half of its claim',
      {},
      attempt({ claimedAtMs: NOW - turns.departMs }),
      ['depart'],
    ],
    ['it is given back when it is later', {}, attempt({ claimedAtMs: NOW - turns.departMs - 1 }), given],
    [
      'it is given back when the host is back',
      { incident: { state: 'resolved', resolvedAtMs: NOW } },
      attempt(),
      given,
    ],
    ['it is given back when another has told meanwhile', { facts: [fact('a', 'accepted', NOW)] }, attempt(), given],
    ['it is given back when the incident is forgotten', { change: { incidents: new Map() } }, attempt(), given],
    ['it is given back when the recipient was removed', { change: { records: new Map() } }, attempt(), given],
    ['it is dropped when a gap has voided its claim', {}, null, ['abandon']],
    [
      'an end may go when it is still the end',
      { incident: { state: 'resolved', resolvedAtMs: NOW } },
      attempt({ transition: 'resolved' }),
      ['depart'],
    ],
    ['an end is given back when the trouble is back', {}, attempt({ transition: 'resolved' }), given],
  ])('%s', (_, scene, mine, expected) => {
    expect(departing(scene, mine)).toEqual(expected)
  })
})

describe('a claim of another', () => {
  const { notice } = fixedRecords
  const yields = (scene: Scene, mine: Partial<Attempt>, incidents: readonly string[] = [ID]) => {
    const work = beginWork(stateOf({ ...scene, change: { attempts: new Map([[7, attempt(mine)]]) } }))
    yieldTo(work, {
      ...notice,
      signer: 'a',
      body: { ...notice.body, step: 'claim', transition: 'fired', recipient: PHONE, incidents },
    })
    return work.state.attempts.size === 0
  }
  test.each<[string, boolean, Partial<Attempt>, readonly string[], boolean]>([
    ['that is before me in rank is yielded to', false, {}, [ID], true],
    ['that is behind me is not', true, {}, [ID], false],
    ['is too late when my notice is under way', false, { departed: true }, [ID], false],
    ['of other news does not matter', false, { transition: 'worse' }, [ID], false],
    ['of another recipient does not matter', false, { recipient: 'tablet' }, [ID], false],
    ['of another incident does not matter', false, {}, ['f'.repeat(32)], false],
  ])('%s', (_, first, mine, incidents, expected) => {
    expect(yields({ first }, mine, incidents)).toBe(expected)
  })
})

test.each<[string, number, readonly NoticeFact[], readonly string[], boolean]>([
  ['goes on while it has time', turns.giveUpMs, [], [], true],
  ['is given back when it has come to nothing', turns.giveUpMs + 1, [], ['release'], false],
])('an attempt %s', (_, ageMs, facts, steps, remains) => {
  const work = beginWork(
    stateOf({ facts, change: { attempts: new Map([[7, attempt({ claimedAtMs: NOW - ageMs })]]) } }),
  )
  endOldAttempts(work)
  expect(work.state.attempts.has(7)).toBe(remains)
  expect(
    work.effects.flatMap((effect) =>
      effect.kind === 'gossip' && effect.record.domain === 'notice' ? [effect.record.body.step] : [],
    ),
  ).toEqual(steps)
})

test('one notice lists a bounded number of hosts, the next one the rest', () => {
  const many = Array.from({ length: limits.noticeIncidents + 1 }, (_, index) =>
    incidentOf({ id: `${index}`, host: `host-${index}` }),
  )
  const incidents = new Map(many.map((incident) => [incident.id, incident]))
  const recipient = heldRecord('a', { kind: 'recipient', name: 'phone', publicKey: new Uint8Array(33), atUnixMs: 0 })
  const work = beginWork(stateOf({ change: { incidents, records: new Map([recipient]) } }))
  tellWhenDue(work)
  const told = work.effects.flatMap((effect) => (effect.kind === 'send-notice' ? [effect.notice.incidents.length] : []))
  expect(told).toEqual([limits.noticeIncidents, 1])
})
