/** What the real swarm does when peers die, hang, lie at the door, restart, or talk too much. */

import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { encode } from 'it-length-prefixed'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it } from 'vitest'
import { createSwarm } from './create-swarm.ts'
import { readOneFrame, writeFrame } from './framing.ts'
import { hostIdOfSeed, publicKeyOf } from './host-id.ts'
import type { SwarmOptions } from './swarm.ts'
import { swarmKeyProtector } from './swarm-key-protector.ts'
import type { TestHost } from './testing/harness.ts'
import { bytesOf, keyOf, startTogether, stopAll, TEST_KEY, testHost, textOf, until } from './testing/harness.ts'
import type { TcpProxy } from './testing/tcp-proxy.ts'
import { createTcpProxy } from './testing/tcp-proxy.ts'

const hosts: TestHost[] = []
const nodes: Libp2p[] = []
const proxies: TcpProxy[] = []

afterEach(async () => {
  await stopAll(hosts.splice(0))
  await Promise.all(nodes.splice(0).map((node) => node.stop()))
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
})

function host(name: string, options: Partial<SwarmOptions> = {}): TestHost {
  const made = testHost(createSwarm, name, options)
  hosts.push(made)
  return made
}

const portOf = ({ swarm }: TestHost): number => Number(/\/tcp\/(\d+)/.exec(swarm.addresses()[0] ?? '')?.[1])

async function proxyTo(to: TestHost): Promise<TcpProxy> {
  const proxy = await createTcpProxy(portOf(to))
  proxies.push(proxy)
  return proxy
}

/** A libp2p node that holds the swarm key and does what it likes. */
async function rogue(name: string): Promise<Libp2p> {
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

async function sayHello(connection: Connection): Promise<string> {
  const signal = AbortSignal.timeout(5_000)
  const stream = await connection.newStream(['/muster/hello/1'])
  await writeFrame(stream, bytesOf('we are one mesh'), signal)
  const answer = textOf(await readOneFrame(stream, { maxBytes: 4096, signal }))
  await stream.close()
  return answer
}

/** Publishes until a frame has come: gossip is not for those who join later. */
async function gossipReaches(from: TestHost, to: TestHost): Promise<void> {
  const before = to.frames.length
  let round = 0
  await until('gossip flows', () => {
    from.swarm.gossip(bytesOf(`to ${to.swarm.host} ${performance.now()} ${round++}`)).catch(() => {})
    return to.frames.slice(before).some(({ road, text }) => road === 'gossip' && text.includes(to.swarm.host))
  })
}

describe('the door', () => {
  it('reads nothing from a key-holder that says no hello, and hangs up', async () => {
    const ann = host('ann')
    await ann.swarm.start()
    const stranger = await rogue('stranger')
    const connection = await stranger.dial(multiaddr(ann.swarm.addresses()[0] ?? ''))
    const protocols = [
      '/muster/frames/1',
      '/muster/heartbeat/1',
      '/muster/probe/1',
      '/muster/catch-up/1',
      '/meshsub/1.2.0',
    ]
    for (const protocol of protocols) {
      const stream = await connection.newStream([protocol])
      stream.send(encode.single(Uint8Array.of(0, 1, 2, 3)))
    }
    const identifying = (stranger.services as { identify: { identify(c: Connection): Promise<unknown> } }).identify
      .identify(connection)
      .catch(() => 'refused')
    await until('ann hangs up', () => stranger.getConnections().length === 0)
    expect(await identifying).toBe('refused')
    expect([ann.frames, ann.changes, ann.swarm.peers()]).toEqual([[], [], []])
    expect(ann.logged.filter(({ phrase }) => phrase === 'peer refused at the door')).toHaveLength(1)
  })

  it.each([
    ['too long', 4097],
    ['another', 20],
  ])('refuses a hello that is %s', async (_what, length) => {
    const ann = host('ann')
    await ann.swarm.start()
    const stranger = await rogue('stranger')
    const connection = await stranger.dial(multiaddr(ann.swarm.addresses()[0] ?? ''))
    const stream = await connection.newStream(['/muster/hello/1'])
    stream.send(encode.single(new Uint8Array(length)))
    await until('ann hangs up', () => stranger.getConnections().length === 0)
    expect(ann.changes).toEqual([])
  })

  it('survives an admission that throws', async () => {
    const [ann, bob] = [host('ann'), host('bob')]
    ann.behaviour.admits = () => {
      throw new Error('no certificate can be read')
    }
    await ann.swarm.start()
    await bob.swarm.start()
    bob.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }])
    await until('bob is told', () => bob.swarm.dialReports().length === 1)
    ann.behaviour.admits = () => true
    await until('they meet once it works', () => ann.swarm.peers().length === 1)
    await until('the report is withdrawn', () => bob.swarm.dialReports().length === 0)
  })
})

describe('a mesh heals', () => {
  it('when both dial at once: one connection is left, and everything flows', async () => {
    const [ann, bob] = [
      host('ann', { dialling: { higherIdWaitsMs: 0 } }),
      host('bob', { dialling: { higherIdWaitsMs: 0 } }),
    ]
    await ann.swarm.start()
    await bob.swarm.start()
    const entries = [ann, bob].map(({ swarm }) => ({ host: swarm.host, addresses: swarm.addresses() }))
    ann.swarm.setPeerBook(entries)
    bob.swarm.setPeerBook(entries)
    await until('both see each other', () => ann.swarm.peers().length + bob.swarm.peers().length === 2)
    await gossipReaches(ann, bob)
    await gossipReaches(bob, ann)
    expect(ann.changes).toEqual([`up ${bob.swarm.host}`])
    expect(bob.changes).toEqual([`up ${ann.swarm.host}`])
  })

  it('when an address without an id leads to a host that is already here: the extra one is closed', async () => {
    const [ann, bob] = [host('ann'), host('bob')]
    await startTogether(ann, bob)
    const proxy = await proxyTo(ann)
    bob.swarm.setPeerBook([{ addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] }])
    const closed = (): boolean => bob.logged.some(({ phrase }) => phrase === 'extra connection closed')
    await until('the extra one is closed', closed)
    await gossipReaches(ann, bob)
    await gossipReaches(bob, ann)
    expect([ann.changes.length, bob.changes.length]).toEqual([1, 1])
  })

  it('when the wire breaks: both see it at once, and meet again', async () => {
    const [ann, bob] = [host('ann'), host('bob')]
    await ann.swarm.start()
    await bob.swarm.start()
    const proxy = await proxyTo(ann)
    bob.swarm.setPeerBook([{ host: ann.swarm.host, addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] }])
    for (let i = 1; i <= 3; i++) {
      await until('they meet', () => ann.swarm.peers().length === 1 && bob.swarm.peers().length === 1)
      await gossipReaches(bob, ann)
      proxy.breakAll()
      await until('both see it', () => ann.changes.length === 2 * i && bob.changes.length === 2 * i)
    }
    await until('they meet', () => ann.swarm.peers().length === 1 && bob.swarm.peers().length === 1)
    await gossipReaches(ann, bob)
  })

  it('when a peer restarts, on the same port or on another, however often', async () => {
    const ann = host('ann')
    await ann.swarm.start()
    const first = host('bob')
    await first.swarm.start()
    const port = portOf(first)
    ann.swarm.setPeerBook([{ host: first.swarm.host, addresses: first.swarm.addresses() }])
    await until('they meet', () => ann.swarm.peers().length === 1)
    await first.swarm.stop()
    // Bob does not know Ann: only she can find him.
    for (let i = 0; i < 2; i++) {
      const again = host('bob', { listen: [`/ip4/127.0.0.1/tcp/${port}`] })
      await again.swarm.start()
      await until('they meet again', () => ann.swarm.peers().length === 1 && again.swarm.peers().length === 1)
      await gossipReaches(ann, again)
      await again.swarm.stop()
      await until('ann sees it go', () => ann.swarm.peers().length === 0)
    }
    // On another port Ann does not find him, but he finds her.
    const moved = host('bob')
    await moved.swarm.start()
    moved.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }])
    await until('they meet again', () => ann.swarm.peers().length === 1 && moved.swarm.peers().length === 1)
    await gossipReaches(ann, moved)
    await gossipReaches(moved, ann)
  })

  it('when a peer hangs: it is taken for gone, and a probe through others fails as it should', async () => {
    const [ann, bob] = [host('ann'), host('bob')]
    await ann.swarm.start()
    await bob.swarm.start()
    const proxy = await proxyTo(ann)
    bob.swarm.setPeerBook([{ host: ann.swarm.host, addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] }])
    await until('they meet', () => bob.swarm.peers().length === 1)
    proxy.freeze()
    const request = { target: ann.swarm.host, nonce: bytesOf('1'), relays: [], isGenuine: () => true }
    await expect(bob.swarm.probe(request, AbortSignal.timeout(300))).rejects.toMatchObject({ code: 'no-answer' })
    bob.swarm.sendHeartbeat([ann.swarm.host], bytesOf('into the void'))
    await until('both see it', () => ann.changes.length === 2 && bob.changes.length === 2, 40_000)
  })
})

describe('a member that says too much', () => {
  it('is cut down to its limits on each road, and named once', async () => {
    const ann = host('ann')
    await ann.swarm.start()
    const flooder = await rogue('flooder')
    const connection = await flooder.dial(multiaddr(ann.swarm.addresses()[0] ?? ''))
    expect(await sayHello(connection)).toBe('we are one mesh')
    const stream = await connection.newStream(['/muster/frames/1'])
    for (let i = 0; i < 60; i++) stream.send(encode.single(bytesOf(`direct ${i}`)))
    const beats = await connection.newStream(['/muster/heartbeat/1'])
    for (let i = 0; i < 2_000; i++) beats.send(encode.single(bytesOf(`beat ${i}`)))
    await until('its heartbeats are reset', () => beats.status === 'reset')
    // The burst, and what a few seconds add.
    expect(ann.frames.length).toBeLessThan(400 + 100 * 5)
    expect(ann.logged.filter(({ phrase }) => phrase === 'peer over its limit')).toHaveLength(1)
    expect(ann.swarm.peers()).toHaveLength(1)
  })

  it('cannot send a frame or a message that is too long', async () => {
    const ann = host('ann')
    await ann.swarm.start()
    const flooder = await rogue('flooder')
    const connection = await flooder.dial(multiaddr(ann.swarm.addresses()[0] ?? ''))
    await sayHello(connection)
    const tooLong = await connection.newStream(['/muster/frames/1'])
    tooLong.send(encode.single(new Uint8Array(64 * 1024 + 1)))
    const tooMany = await connection.newStream(['/muster/frames/1'])
    for (let i = 0; i < 65; i++) tooMany.send(encode.single(bytesOf('x')))
    await until('both are reset', () => tooLong.status === 'reset' && tooMany.status === 'reset')
    expect(ann.frames.filter(({ text }) => text === 'x')).toHaveLength(64)
    expect(ann.frames.some(({ text }) => text !== 'x')).toBe(false)
  })

  it('does not slow the heartbeats of others, or of us to it', async () => {
    const [ann, bob] = [host('ann'), host('bob')]
    await startTogether(ann, bob)
    await gossipReaches(bob, ann)
    for (let i = 0; i < 3_000; i++) bob.swarm.gossip(bytesOf(`flood ${i}`)).catch(() => {})
    ann.swarm.sendHeartbeat([bob.swarm.host], bytesOf('alive'))
    await until('it came', () => bob.frames.some(({ road }) => road === 'heartbeat'))
    expect(ann.frames.filter(({ text }) => text.startsWith('flood')).length).toBeLessThan(400 + 100 * 5)
  })
})

describe('what is wrong with an address', () => {
  it.each([
    ['another host', () => `/ip4/127.0.0.1/tcp/0/p2p/${hostIdOfSeed(keyOf('nobody'))}`, 'another-host'],
    ['no address', () => 'example.org:4650', 'bad-address'],
    ['a protocol that we do not speak', () => '/ip4/127.0.0.1/udp/4650/quic-v1', 'bad-address'],
  ])('%s', async (_what, make, problem) => {
    const [ann, bob] = [host('ann'), host('bob')]
    await ann.swarm.start()
    await bob.swarm.start()
    bob.swarm.setPeerBook([{ addresses: [make().replace('/tcp/0', `/tcp/${portOf(ann)}`)] }])
    await until('it is reported', () => bob.swarm.dialReports().length === 1)
    expect(bob.swarm.dialReports()[0]?.problem).toBe(problem)
  })

  it('a server of something else, which speaks first or never', async () => {
    const servers = [(socket: Socket) => socket.write('SSH-2.0-Something '.repeat(10)), () => {}].map((greet) =>
      createServer((socket) => {
        socket.on('error', () => {})
        greet(socket)
        others.push(socket)
      }).listen(0, '127.0.0.1'),
    )
    const others: Socket[] = []
    await Promise.all(servers.map((server) => once(server, 'listening')))
    const bob = host('bob')
    await bob.swarm.start()
    const addresses = servers.map((server) => `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`)
    bob.swarm.setPeerBook(addresses.map((address) => ({ addresses: [address] })))
    await until('both are reported', () => bob.swarm.dialReports().length === 2)
    const problems = addresses.map(
      (address) => bob.swarm.dialReports().find((report) => report.address === address)?.problem,
    )
    expect(problems).toEqual(['wrong-swarm-key', 'nobody-answers'])
    for (const socket of others) socket.destroy()
    for (const server of servers) server.close()
  })

  it('ourselves: said nowhere, and not dialled again', async () => {
    const ann = host('ann')
    await ann.swarm.start()
    const proxy = await proxyTo(ann)
    ann.swarm.setPeerBook([
      { addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] },
      { addresses: ['/ip4/127.0.0.1/tcp/9'] },
    ])
    await until('the other was tried twice', () => (ann.swarm.dialReports()[0]?.tries ?? 0) >= 3)
    expect(ann.swarm.dialReports()).toHaveLength(1)
  })
})

describe('starting and stopping', () => {
  it('says when it cannot listen, and can be started once the port is free', async () => {
    const ann = host('ann')
    await ann.swarm.start()
    const bob = host('bob', { listen: [`/ip4/127.0.0.1/tcp/${portOf(ann)}`] })
    await expect(bob.swarm.start()).rejects.toMatchObject({ code: 'listen-failed' })
    expect(bob.swarm.addresses()).toEqual([])
    await ann.swarm.stop()
    await bob.swarm.start()
    expect(bob.swarm.addresses()).toHaveLength(1)
  })

  it('meets over websockets', async () => {
    const [ann, bob] = [host('ann', { listen: ['/ip4/127.0.0.1/tcp/0/ws'] }), host('bob')]
    await startTogether(ann, bob)
    expect(bob.swarm.peers()[0]?.address).toContain('/ws')
    await gossipReaches(ann, bob)
  })

  it('leaves no handle behind, in the middle of everything', async () => {
    const handles = (): string[] =>
      process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Immediate/.test(name))
    const before = handles().length
    const [ann, bob] = [host('ann'), host('bob')]
    await startTogether(ann, bob)
    ann.behaviour.flow = async function* (_request, signal) {
      while (!signal.aborted) yield new Uint8Array(10_000)
    }
    const flowing = (async () => {
      for await (const _ of bob.swarm.catchUp(ann.swarm.host, bytesOf('all'), AbortSignal.timeout(30_000)));
    })().catch((error: unknown) => error)
    bob.swarm.setPeerBook([{ addresses: ['/ip4/127.0.0.1/tcp/9'] }])
    bob.swarm.sendHeartbeat([ann.swarm.host], bytesOf('alive'))
    await gossipReaches(ann, bob)
    await Promise.all([ann.swarm.stop(), bob.swarm.stop()])
    expect(await flowing).toBeInstanceOf(Error)
    await until('all handles are closed', () => handles().length <= before + 1)
    await ann.swarm.stop()
  })
})
