/** A phone that was paired while there was one host: the hosts that join later must be roads to it as well. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './host.ts'
import { createMesh, type Mesh } from './mesh.ts'
import type { Receiver } from './receiver.ts'

const NOTICE_MS = 20_000
/** The hosts wait a few seconds for more to join before they say where they can be reached. Milliseconds. */
const KNOWN_MS = 30_000

let mesh: Mesh
let phone: Receiver

beforeAll(async () => {
  mesh = await createMesh(['vps-1'])
  phone = await mesh.receiver('phone')
  await Promise.all([mesh.join('laptop'), mesh.join('home-server')])
  await mesh.ready()
  await until('the phone to know the nodes of those that joined', KNOWN_MS, async () => {
    const known = await writtenBy(phone)
    return ['laptop', 'home-server'].every((name) => known.includes(`/tcp/${mesh.host(name).ports.waku}/ws`))
  })
}, 120_000)

afterAll(() => mesh?.end())

test('the first host dies: those that joined after the phone was paired tell it', async () => {
  await mesh.host('vps-1').end('SIGKILL')
  const fired = await phone.next('fired', 'vps-1', { limitMs: NOTICE_MS })
  expect(fired).toMatchObject({ heading: 'CRITICAL', verified: true })
}, 60_000)

/** All that a receiver keeps in its folder. */
async function writtenBy({ dir }: Receiver): Promise<string> {
  const names = await readdir(dir)
  return (await Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')))).join('\n')
}
