import { type MeshRecord, meshRecords } from '@muster/protocol'
import { expect, it } from 'vitest'
import { createTestAgent } from '../api/testing/test-agent.ts'
import { parseConfig } from '../config/load.ts'
import type { Loop } from '../loop.ts'
import type { Swarm } from '../swarm/swarm.ts'
import type { WakuNode } from '../waku/node.ts'
import { createMeshUpkeep } from './mesh-upkeep.ts'

const AT = '/ip4/192.0.2.1/tcp/4650'
const WAKU_AT = '/ip4/192.0.2.1/tcp/4652/ws'

/** The upkeep of a host over a real core; what its parts listen on is the test's. */
function createWorld(yaml = '') {
  const { port, meet } = createTestAgent()
  const { config } = parseConfig(`host: laptop\n${yaml}`, { file: 'muster.yaml', defaultHost: 'laptop' })
  const here: { swarm: string[]; waku: string[] | null } = { swarm: [AT], waku: [WAKU_AT] }
  let looks = 0
  const upkeep = createMeshUpkeep({
    self: port.self,
    config: () => config,
    certificate: new Uint8Array(),
    swarm: { addresses: () => here.swarm } as unknown as Swarm,
    waku: () => (here.waku === null ? null : ({ multiaddrs: () => here.waku } as unknown as WakuNode)),
    telling: { followRecipients: () => undefined } as never,
    loop: () => ({ state: port.state, dispatch: meet }) as unknown as Loop,
    clock: { now: () => port.state().clock, monotonicMs: () => 0, unixMs: () => 0 } as never,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
  })
  /** What this host says of itself after one look at a network that is new each time. */
  function announced(): Extract<MeshRecord, { kind: 'member' }> | undefined {
    looks += 1
    upkeep.announce({ hasRoute: true, text: `look ${looks}` })
    return meshRecords(port.state(), 'member').find(({ signer }) => signer === port.self)?.body
  }
  return { here, announced }
}

it('announces what has changed, and nothing else', () => {
  const { here, announced } = createWorld()
  expect(announced()).toMatchObject({ addresses: [AT], wakuAddresses: [WAKU_AT], serial: 1 })
  expect(announced()?.serial).toBe(1)
  here.swarm = ['/ip4/192.0.2.2/tcp/4650']
  expect(announced()).toMatchObject({ addresses: ['/ip4/192.0.2.2/tcp/4650'], serial: 2 })
})

it('does not make the others forget a part that is being restarted', () => {
  const { here, announced } = createWorld()
  announced()
  here.swarm = []
  here.waku = null
  expect(announced()).toMatchObject({ addresses: [AT], wakuAddresses: [WAKU_AT], serial: 1 })
  here.swarm = [AT]
  here.waku = [WAKU_AT]
  expect(announced()?.serial).toBe(1)
})

it('says that it cannot be reached where it listens nowhere', () => {
  const { here, announced } = createWorld('swarm: {listen: []}\nwaku: {serve: false}\n')
  here.swarm = []
  here.waku = []
  expect(announced()).toMatchObject({ addresses: [], wakuAddresses: [] })
})
