import { expect, test } from 'vitest'
import { createPresenceMarks } from '../api/presence-marks.ts'
import { viewStatus } from '../api/status-view.ts'
import {
  createBereftAgent,
  createTestAgent,
  hostIdOf,
  START_UNIX_MS,
  type TestAgent,
  testPublicKey,
} from '../api/testing/test-agent.ts'
import { statusLines } from './status-text.ts'

const PLAIN = { colour: false, columns: 80, timeZone: 'UTC', typed: (text: string) => text }
const COLOUR = { ...PLAIN, colour: true }

function view(agent: TestAgent) {
  const marks = createPresenceMarks()
  const state = agent.port.state()
  marks.sample(state, 0)
  return viewStatus(agent.port, state, agent.port.reach(), marks.of)
}

test('a mesh that is well is one sentence and a line for each host', async () => {
  const agent = createTestAgent()
  await agent.port.addRecipient('phone', testPublicKey())
  agent.live('vps-1')
  agent.advance(21_000)
  const lines = statusLines(view(agent), PLAIN)
  expect(lines[0]).toBe('Everyone is here.')
  expect(lines.slice(2).map((line) => line.trimEnd())).toEqual([
    `laptop  here        now   ${' '.repeat(39)}o`,
    `vps-1   here        2 s   ${' '.repeat(39)}o`,
  ])
})

test('without a recipient it says that nobody is told', () => {
  expect(statusLines(view(createTestAgent()), PLAIN).at(-1)).toBe('Nobody is told yet: muster recipient add phone')
})

test('a silent host: since when, who agrees, who was told', async () => {
  const agent = await createBereftAgent()
  const text = statusLines(view(agent), PLAIN).join('\n')
  expect(text).toMatch(
    /^vps-1 is silent, says one observer since 02:00:\d\d \(1 min( \d+ s)?\)\. 1 of 1 peer agrees\. Incident [0-9a-f]{4}\.\n/,
  )
  expect(text).toMatch(/\nTold: phone 02:01:\d\d, accepted, not yet delivered by laptop; not answered\.\n/)
  expect(text).toMatch(/\nvps-1 {3}no answer {3}1 m {42}_/)
})

test('one observer is never red, and the past of a silent host is never green', () => {
  const agent = createTestAgent()
  agent.live('vps-1')
  agent.advance(40_000)
  agent.die('vps-1')
  agent.advance(60_000)
  const lines = statusLines(view(agent), COLOUR)
  expect(lines.find((line) => line.includes('is silent'))).toContain('\u001b[90mvps-1 is silent')
  const status = view(agent)
  const past = { ...status, hosts: status.hosts.map((host) => ({ ...host, recent: ['o', '_'] as const })) }
  const row = statusLines(past, COLOUR).find((line) => line.includes('vps-1') && line.includes('no answer'))
  expect(row).toContain('\u001b[90m▇')
  expect(row).not.toContain('\u001b[32m')
})

test('names that peers chose cannot command the terminal', () => {
  const agent = createTestAgent()
  agent.live('vps-1')
  agent.advance(1_000)
  const status = view(agent)
  const evil = '\u001b]0;x\u0007\u202evps'
  const hostile = {
    ...status,
    name: evil,
    hosts: status.hosts.map((host) => ({ ...host, name: evil, label: evil })),
    warnings: [evil],
  }
  for (const line of statusLines(hostile, PLAIN)) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})

test('a maintenance is named, and the headline excuses it', async () => {
  const agent = createTestAgent()
  agent.live('vps-1')
  agent.advance(11_000)
  const record = { kind: 'maintenance', host: hostIdOf('vps-1'), forMs: 60_000, atUnixMs: START_UNIX_MS } as const
  await agent.port.command({ kind: 'publish', record })
  const lines = statusLines(view(agent), PLAIN)
  expect(lines[0]).toBe('Everyone else is here.')
  expect(lines.find((line) => line.startsWith('vps-1'))).toMatch(/maintenance$/)
})

test('a silence is shown with its end beside who was told before it', async () => {
  const agent = await createBereftAgent()
  expect(statusLines(view(agent), PLAIN).join('\n')).not.toContain('silenced')
  const record = { kind: 'silence', matcher: 'vps-1', forMs: 3_600_000, atUnixMs: START_UNIX_MS } as const
  await agent.port.command({ kind: 'publish', record })
  const lines = statusLines(view(agent), PLAIN)
  expect(lines[1]).toMatch(/^Told: phone 02:01:\d\d, /)
  expect(lines[2]).toBe('It is silenced until 03:01:41 by laptop: until then nothing more is told of it.')
  expect(statusLines(view(agent), COLOUR).join('\n')).toContain('\n  quiet     silenced until 03:01:41 by laptop\n')
})

test('two hosts of one name are told apart, however long it is', () => {
  const agent = createTestAgent()
  const name = 'a-workstation-with-a-long-name'
  agent.live('first1', name)
  agent.live('second', name)
  agent.advance(11_000)
  const lines = statusLines(view(agent), PLAIN)
  expect(lines.find((line) => line.includes('hosts are called'))).toContain(
    `2 hosts are called ${name} (oWfirst1, oWsecond)`,
  )
  const rows = lines.filter((line) => line.startsWith('a-work'))
  const names = rows.map((line) => line.slice(0, line.indexOf(')') + 1))
  expect(names).toEqual(['a-workstation-with-a-lo… (oWfirst1)', 'a-workstation-with-a-lo… (oWsecond)'])
})

test('a host that sleeps is not called critical', () => {
  const agent = createTestAgent()
  agent.live('sleeper', 'sleeper', { sleeps: true })
  for (const host of ['vps-1', 'nas']) agent.live(host)
  agent.advance(30_000)
  for (const host of ['sleeper', 'vps-1']) agent.die(host)
  agent.advance(60_000)
  const rows = statusLines(view(agent), COLOUR).filter((line) => /\b[0-9a-f]{4} /.test(line) && line.includes('asleep'))
  expect(rows).toHaveLength(1)
  expect(rows[0]).toContain('asleep  \u001b[0m  sleeper is asleep')
})
