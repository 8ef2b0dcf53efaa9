/** What is said of addresses that do not answer must not outlive its reason. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { hostIdOfSeed } from './host-id.ts'
import { keyOf, until } from './testing/harness.ts'
import { gossipReaches, host, portOf, proxyTo, stopEverything } from './testing/real-hosts.ts'

afterEach(stopEverything)

const NOBODY = '/ip4/127.0.0.1/tcp/9'

it('an address without an id is not complained of once its host has come by another road', async () => {
  const [ann, first] = [host('ann'), host('bob')]
  await ann.swarm.start()
  await first.swarm.start()
  const bob = first.swarm.host
  ann.swarm.setPeerBook([{ addresses: [`/ip4/127.0.0.1/tcp/${portOf(first)}`] }])
  await until('they meet', () => ann.swarm.peers().length === 1)
  await first.swarm.stop()
  await until('nobody answers there', () => ann.swarm.dialReports()[0]?.problem === 'nobody-answers')

  // Bob is back, on a port that Ann does not know.
  const moved = host('bob')
  await moved.swarm.start()
  moved.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }])
  await until('they meet again', () => ann.swarm.peers().some((peer) => peer.host === bob))
  await gossipReaches(ann, moved)
  expect(ann.swarm.dialReports()).toEqual([])
})

it('an address that left the book while it was being dialled is not complained of', async () => {
  const [ann, bob] = [host('ann'), host('bob')]
  await ann.swarm.start()
  await bob.swarm.start()
  const proxy = await proxyTo(bob)
  proxy.freeze()
  ann.swarm.setPeerBook([{ addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] }])
  await until('the dial is under way', () => proxy.connections() > 0)
  ann.swarm.setPeerBook([])
  await until('the dial has failed', () => ann.logged.some(({ phrase }) => phrase === 'dial failed'))
  expect(ann.swarm.dialReports()).toEqual([])
  expect(ann.logged.filter(({ level }) => level === 'warn')).toEqual([])
})

it('an address of a host that came in while it was being dialled is not complained of', async () => {
  const [ann, bob] = [host('ann'), host('bob')]
  await ann.swarm.start()
  await bob.swarm.start()
  const proxy = await proxyTo(bob)
  proxy.freeze()
  ann.swarm.setPeerBook([{ host: bob.swarm.host, addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] }])
  await until('the dial is under way', () => proxy.connections() > 0)
  bob.swarm.setPeerBook([{ host: ann.swarm.host, addresses: ann.swarm.addresses() }])
  await until('they meet', () => ann.swarm.peers().length === 1)
  await until('the dial has failed', () => ann.logged.some(({ phrase }) => phrase === 'dial failed'))
  expect(ann.swarm.dialReports()).toEqual([])
})

it('an address without an id that a connected host announces is not complained of', async () => {
  const [ann, bob] = [host('ann'), host('bob')]
  await ann.swarm.start()
  await bob.swarm.start()
  ann.swarm.setPeerBook([{ addresses: [NOBODY] }])
  await until('nobody answers there', () => ann.swarm.dialReports().length === 1)
  bob.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }])
  await until('they meet', () => ann.swarm.peers().length === 1)
  // Nobody knows yet whose it is.
  expect(ann.swarm.dialReports()).toHaveLength(1)
  ann.swarm.setPeerBook([{ addresses: [NOBODY] }, { host: bob.swarm.host, addresses: [NOBODY] }])
  expect(ann.swarm.dialReports()).toEqual([])
})

it('an address of a host that has left is not complained of any more', async () => {
  const ann = host('ann')
  await ann.swarm.start()
  const bob = hostIdOfSeed(keyOf('bob'))
  ann.swarm.setPeerBook([{ addresses: [NOBODY] }, { host: bob, addresses: [NOBODY] }])
  await until('nobody answers there', () => ann.swarm.dialReports().length === 1)
  ann.swarm.setPeerBook([{ addresses: [NOBODY] }, { host: bob, addresses: [NOBODY], hasLeft: true }])
  expect(ann.swarm.dialReports()).toEqual([])
  const failed = (): number => ann.logged.filter(({ phrase }) => phrase === 'dial failed').length
  const before = failed()
  // The config still names it, so it is dialled.
  await until('it was dialled again', () => failed() > before + 1)
  expect(ann.swarm.dialReports()).toEqual([])
  expect(ann.logged.filter(({ level }) => level === 'warn')).toHaveLength(1)
})

it('what accepts and hangs up at once is not taken for a member with another key', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.destroy()
  }).listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    const ann = host('ann')
    await ann.swarm.start()
    const address = `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`
    ann.swarm.setPeerBook([{ addresses: [address] }])
    await until('it is reported', () => ann.swarm.dialReports().length === 1)
    const explanation = `something hangs up on us at ${address}: another program, or a host with another swarm key`
    expect(ann.swarm.dialReports()).toMatchObject([{ problem: 'hangs-up', explanation }])
  } finally {
    server.close()
  }
})
