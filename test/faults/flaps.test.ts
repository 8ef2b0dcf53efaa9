/**
 * A host whose link comes and goes ten times: two outages are told as what they are, the third as one flapping incident,
 * and the others add nothing to it. Another host that is steady again after its third is told to have an end.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../e2e/host.ts'
import { whyNoNetwork } from '../e2e/network.ts'
import type { Receiver } from '../e2e/receiver.ts'
import { type CabledMesh, createCabledMesh } from './cabled-mesh.ts'
import { isQuick, rounds } from './rounds.ts'
import { shownAbout, shownOf } from './told.ts'

const FLAPS = rounds(4, 10)
const TO_FLAPPING = 3
const LIMIT_MS = 90_000
/** A flapping host must be steady for five minutes. Milliseconds. */
const STEADY_MS = 400_000
const TEST_MS = 900_000
/** What there is to be seen of three outages, and of any more. */
const SEEN = ['fired silent', 'resolved silent', 'fired silent', 'resolved silent', 'fired flapping']

const why = await whyNoNetwork()
if (why !== null) process.stdout.write(`skipped, a link that comes and goes: ${why}\n`)

describe.skipIf(why !== null)('a link that comes and goes', () => {
  let cabled: CabledMesh
  let phone: Receiver

  beforeAll(async () => {
    cabled = await createCabledMesh(['vps-1', 'vps-2', 'laptop', 'home-server'])
    phone = await cabled.mesh.receiver('phone')
    await cabled.mesh.ready()
  }, TEST_MS)

  afterAll(() => cabled?.end())

  /** Cuts a host off until all others miss it, and mends its link until all hear it again. */
  async function flap(name: string): Promise<void> {
    const others = cabled.mesh.hosts.filter((host) => host.name !== name)
    const { cable } = cabled.spotOf(name)
    const allSee = (state: 'alive' | 'silent') => (): Promise<boolean> =>
      Promise.all(others.map((host) => host.view(name))).then((views) => views.every((view) => view?.state === state))
    await cable?.cut()
    await until(`${name} to be missed`, LIMIT_MS, allSee('silent'))
    await cable?.mend()
    await until(`${name} to be heard`, LIMIT_MS, allSee('alive'))
  }

  test(
    `${FLAPS} times: two outages, then one flapping incident, which stays open`,
    async () => {
      for (let time = 1; time <= FLAPS; time += 1) {
        await flap('laptop')
        // An outage that ends before it is told is not told at all.
        const seen = SEEN.slice(0, Math.min(2 * time, SEEN.length))
        await until(`${seen.at(-1)}, time ${time}`, LIMIT_MS, () => shownAbout(phone, 'laptop').length >= seen.length)
        expect(shownAbout(phone, 'laptop')).toEqual(seen)
      }
      await cabled.mesh.ready()
      for (const host of cabled.mesh.hosts.filter(({ name }) => name !== 'laptop')) {
        const incident = await host.incidentOf('laptop')
        expect(incident, host.name).toMatchObject({ fault: 'flapping', state: 'firing', outages: FLAPS })
      }
      expect(shownOf(phone)).toHaveLength(SEEN.length)
    },
    TEST_MS,
  )

  test.skipIf(isQuick)(
    'steady for five minutes after its third outage: its flapping has an end, told once',
    async () => {
      for (let time = 1; time <= TO_FLAPPING; time += 1) {
        await flap('home-server')
        await until(`time ${time} to be told`, LIMIT_MS, () => shownAbout(phone, 'home-server').length >= 2 * time - 1)
        if (time < TO_FLAPPING) await phone.next('resolved', 'home-server', { skip: time - 1, limitMs: LIMIT_MS })
      }
      await phone.next('resolved', 'home-server', { skip: TO_FLAPPING - 1, limitMs: STEADY_MS })
      await cabled.mesh.ready()
      expect(shownAbout(phone, 'home-server')).toEqual([...SEEN, 'resolved flapping'])
      // That of the other, which came and went more often, goes on.
      expect(shownAbout(phone, 'laptop')).toEqual(SEEN)
    },
    TEST_MS,
  )

  test('each was shown once, in the end', async () => {
    const { notices } = await phone.stop()
    expect(notices.map(({ shown }) => shown)).toEqual(notices.map(() => 1))
    expect(notices.filter(({ host }) => host === 'laptop')).toHaveLength(SEEN.length)
  }, 60_000)
})
