/** A phone that was paired while there was one host: the hosts that join later must be roads to it as well. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMesh, type Mesh } from './mesh.ts'
import type { Receiver } from './receiver.ts'

const NOTICE_MS = 20_000

let mesh: Mesh
let phone: Receiver

beforeAll(async () => {
  mesh = await createMesh(['vps-1'])
  phone = await mesh.receiver('phone')
  await Promise.all([mesh.join('laptop'), mesh.join('home-server')])
  await mesh.ready()
}, 120_000)

afterAll(() => mesh?.end())

test('the first host dies: those that joined after the phone was paired tell it', async () => {
  await mesh.host('vps-1').end('SIGKILL')
  const fired = await phone.next('fired', 'vps-1', { limitMs: NOTICE_MS })
  expect(fired).toMatchObject({ heading: 'CRITICAL', verified: true })
}, 60_000)
