/**
 * A cable is pulled: hosts in network namespaces of their own, one of them cut off twice without a restart, and once
 * more with its power. Each time is an outage of its own, and the host that hears nobody accuses nobody.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IncidentView } from '../../packages/agent/src/api/shapes.ts'
import { type HostSettings, until } from './host.ts'
import { createMesh, FAST, FAST_EVERY_MS, type Mesh } from './mesh.ts'
import { createNetwork, type Network, type Place, whyNoNetwork } from './network.ts'
import type { Receiver } from './receiver.ts'

const NAMES = ['vps-1', 'laptop', 'home-server']
const LIMIT_MS = 40_000

const why = await whyNoNetwork()
if (why !== null) process.stdout.write(`skipped, the link of a host is cut: ${why}\n`)

describe.skipIf(why !== null)('the link of a host is cut', () => {
  let network: Network
  let mesh: Mesh
  let phone: Receiver
  const ids: string[] = []
  const placeOf = (name: string): Place => network.places[NAMES.indexOf(name)] as Place

  beforeAll(async () => {
    network = await createNetwork(NAMES.length)
    const of: Record<string, HostSettings> = {}
    for (const [index, name] of NAMES.entries()) {
      const place = network.places[index]
      if (place !== undefined) of[name] = { presence: FAST, address: place.address, prefix: place.prefix }
    }
    mesh = await createMesh(NAMES, { of })
    phone = await mesh.receiver('phone')
    await mesh.ready()
  }, 120_000)

  afterAll(async () => {
    await mesh?.end()
    await network?.end()
  })

  test.each([1, 2])(
    'time %i: told once, and once when it is mended; the host itself accuses nobody',
    async (time) => {
      const skip = time - 1
      const cutAtUnixMs = Date.now()
      await placeOf('laptop').cut()
      const fired = await phone.next('fired', 'laptop', { skip })
      expect(fired).toMatchObject({ heading: 'CRITICAL', verified: true })
      const [incident] = fired.incidents
      expect(incident).toMatchObject({ hostName: 'laptop', fault: 'silent', severity: 'critical' })
      expect([...(incident?.voters ?? [])].sort()).toEqual(['home-server', 'vps-1'])
      expect(cutAtUnixMs - (incident?.sinceUnixMs ?? 0)).toBeLessThanOrEqual(FAST_EVERY_MS + 200)
      expect(ids).not.toContain(incident?.id)
      ids.push(incident?.id ?? '')

      // The cut host can be asked from within only.
      const accused = await until(
        'the host to say that it is isolated',
        LIMIT_MS,
        async () => {
          const open = (await ownIncidents('laptop')).filter(({ state }) => state === 'firing')
          return open.some(({ fault }) => fault === 'isolated') ? open : null
        },
        500,
      )
      expect(accused.map(({ hostName, fault }) => [hostName, fault])).toEqual([['laptop', 'isolated']])

      await placeOf('laptop').mend()
      const resolved = await phone.next('resolved', 'laptop', { skip })
      expect(resolved.incidents.flatMap(({ id, aliases }) => [id, ...aliases])).toContain(incident?.id)
      await mesh.ready()
      expect(await fromOthers('laptop')).toEqual([])
      expect(phone.about('laptop').map(({ transition }) => transition)).toEqual(
        Array.from({ length: time }, () => ['fired', 'resolved']).flat(),
      )
    },
    120_000,
  )

  test('the network of a host goes with its power: one notice, and one when both are back', async () => {
    const agent = mesh.host('home-server')
    await placeOf('home-server').cut()
    await agent.end('SIGKILL')
    const fired = await phone.next('fired', 'home-server')
    expect(fired.incidents).toMatchObject([{ hostName: 'home-server', fault: 'silent', severity: 'critical' }])
    await placeOf('home-server').mend()
    agent.start()
    await phone.next('resolved', 'home-server')
    await mesh.ready()
    await mesh.sameHistory()
    const { notices } = await phone.stop()
    expect(notices.map(({ transition, host, shown }) => `${transition} ${host} ${shown}`)).toEqual(
      ['laptop', 'laptop', 'home-server'].flatMap((name) => [`fired ${name} 1`, `resolved ${name} 1`]),
    )
  }, 120_000)

  async function ownIncidents(name: string): Promise<readonly IncidentView[]> {
    const { out, err } = await mesh.host(name).muster('incidents', '--json')
    if (err !== '') throw new Error(err)
    return (JSON.parse(out) as { incidents: readonly IncidentView[] }).incidents
  }

  /** What a host ever held against others. */
  async function fromOthers(name: string): Promise<readonly IncidentView[]> {
    return (await ownIncidents(name)).filter(({ hostName, missed }) => hostName !== name && !missed)
  }
})
