/** Real hosts on loopback, and a key-holder that does what it likes. */
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { createSwarm } from '../create-swarm.ts'
import { readOneFrame, writeFrame } from '../framing.ts'
import { publicKeyOf } from '../host-id.ts'
import { createNode, type SwarmNode } from '../node.ts'
import type { SwarmOptions } from '../swarm.ts'
import { swarmKeyProtector } from '../swarm-key-protector.ts'
import type { MakeSwarm, TestHost } from './harness.ts'
import { bytesOf, keyOf, stopAll, TEST_KEY, testHost, textOf, until } from './harness.ts'
import type { TcpProxy } from './tcp-proxy.ts'
import { createTcpProxy } from './tcp-proxy.ts'

const hosts: TestHost[] = []
const nodes: Libp2p[] = []
const proxies: TcpProxy[] = []

/** Stops all that was made here: for `afterEach`. */
export async function stopEverything(): Promise<void> {
  await stopAll(hosts.splice(0))
  await Promise.all(nodes.splice(0).map((node) => node.stop()))
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
}

/** A real host, stopped after the test. */
export function host(name: string, options: Partial<SwarmOptions> = {}): TestHost {
  const made = testHost(createSwarm, name, options)
  hosts.push(made)
  return made
}

/** A real host whose nodes can be broken from within: one for each start, the newest last. */
export function openHost(
  name: string,
  options: Partial<SwarmOptions> = {},
): TestHost & { readonly nodes: SwarmNode[] } {
  const inner: SwarmNode[] = []
  const make: MakeSwarm = (...args) =>
    createSwarm(...args, async (...parts) => {
      const node = await createNode(...parts)
      inner.push(node)
      return node
    })
  const made = testHost(make, name, options)
  hosts.push(made)
  return { ...made, nodes: inner }
}

/** The port that a host listens on. */
export const portOf = ({ swarm }: TestHost): number => Number(/\/tcp\/(\d+)/.exec(swarm.addresses()[0] ?? '')?.[1])

/** A wire to a host. */
export async function proxyTo(to: TestHost): Promise<TcpProxy> {
  const proxy = await createTcpProxy(portOf(to))
  proxies.push(proxy)
  return proxy
}

/** A libp2p node that holds the swarm key and does what it likes. */
export async function rogue(name: string): Promise<Libp2p> {
  const seed = keyOf(name)
  const node = await createLibp2p({
    privateKey: privateKeyFromRaw(Buffer.concat([seed, publicKeyOf(seed)])),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionProtector: swarmKeyProtector([TEST_KEY]),
    services: {
      identify: identify({ runOnConnectionOpen: false }),
      gossip: gossipsub({ globalSignaturePolicy: 'StrictNoSign', allowPublishToZeroTopicPeers: true }),
    },
  })
  nodes.push(node)
  return node
}

/** Says the hello of the mesh, and returns the answer. */
export async function sayHello(connection: Connection): Promise<string> {
  const signal = AbortSignal.timeout(5_000)
  const stream = await connection.newStream(['/muster/hello/1'])
  await writeFrame(stream, bytesOf('we are one mesh'), signal)
  const answer = textOf(await readOneFrame(stream, { maxBytes: 4096, signal }))
  await stream.close()
  return answer
}

/** Publishes until a frame has come: gossip is not for those who join later. */
export async function gossipReaches(from: TestHost, to: TestHost): Promise<void> {
  const before = to.frames.length
  let round = 0
  await until('gossip flows', () => {
    from.swarm.gossip(bytesOf(`to ${to.swarm.host} ${performance.now()} ${round++}`)).catch(() => {})
    return to.frames.slice(before).some(({ road, text }) => road === 'gossip' && text.includes(to.swarm.host))
  })
}
