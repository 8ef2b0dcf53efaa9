/**
 * All hosts restart at once, in order and then without warning, while a host of the mesh is dead and a check fails: no
 * death is told that was none, and what was open is neither told a second time nor forgotten.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../e2e/host.ts'
import { createMesh, type Mesh } from '../e2e/mesh.ts'
import type { Receiver } from '../e2e/receiver.ts'
import { rounds } from './rounds.ts'
import { accusedBy, shownOf } from './told.ts'

const DEAD = 'home-server'
const ALIVE = ['vps-1', 'vps-2', 'laptop']
/** Enough for a verdict of the class and its notice that must not come; in the full run also for one that is told again. Milliseconds. */
const WRONG_MS = rounds(10_000, 65_000)
const LIMIT_MS = 90_000
const TEST_MS = 400_000
/** How they end, time after time. */
const SIGNALS = (['SIGTERM', 'SIGKILL', 'SIGTERM', 'SIGKILL'] as const).slice(0, rounds(2, 4))
const OPEN = [`fired ${DEAD} silent`, 'fired vps-2/job check']

let mesh: Mesh
let phone: Receiver
let ids: readonly string[]

beforeAll(async () => {
  mesh = await createMesh([...ALIVE, DEAD], { checks: ['{name: job, kind: push}'] })
  phone = await mesh.receiver('phone')
  await mesh.ready()
  await mesh.host(DEAD).end('SIGKILL')
  await phone.next('fired', DEAD, { limitMs: LIMIT_MS })
  expect(await mesh.host('vps-2').muster('push', 'job', '--fail')).toMatchObject({ code: 0 })
  await phone.next('fired', 'vps-2', { check: 'job', limitMs: LIMIT_MS })
  expect(shownOf(phone)).toEqual(OPEN)
  ids = await openOn('vps-1')
  expect(ids).toHaveLength(2)
}, TEST_MS)

afterAll(() => mesh?.end())

/** The ids of what is open, as a host holds it. */
async function openOn(name: string): Promise<readonly string[]> {
  const open = (await mesh.host(name).incidents()).filter(({ state }) => state === 'firing')
  return open.map(({ id }) => id).sort()
}

test.each(SIGNALS)(
  'all restart at once (%s): nothing new is told, and what was open is open on all',
  async (signal) => {
    const hosts = ALIVE.map((name) => mesh.host(name))
    const ends = await Promise.all(hosts.map((host) => host.end(signal)))
    if (signal === 'SIGTERM') expect(ends.map(({ code }) => code)).toEqual([0, 0, 0])
    for (const host of hosts) host.start()
    await mesh.ready([DEAD])
    for (const name of ALIVE) {
      await until(`${name} to hold what was open`, LIMIT_MS, async () => (await openOn(name)).join() === ids.join())
    }
    await until('the recipient to be connected', LIMIT_MS, () => phone.node())
    await sleep(WRONG_MS)
    for (const name of ALIVE) {
      expect(await openOn(name), name).toEqual(ids)
      expect(await accusedBy(mesh.host(name)), `whom ${name} accused`).toEqual([DEAD])
    }
    expect(shownOf(phone)).toEqual(OPEN)
  },
  TEST_MS,
)

test(
  'what was open ends as ever, and each end is told once',
  async () => {
    expect(await mesh.host('vps-2').muster('push', 'job')).toMatchObject({ code: 0 })
    await phone.next('resolved', 'vps-2', { check: 'job', limitMs: LIMIT_MS })
    mesh.host(DEAD).start()
    await phone.next('resolved', DEAD, { limitMs: LIMIT_MS })
    await mesh.ready()
    await mesh.sameHistory()
    const { notices } = await phone.stop()
    // A copy would be a notice that was sent again after a restart, and folded by the recipient.
    expect(notices.map(({ transition, host, shown, copies }) => `${transition} ${host} ${shown} ${copies}`)).toEqual([
      `fired ${DEAD} 1 1`,
      'fired vps-2 1 1',
      'resolved vps-2 1 1',
      `resolved ${DEAD} 1 1`,
    ])
  },
  TEST_MS,
)
