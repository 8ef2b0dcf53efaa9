/** What the real swarm does with those who are not let in, who talk too much, or who are not there. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { encode } from 'it-length-prefixed'
import { afterEach, describe, expect, it } from 'vitest'
import { packed } from './frame-packing.ts'
import { hostIdOfSeed } from './host-id.ts'
import { bytesOf, keyOf, startTogether, until } from './testing/harness.ts'
import { gossipReaches, host, portOf, proxyTo, rogue, sayHello, stopEverything } from './testing/real-hosts.ts'

afterEach(stopEverything)

describe('the door', () => {
  it('reads nothing from a key-holder that says no hello, and hangs up', async () => {
    const ann = host('ann')
    await ann.swarm.start()
    const stranger = await rogue('stranger')
    const connection = await stranger.dial(multiaddr(ann.swarm.addresses()[0] ?? ''))
    const protocols = [
      '/muster/frames/1',
      '/muster/heartbeat/2',
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

describe('a member that says too much', () => {
  it('is cut down to its limits on each road, and named once', async () => {
    const ann = host('ann')
    await ann.swarm.start()
    const flooder = await rogue('flooder')
    const connection = await flooder.dial(multiaddr(ann.swarm.addresses()[0] ?? ''))
    expect(await sayHello(connection)).toBe('we are one mesh')
    const stream = await connection.newStream(['/muster/frames/1'])
    for (let i = 0; i < 60; i++) stream.send(encode.single(bytesOf(`direct ${i}`)))
    const beats = await connection.newStream(['/muster/heartbeat/2'])
    for (let i = 0; i < 2_000; i++) beats.send(encode.single(packed(bytesOf(`beat ${i}`))))
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
