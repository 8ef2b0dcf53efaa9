/**
 * Planned absences: a host that restarts in order, or has left, is told to nobody. One that was stopped and does not come
 * back is.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './host.ts'
import { createMesh, type Mesh } from './mesh.ts'
import type { Receiver } from './receiver.ts'

/** More than a deadline of the fast class with its probes, votes and holding: enough for a verdict that must not come. */
const VERDICT_MS = 5_000
const LIMIT_MS = 40_000
const WATCHERS = ['vps-1', 'vps-2']

let mesh: Mesh
let phone: Receiver

beforeAll(async () => {
  const restart = '{every: 1s, grace: 2s, restart: 12s}'
  const sleeps = '{every: 1s, grace: 2s, sleeps: true}'
  mesh = await createMesh(['vps-1', 'vps-2', 'home-server', 'laptop'], {
    of: { 'vps-1': { presence: restart }, laptop: { presence: sleeps } },
  })
  phone = await mesh.receiver('phone')
  await mesh.ready()
}, 120_000)

afterAll(() => mesh?.end())

test('a host that stops in order and comes back in its time is told to nobody', async () => {
  const { code, err } = await mesh.host('vps-1').end('SIGTERM')
  expect({ code, err }).toMatchObject({ code: 0, err: expect.not.stringMatching(/\n {4}at /u) })
  for (const name of ['vps-2', 'home-server', 'laptop']) {
    expect(await mesh.host(name).view('vps-1')).toMatchObject({ stopping: true })
  }
  await sleep(VERDICT_MS)
  mesh.host('vps-1').start()
  await mesh.ready()
  expect(phone.about('vps-1')).toEqual([])
}, 120_000)

test('a host that leaves is told to nobody, one that was stopped and is not back is; an answer reaches all', async () => {
  const leaving = mesh.host('home-server')
  expect(await leaving.muster('leave')).toMatchObject({ code: 0 })
  expect(await leaving.agent().ended).toMatchObject({ code: 0 })
  for (const name of [...WATCHERS, 'laptop']) {
    await until(
      `${name} to know that it left`,
      LIMIT_MS,
      async () => (await mesh.host(name).view('home-server'))?.state === 'left',
    )
  }

  await mesh.host('vps-1').end('SIGTERM')
  const fired = await phone.next('fired', 'vps-1')
  expect(fired.incidents).toMatchObject([{ hostName: 'vps-1', fault: 'stopped' }])
  expect(fired.text).toContain('vps-1 was stopped and is not back')
  expect(phone.about('home-server')).toEqual([])

  const id = fired.incidents[0]?.id ?? ''
  const answering = ['vps-2', 'laptop'].find((name) => name !== fired.toldBy) ?? ''
  expect(await mesh.host(answering).muster('ack', id.slice(0, 8), '--by', 'ada')).toMatchObject({ code: 0 })
  for (const name of ['vps-2', 'laptop']) {
    await until(
      `${name} to know the answer`,
      LIMIT_MS,
      async () => (await mesh.host(name).incidentOf('vps-1'))?.acknowledged,
    )
    expect((await mesh.host(name).incidentOf('vps-1'))?.acknowledged).toMatchObject({ by: 'ada' })
  }
  mesh.host('vps-1').start()
  const resolved = await phone.next('resolved', 'vps-1')
  expect(resolved.text).toContain('vps-1 is back. It was stopped for')
  const { notices } = await phone.stop()
  expect(notices.map(({ transition, host, shown }) => [transition, host, shown])).toEqual([
    ['fired', 'vps-1', 1],
    ['resolved', 'vps-1', 1],
  ])
}, 120_000)
