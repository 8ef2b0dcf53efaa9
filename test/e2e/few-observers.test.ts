/**
 * The user is told also when few are left to see it, in words that say how few, and also over hosts that joined after
 * the phone was paired: the only host that it was paired with is among the dead.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './host.ts'
import { createMesh, FAST_EVERY_MS, type Mesh } from './mesh.ts'
import type { Receiver } from './receiver.ts'

const DEAD = ['vps-1', 'vps-2', 'vps-3']
const LATER = ['vps-2', 'vps-3', 'laptop', 'home-server']
/** The hosts wait a few seconds for more to join before they say where they can be reached. Milliseconds. */
const KNOWN_MS = 40_000

let mesh: Mesh
let phone: Receiver

beforeAll(async () => {
  mesh = await createMesh(['vps-1'])
  phone = await mesh.receiver('phone')
  await Promise.all(LATER.map((name) => mesh.join(name)))
  await mesh.ready()
  await until('the phone to know the nodes of those that joined', KNOWN_MS, async () => {
    const known = await writtenBy(phone)
    return LATER.every((name) => known.includes(`/tcp/${mesh.host(name).ports.waku}/ws`))
  })
}, 120_000)

/** All that a receiver keeps in its folder. */
async function writtenBy({ dir }: Receiver): Promise<string> {
  const names = await readdir(dir)
  return (await Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')))).join('\n')
}

afterAll(() => mesh?.end())

test('three of five dead at once are told, and who saw it', async () => {
  const killedAtUnixMs = Date.now()
  await Promise.all(DEAD.map((name) => mesh.host(name).end('SIGKILL')))
  const fired = await Promise.all(DEAD.map((name) => phone.next('fired', name)))
  const told = new Set(fired)
  for (const notice of told) {
    expect(notice.verified).toBe(true)
    for (const { hostName, voters, sinceUnixMs } of notice.incidents) {
      expect(DEAD).toContain(hostName)
      expect([...voters].sort(), notice.text).toEqual(['home-server', 'laptop'])
      expect(killedAtUnixMs - sinceUnixMs).toBeLessThanOrEqual(FAST_EVERY_MS + 200)
    }
    expect(notice.text).toMatch(/2 of \d peers agree: (?:laptop, home-server|home-server, laptop)/u)
  }
  // Each host is told of once, in as many notices as the deaths needed.
  const named = [...told].flatMap(({ incidents }) => incidents.map(({ hostName }) => hostName))
  expect(named.sort()).toEqual(DEAD)
  expect(phone.notices().some(({ massDeath, text }) => massDeath && text.includes('split or mass death'))).toBe(true)
}, 60_000)

test('the fourth dies: the last one tells it under UNKNOWN, as the only observer', async () => {
  await mesh.host('home-server').end('SIGKILL')
  const fired = await phone.next('fired', 'home-server')
  expect(fired).toMatchObject({ heading: 'UNKNOWN', toldBy: 'laptop' })
  expect(fired.incidents).toMatchObject([{ hostName: 'home-server', severity: 'unknown', voters: ['laptop'] }])
  expect(fired.text).toContain('Only one observer: laptop.')
}, 60_000)
