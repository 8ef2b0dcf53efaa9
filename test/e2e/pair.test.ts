/** A mesh of two: a job that reports through `muster exec`, the only observer's words, and kills in quick succession. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './host.ts'
import { createMesh, type Mesh } from './mesh.ts'
import type { Receiver } from './receiver.ts'

const LIMIT_MS = 40_000
const KILLS = 10
/** A kill comes at a moment of its own within this time after the start. Milliseconds. */
const KILL_WITHIN_MS = 1_800

let mesh: Mesh
let phone: Receiver

beforeAll(async () => {
  const checks = [
    '{name: job, kind: push, every: 3s, grace: 1s}',
    '{name: memory, kind: memory, every: 2s}',
    '{name: disk, kind: disk, path: /, every: 2s}',
  ]
  mesh = await createMesh(['vps-1', 'laptop'], { of: { laptop: { checks } } })
  phone = await mesh.receiver('phone')
  await mesh.ready()
}, 120_000)

afterAll(() => mesh?.end())

const jobAs = async (name: string) =>
  (await mesh.host(name).view('laptop'))?.checks.find((check) => check.name === 'job')

test('exec reports how a job ended, and a job that stops is late and told', async () => {
  const laptop = mesh.host('laptop')
  const failed = await laptop.muster(
    'exec',
    'job',
    '--',
    process.execPath,
    '-e',
    'console.log("no room"); process.exit(7)',
  )
  expect(failed).toMatchObject({ code: 7, out: 'no room', err: '' })
  const critical = await phone.next('fired', 'laptop', { check: 'job' })
  expect(critical).toMatchObject({ heading: 'CRITICAL' })
  await until('vps-1 to know the result', LIMIT_MS, async () => (await jobAs('vps-1'))?.text === 'exit 7: no room')

  const worked = await laptop.muster('exec', 'job', '--', process.execPath, '-e', 'console.log("done")')
  expect(worked).toMatchObject({ code: 0, out: 'done', err: '' })
  await phone.next('resolved', 'laptop', { check: 'job' })
  expect(await jobAs('laptop')).toMatchObject({ status: 'ok' })

  const late = await phone.next('fired', 'laptop', { check: 'job', skip: 1 })
  expect(late.text).toContain('job on laptop is ')
  expect(await jobAs('laptop')).toMatchObject({ status: 'late' })
  await until('vps-1 to know that it is late', LIMIT_MS, async () => (await jobAs('vps-1'))?.status === 'late')

  expect(await laptop.muster('push', 'job')).toMatchObject({ code: 0 })
  await phone.next('resolved', 'laptop', { check: 'job', skip: 1 })
  const { out } = await mesh.host('vps-1').muster('history', '--host', 'laptop', '--check', 'job')
  expect(out).toContain('exit 7: no room')
}, 120_000)

test('of two hosts the one that is left tells it under UNKNOWN, as the only observer', async () => {
  await mesh.host('laptop').end('SIGKILL')
  const fired = await phone.next('fired', 'laptop')
  expect(fired).toMatchObject({ heading: 'UNKNOWN', toldBy: 'vps-1', verified: true })
  expect(fired.incidents).toMatchObject([
    { hostName: 'laptop', fault: 'silent', severity: 'unknown', voters: ['vps-1'] },
  ])
  expect(fired.text).toContain('laptop is silent, says one observer, since')
  expect(fired.text).toContain('Only one observer: vps-1.')
  expect(phone.about('laptop').filter(({ transition }) => transition === 'fired')).toHaveLength(1)

  const job = await mesh.host('laptop').muster('exec', 'job', '--', process.execPath, '-e', 'process.exit(3)')
  expect(job).toMatchObject({ code: 3, err: expect.stringContaining('job is not reported: no agent runs on') })
  mesh.host('laptop').start()
  await phone.next('resolved', 'laptop')
}, 120_000)

test('killed at any moment, an agent comes back with a higher incarnation and a log that its peer takes', async () => {
  const laptop = mesh.host('laptop')
  await mesh.ready()
  const incarnations: number[] = []
  for (let kill = 0; kill < KILLS; kill += 1) {
    await laptop.end('SIGKILL')
    const agent = laptop.start()
    // Kills are spread evenly over the time of a start, so that each hits another step of it.
    const delayMs = (KILL_WITHIN_MS * kill) / KILLS
    await Promise.race([agent.ended, new Promise((resolve) => setTimeout(resolve, delayMs))])
    expect(agent.isRunning(), agent.err().join('\n')).toBe(true)
    incarnations.push(incarnationOf(agent.err()))
  }
  await laptop.end('SIGKILL')
  const agent = laptop.start()
  await mesh.ready()
  const seen = incarnations.filter((each) => each > 0)
  expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b))
  expect(incarnationOf(agent.err())).toBeGreaterThan(seen.at(-1) ?? 1)
  await until('vps-1 to hold what the last start said', LIMIT_MS, async () =>
    (await mesh.host('vps-1').history('laptop')).entries.some(
      ({ incarnation }) => incarnation === incarnationOf(agent.err()),
    ),
  )
  await mesh.sameHistory()
  expect(agent.err().join('\n')).not.toMatch(/damaged|set aside|conflict/u)
}, 180_000)

/** The incarnation that an agent logged; 0 when it did not come so far. */
function incarnationOf(lines: readonly string[]): number {
  return Number(/incarnation[=:]\s*(\d+)/u.exec(lines.join('\n'))?.[1] ?? 0)
}
