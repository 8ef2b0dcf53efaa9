import { expect, test } from 'vitest'
import { viewHosts } from './host-views.ts'
import { shortIds, viewIncidents, viewRecipients } from './incident-views.ts'
import { metricsPage } from './metrics.ts'
import { createPresenceMarks, markOf } from './presence-marks.ts'
import { headlineOf, viewStatus } from './status-view.ts'
import {
  createBereftAgent,
  createTestAgent,
  hostIdOf,
  observation,
  START_UNIX_MS,
  type TestAgent,
} from './testing/test-agent.ts'

const SPEC = {
  name: 'disk',
  kind: 'disk',
  everyMs: 60_000,
  graceMs: 30_000,
  after: 1,
  recover: 1,
  forMs: 0,
  heartbeat: 'awake',
  tags: [],
} as const

function status(agent: TestAgent) {
  return viewStatus(agent.port, agent.port.state(), agent.port.reach())
}

test('a mesh of one is well, and says so', () => {
  const agent = createTestAgent()
  agent.advance(20_000)
  expect(status(agent)).toMatchObject({ name: 'laptop', well: true, headline: 'Everyone is here.', incidents: [] })
  expect(status(agent).hosts).toMatchObject([
    { name: 'laptop', state: 'alive', reach: 'direct', ageMs: 0, isSelf: true },
  ])
})

test('hosts stand in the order of their names, with how they are heard', () => {
  const agent = createTestAgent()
  agent.live('vps-1')
  agent.live('home')
  agent.advance(21_000)
  const hosts = viewHosts(agent.port.state())
  expect(hosts.map(({ name }) => name)).toEqual(['home', 'laptop', 'vps-1'])
  expect(hosts[2]).toMatchObject({ state: 'alive', reach: 'direct', addresses: ['/dns4/vps-1.example.org/tcp/4650'] })
  expect(hosts[2]?.ageMs).toBeLessThan(10_000)
})

test('a host that is heard through another one only is told apart', () => {
  const agent = createTestAgent()
  agent.live('vps-1')
  agent.live('home')
  agent.advance(1_000)
  const state = agent.port.state()
  const member = state.members.get(hostIdOf('vps-1'))
  if (member === undefined) throw new Error('vps-1 is a member')
  const relayed = { ...state, members: new Map(state.members).set(member.host, { ...member, direct: false }) }
  expect(viewHosts(relayed).find(({ name }) => name === 'vps-1')?.reach).toBe('relayed')
})

test('a dead host is silent, its checks are unknown with what they were, and its incident says who saw it', () => {
  const agent = createTestAgent()
  agent.live('vps-1')
  agent.advance(30_000)
  const state = agent.port.state()
  const result = { ...state, results: new Map(state.results) }
  result.results.set(hostIdOf('vps-1'), new Map([['disk', resultOf('ok')]]))
  agent.die('vps-1')
  agent.advance(60_000)
  const view = status(agent)
  expect(view).toMatchObject({ well: false, headline: 'vps-1 is silent, says one observer.' })
  expect(view.hosts.find(({ name }) => name === 'vps-1')).toMatchObject({ state: 'silent', reach: 'none' })
  expect(view.incidents).toMatchObject([
    { hostName: 'vps-1', check: '', fault: 'silent', severity: 'unknown', voters: ['laptop'], observers: 1, told: [] },
  ])
  expect(view.incidents[0]?.sinceUnixMs).toBeLessThan(START_UNIX_MS + 31_500)
  const dead = { ...agent.port.state(), results: result.results }
  expect(viewHosts(dead).find(({ name }) => name === 'vps-1')?.checks).toMatchObject([{ status: 'unknown', was: 'ok' }])
})

test('who was told, how far it got and who answered', async () => {
  const agent = await createBereftAgent()
  const [incident] = viewIncidents(agent.port.state())
  expect(incident?.told).toMatchObject([
    { recipientName: 'phone', transition: 'fired', step: 'accepted', by: 'laptop' },
  ])
  expect(incident?.acknowledged).toBeNull()
  const id = incident?.id ?? ''
  const recipient = viewRecipients(agent.port.state())[0]?.id ?? ''
  agent.meet({ kind: 'delivered', incidents: [id], transition: 'fired', recipient })
  agent.meet({
    kind: 'command',
    command: { kind: 'publish', record: { kind: 'ack', incident: id, by: 'ada', atUnixMs: 7 } },
  })
  const [after] = viewIncidents(agent.port.state())
  expect(after?.told).toMatchObject([{ step: 'delivered', by: 'laptop' }])
  expect(after?.acknowledged).toEqual({ by: 'ada', atUnixMs: 7 })
})

test('what is silenced or in maintenance fires, but is no bad news', async () => {
  const agent = createTestAgent()
  agent.live('vps-1')
  agent.advance(30_000)
  agent.die('vps-1')
  agent.advance(60_000)
  expect(status(agent).well).toBe(false)
  const record = { kind: 'maintenance', host: hostIdOf('vps-1'), forMs: 3_600_000, atUnixMs: 0 } as const
  await agent.port.command({ kind: 'publish', record })
  expect(status(agent)).toMatchObject({ well: true, headline: 'Everyone else is here.' })
  expect(status(agent).incidents).toMatchObject([{ inMaintenance: true, silenced: false }])
})

test('own checks show before their first run, and their own judgement after it', () => {
  const agent = createTestAgent()
  agent.meet({ kind: 'configured', checks: [SPEC], spentMs: {} })
  expect(status(agent).hosts[0]?.checks).toMatchObject([{ name: 'disk', status: 'unknown', text: 'has not run yet' }])
  const run = { check: 'disk', observation: observation({ free_percent: 3 }, '3 % free'), because: '3 < 5: yes' }
  agent.meet({ kind: 'observed', results: [{ ...run, judgement: 'critical' }] })
  // A start writes nothing into its log for 3 s: peers may have to give it back first.
  agent.advance(4_000)
  const view = status(agent)
  expect(view.hosts[0]?.checks).toMatchObject([{ status: 'critical', text: '3 % free', because: '3 < 5: yes' }])
  expect(view.headline).toBe('laptop disk: 3 < 5.')
  expect(view.well).toBe(false)
})

test.each([
  ['silent', {}, '_'],
  ['asleep', {}, 'z'],
  ['suspect', {}, 'w'],
  ['left', {}, '?'],
  ['alive', {}, 'o'],
  ['alive', { ageMs: null }, '?'],
  ['alive', { stopping: true }, 'w'],
  ['alive', { checks: [{ status: 'warning' }] }, 'w'],
  ['alive', { checks: [{ status: 'warning' }, { status: 'late' }] }, 'c'],
  ['alive', { checks: [{ status: 'unknown' }] }, 'o'],
] as const)('%s with %o is marked %s', (state, more, mark) => {
  const host = { state, ageMs: 0, stopping: false, checks: [], ...more } as unknown as Parameters<typeof markOf>[0]
  expect(markOf(host)).toBe(mark)
})

test('the worst of twenty seconds is its mark, and what was not seen is unknown', () => {
  const agent = createTestAgent()
  const marks = createPresenceMarks()
  agent.live('vps-1')
  const host = hostIdOf('vps-1')
  marks.sample(agent.port.state(), 0)
  expect(marks.of(host)).toEqual(['o'])
  agent.advance(30_000)
  marks.sample(agent.port.state(), 19_000)
  agent.die('vps-1')
  agent.advance(60_000)
  marks.sample(agent.port.state(), 19_500)
  expect(marks.of(host)).toEqual(['_'])
  marks.sample(agent.port.state(), 61_000)
  expect(marks.of(host)).toEqual(['_', '?', '?', '_'])
  for (let slot = 4; slot < 100; slot += 1) marks.sample(agent.port.state(), slot * 20_000)
  expect(marks.of(host)).toHaveLength(40)
})

test('short ids are long enough to name one incident, and never shorter than four digits', () => {
  const ids = shortIds([
    { id: 'abcdef01', aliases: [] },
    { id: 'abcdef22', aliases: ['9999'] },
    { id: '12345678', aliases: [] },
  ])
  expect([ids.get('abcdef01'), ids.get('abcdef22'), ids.get('12345678')]).toEqual(['abcdef0', 'abcdef2', '1234'])
})

test('the headline names a host that is late, or has not been heard yet', () => {
  const host = { label: 'vps-1', state: 'suspect', ageMs: 9, inMaintenance: false } as Parameters<
    typeof headlineOf
  >[0][number]
  expect(headlineOf([host], [])).toBe('vps-1 is late.')
  expect(headlineOf([{ ...host, state: 'alive', ageMs: null }], [])).toBe('vps-1 has not been heard yet.')
})

function resultOf(status: 'ok' | 'critical') {
  return {
    check: 'disk',
    kind: 'disk',
    status,
    judgement: status,
    episode: 0,
    values: { free_percent: 47 },
    text: '47 % free',
    because: '',
    durationMs: 1,
    everyMs: 60_000,
    graceMs: 30_000,
    heartbeat: 'awake',
    atUnixMs: START_UNIX_MS,
  } as const
}

test('a disk that takes no writes is in the status and in the metrics, and is no bad news by itself', () => {
  const agent = createTestAgent()
  agent.advance(20_000)
  const size = { rssBytes: 1, uptimeS: 1 }
  expect(status(agent).store).toBeNull()
  expect(metricsPage(status(agent), size)).toContain('\nmuster_store_works 1\n')
  const store = { sinceUnixMs: START_UNIX_MS, reason: 'no space left on the disk', inMemory: true }
  const failing = viewStatus(agent.port, agent.port.state(), { ...agent.port.reach(), store })
  expect(failing).toMatchObject({ store, well: true })
  expect(metricsPage(failing, size)).toContain('\nmuster_store_works 0\n')
})

test('two hosts of one name are told apart, and said to be two', () => {
  const agent = createTestAgent()
  agent.live('vps-1')
  agent.advance(20_000)
  expect(status(agent).warnings).toEqual([])
  agent.live('other1', 'laptop')
  agent.advance(20_000)
  const view = status(agent)
  expect(view.hosts.map(({ name, label }) => [name, label])).toEqual([
    ['laptop', 'laptop (oWlaptop)'],
    ['laptop', 'laptop (oWother1)'],
    ['vps-1', 'vps-1'],
  ])
  expect(view.warnings).toEqual([
    '2 hosts are called laptop (oWlaptop, oWother1): give one another name under host: in its muster.yaml, and restart it',
  ])
  agent.die('other1')
  agent.advance(60_000)
  expect(status(agent).incidents).toMatchObject([{ hostName: 'laptop (oWother1)' }])
  expect(status(agent).warnings).toEqual([])
})

test('a silence is shown with its end and where it was asked for', async () => {
  const agent = createTestAgent()
  agent.live('vps-1')
  agent.advance(30_000)
  agent.die('vps-1')
  agent.advance(60_000)
  expect(viewIncidents(agent.port.state())).toMatchObject([{ silenced: false, silence: null }])
  const record = { kind: 'silence', matcher: 'vps-*', forMs: 3_600_000, atUnixMs: 0 } as const
  await agent.port.command({ kind: 'publish', record })
  const untilUnixMs = agent.port.state().clock.unixMs + 3_600_000
  agent.advance(60_000)
  expect(viewIncidents(agent.port.state())).toMatchObject([{ silenced: true, silence: { by: 'laptop', untilUnixMs } }])
})

test('a host that sleeps comes after all that is trouble', () => {
  const agent = createTestAgent()
  agent.live('sleeper', 'sleeper', { sleeps: true })
  agent.live('vps-1')
  agent.advance(30_000)
  agent.die('vps-1')
  agent.advance(60_000)
  agent.die('sleeper')
  agent.advance(60_000)
  const state = agent.port.state()
  const worst = [...state.incidents.values()].map((each) => ({ ...each, severity: 'warning' as const }))
  const asleep = worst.map((each) => (each.fault === 'asleep' ? { ...each, severity: 'critical' as const } : each))
  const incidents = new Map(asleep.map((each) => [each.id, each]))
  expect(viewIncidents({ ...state, incidents }).map(({ fault }) => fault)).toEqual(['silent', 'asleep'])
})

test('while a host is stopping, not everyone is here', () => {
  const agent = createTestAgent()
  agent.live('vps-1', 'vps-1', { mode: 'stopping' })
  agent.advance(20_000)
  expect(status(agent).headline).toBe('Everyone else is here.')
})
