import { hostIncidentId, type Life, type NoticeRecord, type Verdict } from '@muster/protocol'
import { beforeEach, expect, test } from 'vitest'
import { findIncidents, viewIncidents, viewRecipients } from './incident-views.ts'
import { MISSED_MAX } from './limits.ts'
import { missedIncidents, readMissedIncidents } from './missed-incidents.ts'
import { createTestAgent, hostIdOf, START_UNIX_MS, type TestAgent, testPublicKey } from './testing/test-agent.ts'

const LAPTOP = hostIdOf('laptop')
const VPS = hostIdOf('vps-1')
const FIRST: Life = { incarnation: 0, epoch: 0 }
/** The laptop was last heard a minute and a half before it was started again. */
const HEARD_UNIX_MS = START_UNIX_MS - 90_000
/** When the test's agent is made. */
const STARTED_UNIX_MS = START_UNIX_MS + 1_000

let agent: TestAgent

beforeEach(() => {
  agent = createTestAgent()
  agent.live('home')
  agent.live('vps-1')
  agent.advance(20_000)
})

function verdictOn(subject: string, life: Life, some: Partial<Verdict> = {}): Verdict {
  return {
    subject,
    life,
    beat: 7,
    ageMs: 15_000,
    fault: 'silent',
    observers: 2,
    votes: [],
    alone: false,
    evidence: null,
    heardUnixMs: HEARD_UNIX_MS,
    outages: 1,
    ...some,
  }
}

function idOf(host: string, life: Life): string {
  return hostIncidentId(agent.port.state().options.mesh, host, life)
}

function line(incident: string, some: Partial<NoticeRecord>): NoticeRecord {
  const recipient = viewRecipients(agent.port.state())[0]?.id ?? ''
  return { step: 'claim', incidents: [incident], transition: 'fired', recipient, attempt: 1, ...some }
}

test('what others concluded of this host while it was away is one incident, over when it was started', () => {
  agent.hand('home', 'verdict', verdictOn(LAPTOP, FIRST), 100_000)
  agent.hand('vps-1', 'verdict', verdictOn(LAPTOP, FIRST, { heardUnixMs: HEARD_UNIX_MS - 300 }), 100_000)
  expect(missedIncidents(agent.port.state())).toEqual([
    expect.objectContaining({
      id: idOf(LAPTOP, FIRST),
      host: LAPTOP,
      fault: 'silent',
      severity: 'critical',
      state: 'resolved',
      sinceUnixMs: HEARD_UNIX_MS,
      resolvedUnixMs: STARTED_UNIX_MS,
      voters: [hostIdOf('home'), VPS],
      observers: 2,
    }),
  ])
})

test('a missed incident is shown with who was told, and its end is when somebody set out to tell it', async () => {
  await agent.port.addRecipient('phone', testPublicKey())
  const id = idOf(LAPTOP, FIRST)
  agent.hand('home', 'verdict', verdictOn(LAPTOP, FIRST), 100_000)
  agent.hand('home', 'notice', line(id, {}), 99_000)
  agent.hand('home', 'notice', line(id, { step: 'delivered', attempt: 0 }), 98_000)
  // Before this agent was started: it is not the first start since.
  agent.hand('vps-1', 'notice', line(id, { transition: 'resolved' }), 25_000)
  const state = agent.port.state()
  const endUnixMs = state.clock.unixMs - 25_000
  expect(viewIncidents(state, missedIncidents(state))).toMatchObject([
    {
      id,
      shortId: id.slice(0, 4),
      hostName: 'laptop',
      missed: true,
      state: 'resolved',
      sinceUnixMs: HEARD_UNIX_MS,
      resolvedUnixMs: endUnixMs,
      lastedMs: endUnixMs - HEARD_UNIX_MS,
      voters: ['home'],
      told: [
        { recipientName: 'phone', transition: 'fired', step: 'delivered', by: 'home' },
        { recipientName: 'phone', transition: 'resolved', step: 'claim', by: 'vps-1' },
      ],
    },
  ])
  expect(findIncidents(state, id.slice(0, 4))).toMatchObject([{ id, state: 'resolved' }])
})

test('the log of a host tells when it was back, unless its clock is wrong; else nothing does', async () => {
  const life = { incarnation: 1, epoch: 0 }
  agent.hand('home', 'verdict', verdictOn(VPS, life, { alone: true }), 100_000)
  const read = (backUnixMs: number | null) => readMissedIncidents(agent.port.state(), async () => backUnixMs)
  expect(await read(HEARD_UNIX_MS + 42_000)).toMatchObject([
    { host: VPS, life, severity: 'unknown', resolvedUnixMs: HEARD_UNIX_MS + 42_000 },
  ])
  expect(await read(HEARD_UNIX_MS - 1)).toMatchObject([{ resolvedUnixMs: null }])
  const [view] = viewIncidents(agent.port.state(), await read(null))
  expect(view).toMatchObject({ state: 'resolved', resolvedUnixMs: null, lastedMs: 0, missed: true })
})

test('an incident of this host’s own is not missed, under whatever name', () => {
  agent.die('vps-1')
  agent.advance(60_000)
  agent.live('vps-1')
  agent.advance(20_000)
  const state = agent.port.state()
  const [own] = state.incidents.values()
  expect(own).toMatchObject({ host: VPS, state: 'resolved' })
  expect(missedIncidents(state)).toEqual([])
  if (own === undefined) return
  const renamed = { ...own, id: 'ff'.repeat(32), aliases: [own.id] }
  expect(missedIncidents({ ...state, incidents: new Map([[renamed.id, renamed]]) })).toEqual([])
  expect(missedIncidents({ ...state, incidents: new Map() })).toMatchObject([{ id: own.id }])
})

test('a verdict on a life that its host still lives, or that nobody knows it to have outlived, is not missed', () => {
  const now = agent.port.state().members.get(VPS)?.life ?? FIRST
  agent.hand('home', 'verdict', verdictOn(VPS, now, { alone: true }), 1_000)
  agent.hand('home', 'verdict', verdictOn(hostIdOf('stranger'), FIRST, { alone: true }), 1_000)
  expect(missedIncidents(agent.port.state())).toEqual([])
})

test('while a host is missing, an older verdict on it is shown only with a sign that it was back in between', async () => {
  agent.hand('home', 'verdict', verdictOn(VPS, FIRST), 100_000)
  agent.die('vps-1')
  agent.advance(60_000)
  const state = agent.port.state()
  expect([...state.incidents.values()]).toMatchObject([{ host: VPS, state: 'firing' }])
  expect(await readMissedIncidents(state, async () => null)).toEqual([])
  expect(await readMissedIncidents(state, async () => HEARD_UNIX_MS + 42_000)).toMatchObject([
    { host: VPS, life: FIRST, state: 'resolved' },
  ])
})

test('the newest come first, and not more than the limit', () => {
  for (let epoch = 0; epoch <= MISSED_MAX; epoch += 1) {
    const verdict = verdictOn(LAPTOP, { incarnation: 0, epoch }, { heardUnixMs: HEARD_UNIX_MS + epoch })
    agent.hand('home', 'verdict', verdict, 100_000)
  }
  const missed = missedIncidents(agent.port.state())
  expect(missed).toHaveLength(MISSED_MAX)
  expect(missed[0]?.life.epoch).toBe(MISSED_MAX)
  expect(missed.at(-1)?.life.epoch).toBe(1)
})
