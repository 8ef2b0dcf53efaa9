/**
 * Planned absences: a host that restarts in order, or has left, is told to nobody. One that was stopped and does not come
 * back is.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAbsenceMesh, LIMIT_MS, VERDICT_MS, WATCHERS } from './absence-mesh.ts'
import { until } from './host.ts'
import type { Mesh } from './mesh.ts'
import type { Receiver } from './receiver.ts'

let mesh: Mesh
let phone: Receiver

beforeAll(async () => {
  ;({ mesh, phone } = await createAbsenceMesh())
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
