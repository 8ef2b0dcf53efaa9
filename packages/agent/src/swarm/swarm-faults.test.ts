/** What the real swarm does when peers die, hang, restart, or meet twice. */
import { afterEach, describe, expect, it } from 'vitest'
import { bytesOf, startTogether, until } from './testing/harness.ts'
import { gossipReaches, host, portOf, proxyTo, stopEverything } from './testing/real-hosts.ts'

afterEach(stopEverything)

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

describe('through a relay', () => {
  it('a host that nobody can dial is reached, again after the relay restarted', async () => {
    const relay = host('relay')
    await relay.swarm.start()
    const [address = ''] = relay.swarm.addresses()
    const hidden = host('hidden', { listen: [`${address}/p2p-circuit`] })
    await hidden.swarm.start()
    hidden.swarm.setPeerBook([{ addresses: [address] }])
    const ann = host('ann')
    await ann.swarm.start()
    const book = [{ addresses: [address] }, { host: hidden.swarm.host, addresses: [`${address}/p2p-circuit`] }]
    ann.swarm.setPeerBook(book)
    const via = (): string | undefined => ann.swarm.peers().find((peer) => peer.host === hidden.swarm.host)?.via
    await until('ann reaches it', () => via() === 'relayed')
    await ann.swarm.send(hidden.swarm.host, [bytesOf('hello')])
    await gossipReaches(ann, hidden)

    await relay.swarm.stop()
    await until('it is out of reach', () => via() === undefined)
    const again = host('relay', { listen: [`/ip4/127.0.0.1/tcp/${/tcp\/(\d+)/.exec(address)?.[1]}`] })
    await again.swarm.start()
    await until('ann reaches it again', () => via() === 'relayed')
    await ann.swarm.send(hidden.swarm.host, [bytesOf('hello again')])
    expect(hidden.frames.filter(({ road }) => road === 'direct').map(({ text }) => text)).toEqual([
      'hello',
      'hello again',
    ])
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

  it('can be stopped while it starts, and started again', async () => {
    const ann = host('ann')
    const starting = ann.swarm.start().catch(() => 'given up')
    await ann.swarm.stop()
    await starting
    await ann.swarm.stop()
    expect(ann.swarm.addresses()).toEqual([])
    await ann.swarm.start()
    expect(ann.swarm.addresses()).toHaveLength(1)
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
