/**
 * Absences that are nobody's business: a host that is frozen accuses nobody when it wakes, a laptop that sleeps wakes
 * nobody, and neither does a host that was silenced or is in maintenance.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAbsenceMesh, LIMIT_MS, VERDICT_MS, WATCHERS } from './absence-mesh.ts'
import { until } from './host.ts'
import type { Mesh } from './mesh.ts'
import type { Receiver } from './receiver.ts'

/** Ten periods of the fast class and a little. */
const FROZEN_MS = 11_000
let mesh: Mesh
let phone: Receiver

beforeAll(async () => {
  ;({ mesh, phone } = await createAbsenceMesh())
}, 120_000)

afterAll(() => mesh?.end())

test('a frozen host accuses nobody when it wakes, and a frozen host that sleeps is told to nobody', async () => {
  const frozen = [mesh.host('home-server'), mesh.host('laptop')]
  for (const host of frozen) host.agent().kill('SIGSTOP')
  const thawsAtMs = performance.now() + FROZEN_MS
  await phone.next('fired', 'home-server')
  for (const name of WATCHERS) {
    await until(`${name} to know that the laptop sleeps`, LIMIT_MS, async () => {
      const incident = await mesh.host(name).incidentOf('laptop')
      return incident?.fault === 'asleep' && incident.state === 'firing'
    })
    expect(await mesh.host(name).view('laptop')).toMatchObject({ state: 'asleep' })
  }
  await sleep(Math.max(0, thawsAtMs - performance.now()))
  for (const host of frozen) host.agent().kill('SIGCONT')
  await phone.next('resolved', 'home-server')
  await mesh.ready()
  await sleep(VERDICT_MS)

  const both = ['home-server silent resolved', 'laptop asleep resolved']
  for (const host of mesh.hosts) {
    const known = (await host.incidents()).map(({ hostName, fault, state }) => `${hostName} ${fault} ${state}`).sort()
    if (WATCHERS.includes(host.name)) expect(known, `what ${host.name} knows`).toEqual(both)
    // Who was frozen missed it all: it may have learnt of this, and must not have anything of its own.
    else expect(both, `what ${host.name} knows`).toEqual(expect.arrayContaining(known))
  }
  expect(phone.notices().map(({ transition }) => transition)).toEqual(['fired', 'resolved'])
  expect(phone.about('laptop')).toEqual([])
}, 120_000)

test('a host that was silenced and one in maintenance, both said on another, die untold, and all know why', async () => {
  const laptop = mesh.host('laptop')
  expect(await laptop.muster('silence', 'home-server', '--for', '2h')).toMatchObject({ code: 0 })
  expect(await laptop.muster('maintenance', 'vps-2', '--for', '1h')).toMatchObject({ code: 0 })
  for (const host of mesh.hosts) {
    await until(`${host.name} to know of it`, LIMIT_MS, async () => (await host.view('vps-2'))?.inMaintenance)
  }
  await Promise.all(['home-server', 'vps-2'].map((name) => mesh.host(name).end('SIGKILL')))
  for (const name of ['vps-1', 'laptop']) {
    const host = mesh.host(name)
    const incident = await until(`${name} to conclude`, LIMIT_MS, async () => {
      const newest = await host.incidentOf('home-server')
      return newest?.state === 'firing' ? newest : null
    })
    expect(incident).toMatchObject({ fault: 'silent', silenced: true, told: [] })
    await until(`${name} to miss vps-2`, LIMIT_MS, async () => (await host.view('vps-2'))?.state === 'silent')
  }
  expect(await mesh.host('vps-1').muster('status')).toMatchObject({ code: 0 })
  await sleep(VERDICT_MS)
  for (const name of ['home-server', 'vps-2']) mesh.host(name).start()
  await mesh.ready()
  expect(phone.about('home-server')).toHaveLength(2)
  expect(phone.about('vps-2')).toEqual([])
}, 120_000)
