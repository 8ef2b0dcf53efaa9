/**
 * The main story with three hosts: one loses power, the user hears of it once; it returns, the user hears of that once,
 * and nothing that it said is lost. A second recipient sleeps through all of it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './host.ts'
import { createMesh, FAST_EVERY_MS, type Mesh } from './mesh.ts'
import type { Receiver } from './receiver.ts'

let mesh: Mesh
let phone: Receiver
let tablet: Receiver

beforeAll(async () => {
  mesh = await createMesh(['vps-1', 'laptop', 'home-server'])
  phone = await mesh.receiver('phone')
  tablet = await mesh.receiver('tablet')
  await mesh.ready()
  await tablet.stop()
}, 120_000)

afterAll(() => mesh?.end())

test('a killed host is told of once, with its name, the time that it was last heard, and who saw it', async () => {
  const killedAtUnixMs = Date.now()
  await mesh.host('vps-1').end('SIGKILL')
  const fired = await phone.next('fired', 'vps-1')

  expect(fired).toMatchObject({ heading: 'CRITICAL', verified: true })
  expect(fired.incidents).toHaveLength(1)
  const [incident] = fired.incidents
  expect(incident).toMatchObject({ hostName: 'vps-1', check: '', fault: 'silent', severity: 'critical' })
  const sinceBeforeKillMs = killedAtUnixMs - (incident?.sinceUnixMs ?? 0)
  expect(sinceBeforeKillMs).toBeGreaterThanOrEqual(-200)
  expect(sinceBeforeKillMs).toBeLessThanOrEqual(FAST_EVERY_MS + 200)
  expect([...(incident?.voters ?? [])].sort()).toEqual(['home-server', 'laptop'])
  expect(fired.text).toContain('2 of 2 peers agree')
  expect(['home-server', 'laptop']).toContain(fired.toldBy)
  expect(fired.text).toContain('Also on vps-1: disk, memory (2 checks, now unknown)')
})

test('history on a survivor shows what the dead host last said', async () => {
  const { code, out } = await mesh.host('laptop').muster('history', '--host', 'vps-1')
  expect(code).toBe(0)
  expect(out).toMatch(/vps-1 +disk +ok/u)
  expect(out).toMatch(/vps-1 +memory +ok/u)
  expect(out).toContain('vps-1 is silent')
})

test('brought back, its recovery is told once, and all hold the same history', async () => {
  mesh.host('vps-1').start()
  const resolved = await phone.next('resolved', 'vps-1')
  expect(resolved).toMatchObject({ heading: 'RESOLVED', verified: true })
  expect(resolved.text).toContain('vps-1 is back. It was silent for')
  await mesh.ready()
  await mesh.sameHistory()
  expect(phone.notices().map(({ transition }) => transition)).toEqual(['fired', 'resolved'])
})

test('a receiver that was off all the while shows both when it returns', async () => {
  tablet.start()
  await tablet.next('resolved', 'vps-1')
  await until('the tablet to be connected', 20_000, () => tablet.node())
  expect(tablet.notices().map(({ transition }) => transition)).toEqual(['fired', 'resolved'])
  const { shown, copies } = await tablet.stop()
  expect(shown).toEqual({ fired: 1, resolved: 1 })
  expect(copies).toEqual({ fired: 1, resolved: 1 })
})
