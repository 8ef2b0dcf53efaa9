import { describe, expect, test } from 'vitest'
import { createState } from './create-state.ts'
import { CLOSED_BY_LEAVE, type Incident } from './incidents/incident.ts'
import type { Restored } from './options.ts'
import { fixedRecords, MESH } from './testing/fixed-records.ts'
import { heartbeatOf, heldRecord, incidentOf, NOTHING_RESTORED, OPTIONS, START } from './testing/make-state.ts'
import { hostIncidentId } from './wire/names.ts'
import type { AbsenceFault, Life, SignedAs } from './wire/records.ts'

const HOUR = 3_600_000
const life = (incarnation: number, epoch = 0): Life => ({ incarnation, epoch })
const restore = (change: Partial<Restored> = {}) => createState(OPTIONS, { ...NOTHING_RESTORED, ...change }, START)

function verdictOn(subject: string, of: Life, fault: AbsenceFault = 'silent'): SignedAs<'verdict'> {
  const { verdict } = fixedRecords
  return {
    ...verdict,
    signer: 'laptop',
    body: { ...verdict.body, subject, life: of, fault, votes: [], evidence: null },
  }
}

/** An entry of a host in some life: what shows, after a restart, that the host lived. */
function entryOf(host: string, of: Life): SignedAs<'entry'> {
  const { entry } = fixedRecords
  return { ...entry, signer: host, body: { ...entry.body, life: of, results: [] } }
}

const openIncident = (of: Life, change: Partial<Incident> = {}): Incident =>
  incidentOf({
    id: hostIncidentId(MESH, 'vps', of),
    life: of,
    openedAtMs: 77_000,
    sinceUnixMs: START.unixMs - HOUR,
    ...change,
  })

describe('a first start', () => {
  test('judges nobody for one period, and until one catch-up round has ended', () => {
    expect(restore().quiet).toEqual({ sinceMs: 0, untilMs: 10_000, rounds: 1, inRound: false })
  })

  test('knows nobody and holds nothing', () => {
    const state = restore()
    expect([state.members.size, state.records.size, state.incidents.size, state.heads.size]).toEqual([0, 0, 0, 0])
    expect(state).toMatchObject({ life: life(1), sets: [0, 0], stopping: false, isolated: false })
  })

  test('numbers its attempts above those of every earlier start', () => {
    expect(restore({ incarnation: 2 }).nextAttempt).toBeGreaterThan(restore({ incarnation: 1 }).nextAttempt + 900_000)
    expect(Number.isSafeInteger(restore({ incarnation: 2 ** 32 - 1 }).nextAttempt + 1_000_000)).toBe(true)
  })
})

describe('after a restart', () => {
  const { member, leave, vote } = fixedRecords
  const at = { ...member, signer: 'vps' }

  test('members are known from their records, and watched from this moment on', () => {
    const state = restore({ carried: [{ record: at, ageMs: HOUR }] })
    expect(state.members.get('vps')).toMatchObject({
      state: 'alive',
      heardAtMs: 0,
      heartbeat: null,
      profile: { name: 'vps-1' },
    })
    expect(state.members.has('me')).toBe(false)
  })

  test.each([
    ['is missed when the rest of its time is over', 60_000, -60_000],
    ['is given a period to be heard in, when its time was over long ago', HOUR, -285_000],
  ])('who said that it is stopping %s', (_, ageMs, heardAtMs) => {
    const goodbye = heartbeatOf('vps', { life: life(4), mode: 'stopping', restartMs: 300_000 })
    const state = restore({ carried: [{ record: goodbye, ageMs }] })
    expect(state.members.get('vps')).toMatchObject({ state: 'alive', heartbeat: goodbye, heardAtMs, life: life(4) })
    expect(state.records.size).toBe(0)
  })

  test('a goodbye of a life that has passed says nothing', () => {
    const goodbye = heartbeatOf('vps', { life: life(4), mode: 'stopping' })
    const entries = [{ record: entryOf('vps', life(5)), ageMs: 0 }]
    const state = restore({ carried: [{ record: goodbye, ageMs: 0 }], entries })
    expect(state.members.get('vps')?.heartbeat).toBe(null)
  })

  test('who came back is known by the life it came back with, and is watched from this start', () => {
    const back = heartbeatOf('vps', { life: life(4, 1) })
    const goodbye = heartbeatOf('vps', { life: life(4), beat: 0, mode: 'stopping' })
    for (const carried of [
      [goodbye, back],
      [back, goodbye],
    ]) {
      const state = restore({ carried: carried.map((record) => ({ record, ageMs: HOUR })) })
      expect(state.members.get('vps')).toMatchObject({
        state: 'alive',
        heartbeat: back,
        heardAtMs: 0,
        life: life(4, 1),
      })
    }
  })

  test('a life that only the evidence of a verdict shows is known', () => {
    const evidence = heartbeatOf('vps', { life: life(6, 2) })
    const record = { ...verdictOn('vps', life(6, 2)), body: { ...verdictOn('vps', life(6, 2)).body, evidence } }
    expect(restore({ carried: [{ record, ageMs: HOUR }] }).members.get('vps')?.life).toEqual(life(6, 2))
    const forged = { ...record, body: { ...record.body, evidence: { ...evidence, signer: 'liar' } } }
    expect(
      restore({ carried: [at, forged].map((each) => ({ record: each, ageMs: HOUR })) }).members.get('vps')?.life,
    ).toEqual(life(0))
  })

  test('a witnessed verdict that was kept and not yet adopted waits to be weighed again', () => {
    const of = { subject: 'vps', life: life(3) }
    const votes = ['a', 'b'].map((signer) => ({ ...vote, signer, body: { ...vote.body, ...of } }))
    const witnessed = { ...verdictOn('vps', life(3)), body: { ...verdictOn('vps', life(3)).body, votes, observers: 3 } }
    const offered = (record: SignedAs<'verdict'>, lived: Life) => {
      const entries = [{ record: entryOf('vps', lived), ageMs: 0 }]
      return restore({ carried: [{ record, ageMs: HOUR }], entries }).members.get('vps')?.offered
    }
    expect(offered(witnessed, life(3))).toEqual([witnessed])
    expect(offered(witnessed, life(4))).toEqual([])
    expect(offered(verdictOn('vps', life(3)), life(3))).toEqual([])
  })

  test('a bad result whose incident was lost with the power has one again, unless that is over', () => {
    const { entry } = fixedRecords
    const [result] = entry.body.results
    const bad = { ...entry, signer: 'vps', body: { ...entry.body, results: entry.body.results.slice(0, 1) } }
    const entries = [{ record: bad, ageMs: 0 }]
    const reopened = [...restore({ entries }).incidents.values()]
    expect(reopened).toMatchObject([{ host: 'vps', check: result?.check, state: 'firing', episode: result?.episode }])
    const over = reopened.map((incident) => ({ ...incident, state: 'resolved', resolvedUnixMs: 0 }) as const)
    expect([...restore({ entries, incidents: over }).incidents.values()]).toMatchObject([{ state: 'resolved' }])
    const gone = [at, { ...leave, signer: 'vps' }].map((record) => ({ record, ageMs: HOUR }))
    expect(restore({ entries, carried: gone }).incidents.size).toBe(0)
  })

  test('this host is no member of its own', () => {
    expect(restore({ carried: [{ record: { ...member, signer: 'me' }, ageMs: 0 }] }).members.size).toBe(0)
  })

  test('who said goodbye is still gone, unless it has lived since', () => {
    const gone = { ...leave, signer: 'vps' }
    const carried = [at, gone].map((record) => ({ record, ageMs: HOUR }))
    expect(restore({ carried }).members.get('vps')?.state).toBe('left')
    expect(
      restore({ carried, entries: [{ record: entryOf('vps', life(8)), ageMs: 0 }] }).members.get('vps'),
    ).toMatchObject({
      state: 'alive',
      life: life(8),
    })
  })

  test('who said goodbye, came back, and fell silent is silent: that it wrote nothing in between does not make it gone', () => {
    const evidence = heartbeatOf('vps', { life: life(8) })
    const verdict = { ...verdictOn('vps', life(8)), body: { ...verdictOn('vps', life(8)).body, evidence } }
    const gone = [at, { ...leave, signer: 'vps' }]
    const incidents = [openIncident(life(8))]
    for (const known of [[verdict], [verdictOn('vps', life(8)), evidence]]) {
      const state = restore({ carried: [...gone, ...known].map((record) => ({ record, ageMs: HOUR })), incidents })
      expect(state.members.get('vps')).toMatchObject({ state: 'silent', life: life(8) })
      expect([...state.incidents.values()]).toMatchObject([{ state: 'firing' }])
    }
  })

  test('what a goodbye closed is no sign that its host lived on, in this start or the next', () => {
    const left = leave.body.kind === 'leave' ? leave.body.life : life(0)
    const carried = [at, { ...leave, signer: 'vps' }].map((record) => ({ record, ageMs: HOUR }))
    const first = restore({ carried, incidents: [openIncident(left)] })
    expect([...first.incidents.values()]).toMatchObject([{ state: 'resolved', because: CLOSED_BY_LEAVE }])
    const second = restore({ carried, incidents: [...first.incidents.values()] })
    expect(second.members.get('vps')).toMatchObject({ state: 'left', life: left })
  })

  test('records keep their age', () => {
    const [id, { record }] = heldRecord('a', { kind: 'silence', matcher: 'x', forMs: HOUR, atUnixMs: 0 })
    const state = restore({ carried: [{ record, ageMs: 1_000 }] })
    expect(state.records.get(id)?.bornAtMs).toBe(-1_000)
    expect(state.sets).not.toEqual([0, 0])
  })

  test('the notice log is known again', () => {
    const { notice } = fixedRecords
    expect(restore({ carried: [{ record: notice, ageMs: 5_000 }] }).facts.size).toBe(1)
  })

  test('the newest result of each check is known, and retired ones are not', () => {
    const { entry } = fixedRecords
    const first = { ...entry, signer: 'vps', body: { ...entry.body, retired: [] } }
    const second = { ...first, body: { ...first.body, seq: 14, results: [], retired: ['backup'] } }
    expect([
      ...(restore({ entries: [{ record: first, ageMs: 0 }] })
        .results.get('vps')
        ?.keys() ?? []),
    ]).toEqual(['disk', 'backup'])
    expect([
      ...(restore({ entries: [first, second].map((record) => ({ record, ageMs: 0 })) })
        .results.get('vps')
        ?.keys() ?? []),
    ]).toEqual(['disk'])
  })
})

describe('an incident that was open', () => {
  const record = verdictOn('vps', life(3))
  const carried = [{ record, ageMs: HOUR }]

  test('of a host that is still away goes on, and the host is still silent', () => {
    const state = restore({ carried, incidents: [openIncident(life(3))] })
    expect([...state.incidents.values()]).toMatchObject([{ state: 'firing', openedAtMs: 0, resolvedAtMs: null }])
    expect(state.members.get('vps')).toMatchObject({ state: 'silent', life: life(3), verdict: record })
  })

  test('of a check whose host has said goodbye is over', () => {
    const { member, leave } = fixedRecords
    const gone = [member, leave].map((each) => ({ record: { ...each, signer: 'vps' }, ageMs: 0 }))
    const incidents = [incidentOf({ id: 'x', host: 'vps', check: 'disk', fault: 'check', life: null })]
    expect([...restore({ carried: gone, incidents }).incidents.values()]).toMatchObject([{ state: 'resolved' }])
    expect([...restore({ incidents }).incidents.values()]).toMatchObject([{ state: 'firing' }])
  })

  test('of a host asleep goes on as such', () => {
    const asleep = [{ record: verdictOn('vps', life(3), 'asleep'), ageMs: 0 }]
    const state = restore({ carried: asleep, incidents: [openIncident(life(3), { fault: 'asleep' })] })
    expect(state.members.get('vps')?.state).toBe('asleep')
  })

  test('of a host that has lived since is over', () => {
    const state = restore({
      carried,
      incidents: [openIncident(life(3))],
      entries: [{ record: entryOf('vps', life(4)), ageMs: 0 }],
    })
    expect([...state.incidents.values()]).toMatchObject([{ state: 'resolved', resolvedUnixMs: START.unixMs }])
    expect(state.members.get('vps')?.state).toBe('alive')
  })

  test('of this host itself is over: it may have been isolated, and is judged anew', () => {
    const incident = openIncident(life(1), { host: 'me', fault: 'isolated', id: hostIncidentId(MESH, 'me', life(1)) })
    const byOthers = [{ record: verdictOn('me', life(1)), ageMs: HOUR }]
    const state = restore({ incarnation: 2, incidents: [incident], carried: byOthers })
    expect([...state.incidents.values()]).toMatchObject([{ state: 'resolved' }])
    expect(state.members.has('me')).toBe(false)
  })

  test('without a verdict that still holds is over', () => {
    expect([...restore({ incidents: [openIncident(life(3))] }).incidents.values()]).toMatchObject([
      { state: 'resolved' },
    ])
  })

  test('stands on the verdict on the newest of its lives', () => {
    const renamed = openIncident(life(4), { aliases: [hostIncidentId(MESH, 'vps', life(3))] })
    const both = [life(4), life(3)].map((of) => ({ record: verdictOn('vps', of), ageMs: HOUR }))
    expect(restore({ carried: both, incidents: [renamed] }).members.get('vps')?.verdict?.body.life).toEqual(life(4))
  })

  test('of a check goes on until its host says otherwise', () => {
    const incident = incidentOf({ check: 'disk', fault: 'check', life: null, episode: 2 })
    expect([...restore({ incidents: [incident] }).incidents.values()]).toMatchObject([
      { state: 'firing', check: 'disk' },
    ])
  })

  test('keeps counting its length from when the host was last heard', () => {
    const state = restore({ carried, incidents: [openIncident(life(3))] })
    expect([...state.incidents.values()]).toMatchObject([{ sinceAtMs: -HOUR }])
  })
})

test('an incident that was over stays over, and is forgotten in its time', () => {
  const over = openIncident(life(3), { state: 'resolved', resolvedAtMs: 90_000, resolvedUnixMs: START.unixMs - HOUR })
  expect([...restore({ incidents: [over] }).incidents.values()]).toMatchObject([{ state: 'resolved', resolvedAtMs: 0 }])
})
