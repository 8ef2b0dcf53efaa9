/**
 * The ways in which a host falls silent without a goodbye: its power goes and its link with it, its agent is killed, its
 * agent is frozen for 90 s. Each is told once and its end once, nobody else is spoken of, and the frozen one accuses nobody.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Fault, inject, undo, whyWithoutEffect } from '../bench/faults.ts'
import { FAST } from '../e2e/mesh.ts'
import { whyNoNetwork } from '../e2e/network.ts'
import type { Receiver } from '../e2e/receiver.ts'
import { type CabledMesh, createCabledMesh } from './cabled-mesh.ts'
import { isQuick, rounds } from './rounds.ts'
import { accusedBy, shownAbout, shownOf } from './told.ts'

const FROZEN_MS = rounds(15_000, 90_000)
/** More than a deadline of the class with its probes, votes and holding: enough for a verdict that must not come. Milliseconds. */
const VERDICT_MS = rounds(5_000, 25_000)
const LIMIT_MS = 120_000
const TEST_MS = 400_000

const why = await whyNoNetwork()
if (why !== null) process.stdout.write(`skipped, hosts fall silent: ${why}\n`)

describe.skipIf(why !== null)('a host falls silent', () => {
  let cabled: CabledMesh
  let phone: Receiver
  const victims: string[] = []

  beforeAll(async () => {
    // The default class, unless there is no time for it.
    const presence = isQuick ? FAST : '{every: 10s, grace: 5s}'
    cabled = await createCabledMesh(['vps-1', 'vps-2', 'laptop', 'home-server'], { presence })
    phone = await cabled.mesh.receiver('phone')
    await cabled.mesh.ready()
  }, TEST_MS)

  afterAll(() => cabled?.end())

  test.each<[Fault, string]>([
    ['link down', 'laptop'],
    ['SIGKILL', 'home-server'],
    ['SIGSTOP', 'vps-2'],
  ])(
    '%s (%s): told once, and once when it is back; nobody else is',
    async (fault, name) => {
      const victim = cabled.victim(name)
      const others = cabled.mesh.hosts.filter((host) => host.name !== name)
      const startMs = performance.now()
      await inject(fault, victim)
      expect(await whyWithoutEffect(fault, victim)).toBeNull()
      const fired = await phone.next('fired', name, { limitMs: LIMIT_MS })
      expect(fired).toMatchObject({ heading: 'CRITICAL', verified: true, incidents: [{ hostName: name }] })
      expect([...(fired.incidents[0]?.voters ?? [])].sort()).toEqual(others.map((host) => host.name).sort())
      if (fault === 'SIGSTOP') await sleep(Math.max(0, FROZEN_MS - (performance.now() - startMs)))
      await undo(fault, victim)
      await phone.next('resolved', name, { limitMs: LIMIT_MS })
      await cabled.mesh.ready()
      // A verdict on somebody else would come late, from whoever woke up or came back.
      await sleep(VERDICT_MS)

      expect(shownAbout(phone, name)).toEqual(['fired silent', 'resolved silent'])
      expect(await accusedBy(cabled.host(name))).toEqual([...victims].sort())
      victims.push(name)
      for (const host of others) {
        expect(await accusedBy(host), `whom ${host.name} accused`).toEqual(
          victims.filter((each) => each !== host.name).sort(),
        )
      }
      expect(shownOf(phone)).toHaveLength(2 * victims.length)
      await cabled.mesh.sameHistory()
    },
    TEST_MS,
  )

  test('the recipient was shown each notice once, in the end', async () => {
    const { notices } = await phone.stop()
    expect(notices.map(({ transition, host, shown }) => `${transition} ${host} ${shown}`)).toEqual(
      victims.flatMap((name) => [`fired ${name} 1`, `resolved ${name} 1`]),
    )
  }, 60_000)
})
