import { type MeshRecord, meshRecords } from '@muster/protocol'
import { expect, it } from 'vitest'
import { createTestAgent, hostIdOf } from '../api/testing/test-agent.ts'
import { parseConfig } from '../config/load.ts'
import type { Loop } from '../loop.ts'
import type { PeerBookEntry, Swarm } from '../swarm/swarm.ts'
import type { WakuNode } from '../waku/node.ts'
import { createMeshUpkeep } from './mesh-upkeep.ts'

const AT = '/ip4/192.0.2.1/tcp/4650'
const WAKU_AT = '/ip4/192.0.2.1/tcp/4652/ws'

/** The upkeep of a host over a real core; what its parts listen on is the test's. */
function createWorld(yaml = '') {
  const agent = createTestAgent()
  const { port, meet } = agent
  const { config } = parseConfig(`host: laptop\n${yaml}`, { file: 'muster.yaml', defaultHost: 'laptop' })
  const here: { swarm: string[]; waku: string[] | null } = { swarm: [AT], waku: [WAKU_AT] }
  const book: { entries: readonly PeerBookEntry[]; waku: readonly string[] } = { entries: [], waku: [] }
  const warned: unknown[] = []
  let looks = 0
  const upkeep = createMeshUpkeep({
    self: port.self,
    config: () => config,
    certificate: new Uint8Array(),
    swarm: {
      addresses: () => here.swarm,
      setPeerBook: (entries: readonly PeerBookEntry[]) => {
        book.entries = entries
      },
    } as unknown as Swarm,
    waku: () =>
      here.waku === null
        ? null
        : ({
            multiaddrs: () => here.waku,
            setPeers: (peers: readonly string[]) => {
              book.waku = peers
            },
          } as unknown as WakuNode),
    telling: { followRecipients: () => undefined } as never,
    loop: () => ({ state: port.state, dispatch: meet }) as unknown as Loop,
    clock: { now: () => port.state().clock, monotonicMs: () => 0, unixMs: () => 0 } as never,
    log: { debug: () => undefined, info: () => undefined, warn: (_, fields) => void warned.push(fields) },
  })
  /** What this host says of itself after one look at a network that is new each time. */
  function announced(): Extract<MeshRecord, { kind: 'member' }> | undefined {
    looks += 1
    upkeep.announce({ hasRoute: true, text: `look ${looks}` })
    return meshRecords(port.state(), 'member').find(({ signer }) => signer === port.self)?.body
  }
  return { here, announced, agent, upkeep, book, warned }
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

it('does not dial who has left, and dials it again once it is heard', () => {
  const { agent, upkeep, book } = createWorld()
  agent.live('vps-1')
  agent.advance(1_000)
  const host = hostIdOf('vps-1')
  const addresses = ['/dns4/vps-1.example.org/tcp/4650']
  upkeep.follow()
  expect(book).toEqual({
    entries: [{ host, addresses, hasLeft: false }],
    waku: ['/dns4/vps-1.example.org/tcp/4652/ws'],
  })
  agent.leave('vps-1')
  upkeep.follow()
  expect(book).toEqual({ entries: [{ host, addresses, hasLeft: true }], waku: [] })
  agent.live('vps-1')
  upkeep.follow()
  expect(book.entries).toEqual([{ host, addresses, hasLeft: false }])
})

it('warns once of each two hosts of one name', () => {
  const { agent, upkeep, warned } = createWorld()
  agent.live('vps-1')
  agent.live('vps-2', 'vps-1')
  for (const _ of [1, 2]) upkeep.follow()
  expect(warned).toEqual([{ name: 'vps-1', hosts: `${hostIdOf('vps-1')} ${hostIdOf('vps-2')}` }])
  agent.live('other', 'laptop')
  upkeep.follow()
  expect(warned.slice(1)).toEqual([{ name: 'laptop', hosts: `${hostIdOf('laptop')} ${hostIdOf('other')}` }])
})
