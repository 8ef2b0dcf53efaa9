/**
 * Three packets of ten are lost, to every host and to the recipient, for minutes: nobody is spoken of falsely, and a host
 * that dies meanwhile is told of once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Receiver } from '../e2e/receiver.ts'
import { type CabledMesh, createCabledMesh } from './cabled-mesh.ts'
import { type Drop, drop, LOSS_30, whyNoPacketLoss } from './packets.ts'
import { isQuick, rounds } from './rounds.ts'
import { accusedBy, shownOf } from './told.ts'

const NAMES = ['vps-1', 'vps-2', 'laptop', 'home-server']
const QUIET_MS = rounds(40_000, 180_000)
const LIMIT_MS = 120_000
const TEST_MS = 600_000

const why = await whyNoPacketLoss()
if (why !== null) process.stdout.write(`skipped, packets are lost: ${why}\n`)

describe.skipIf(why !== null)('three packets of ten are lost', () => {
  let cabled: CabledMesh
  let phone: Receiver
  let losses: readonly Drop[] = []

  beforeAll(async () => {
    const presence = isQuick ? '{every: 5s, grace: 5s}' : '{every: 10s, grace: 5s}'
    cabled = await createCabledMesh(NAMES, { presence, spare: 1 })
    const { receiver, spot } = await cabled.receiver('phone', 'vps-1')
    phone = receiver
    await cabled.mesh.ready()
    // All but what this process asks and is answered.
    const match = ['!', '-s', cabled.ground.gateway, '-i', 'eth0', ...LOSS_30]
    losses = await Promise.all([...NAMES.map(cabled.spotOf), spot].map((each) => drop(each, 'INPUT', match)))
  }, TEST_MS)

  afterAll(() => cabled?.end())

  test(
    'nothing is told while nothing happens',
    async () => {
      await sleep(QUIET_MS)
      expect(shownOf(phone)).toEqual([])
      for (const host of cabled.mesh.hosts) expect(await accusedBy(host), `whom ${host.name} accused`).toEqual([])
      const counts = await Promise.all(losses.map((loss) => loss.count()))
      process.stdout.write(`packets lost so far: ${counts.join(', ')}\n`)
      expect(Math.min(...counts)).toBeGreaterThan(0)
    },
    TEST_MS,
  )

  test(
    'a death is told once, and the return once',
    async () => {
      await cabled.host('laptop').end('SIGKILL')
      const fired = await phone.next('fired', 'laptop', { limitMs: LIMIT_MS })
      expect(fired).toMatchObject({ heading: 'CRITICAL', verified: true, incidents: [{ hostName: 'laptop' }] })
      cabled.host('laptop').start()
      await phone.next('resolved', 'laptop', { limitMs: LIMIT_MS })
      for (const loss of losses) await loss.mend()
      await cabled.mesh.ready()
      await cabled.mesh.sameHistory()
      const { notices } = await phone.stop()
      expect(notices.map(({ transition, host, shown }) => `${transition} ${host} ${shown}`)).toEqual([
        'fired laptop 1',
        'resolved laptop 1',
      ])
      for (const host of cabled.mesh.hosts) {
        expect(await accusedBy(host), `whom ${host.name} accused`).toEqual(host.name === 'laptop' ? [] : ['laptop'])
      }
    },
    TEST_MS,
  )
})
