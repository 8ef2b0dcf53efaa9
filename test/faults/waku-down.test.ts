/**
 * The Waku node that the recipient uses is gone for a minute, without a word, while its host goes on: what is told
 * meanwhile is seen, each once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blockPorts } from '../bench/ground.ts'
import { type Host, until } from '../e2e/host.ts'
import { whyNoNetwork } from '../e2e/network.ts'
import type { Receiver } from '../e2e/receiver.ts'
import { type CabledMesh, createCabledMesh } from './cabled-mesh.ts'
import { rounds } from './rounds.ts'
import { shownAbout, shownOf } from './told.ts'

const NAMES = ['vps-1', 'vps-2', 'laptop', 'home-server']
const DOWN_MS = rounds(20_000, 60_000)
/** A notice that was accepted and not stored is told again after 20 s, three times: the short run waits for none. Milliseconds. */
const AGAIN_MS = rounds(8_000, 65_000)
const LIMIT_MS = 120_000
const TEST_MS = 600_000

const why = await whyNoNetwork()
if (why !== null) process.stdout.write(`skipped, the Waku node of the recipient is gone: ${why}\n`)

describe.skipIf(why !== null)('the Waku node of the recipient is gone', () => {
  let cabled: CabledMesh
  let phone: Receiver

  beforeAll(async () => {
    cabled = await createCabledMesh(NAMES, { checks: ['{name: job, kind: push}'], spare: 1 })
    phone = (await cabled.receiver('phone', 'vps-1')).receiver
    await cabled.mesh.ready()
  }, TEST_MS)

  afterAll(() => cabled?.end())

  test(
    'a death, a return and a check that fails meanwhile are each seen once',
    async () => {
      const node = phone.node() ?? ''
      const used = NAMES.find((name) => node.includes(`/${cabled.spotOf(name).address}/`)) ?? ''
      const [victim = '', failing = ''] = NAMES.filter((name) => name !== used)
      const all = cabled.mesh.hosts.map(({ ports }) => ports.waku)
      const blocked = await blockPorts(cabled.spotOf(used), all)
      const startMs = performance.now()

      await cabled.host(victim).end('SIGKILL')
      await fail(cabled.host(failing))
      await phone.next('fired', victim, { limitMs: LIMIT_MS })
      await phone.next('fired', failing, { limitMs: LIMIT_MS, check: 'job' })
      cabled.host(victim).start()
      await phone.next('resolved', victim, { limitMs: LIMIT_MS })
      process.stdout.write(`all told ${Math.round(performance.now() - startMs)} ms after ${used} lost its Waku\n`)
      await until('the recipient to have another node', LIMIT_MS, () => {
        const other = phone.node()
        return other !== null && !other.includes(`/${cabled.spotOf(used).address}/`)
      })
      // Its host goes on: nobody misses it.
      expect(await cabled.host(victim).view(used)).toMatchObject({ state: 'alive' })
      await sleep(Math.max(0, DOWN_MS - (performance.now() - startMs)))
      await blocked.mend()

      await cabled.mesh.ready()
      await sleep(AGAIN_MS)
      expect(shownAbout(phone, victim)).toEqual(['fired silent', 'resolved silent'])
      expect(shownOf(phone)).toHaveLength(3)
      const { notices } = await phone.stop()
      expect(
        notices.map(({ transition, host, check, shown }) => `${transition} ${host} ${check} ${shown}`).sort(),
      ).toEqual([`fired ${failing} job 1`, `fired ${victim}  1`, `resolved ${victim}  1`].sort())
    },
    TEST_MS,
  )

  /** Lets its job fail, by its own command. */
  async function fail(host: Host): Promise<void> {
    expect(await host.muster('push', 'job', '--fail')).toMatchObject({ code: 0 })
  }
})
