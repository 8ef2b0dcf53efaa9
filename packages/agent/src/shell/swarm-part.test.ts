/** A real swarm that breaks from within is found, started anew, and hears its peers again. */
import { createServer, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createSupervisor, LOOK_EVERY_MS, type Supervisor } from '../supervisor.ts'
import { closeListener } from '../swarm/testing/close-listener.ts'
import { bytesOf, type TestHost, textOf, until } from '../swarm/testing/harness.ts'
import { gossipReaches, host, openHost, stopEverything } from '../swarm/testing/real-hosts.ts'
import { swarmPart } from './swarm-part.ts'

const supervisors: Supervisor[] = []
const servers: Server[] = []

afterEach(async () => {
  for (const supervisor of supervisors.splice(0)) await supervisor.stop()
  await stopEverything()
  for (const server of servers.splice(0)) server.close()
})

/** How much faster than in an agent looks and restarts come. */
const HURRY = 40

/** Starts a host under a supervisor, on a port that it keeps. */
async function supervised(name: string) {
  const finder = createServer()
  await listen(finder, 0)
  const { port } = finder.address() as { port: number }
  await new Promise((resolve) => finder.close(resolve))
  const made = openHost(name, { listen: [`/ip4/127.0.0.1/tcp/${port}`] })
  const lines: string[] = []
  const note = (phrase: string, { reason }: Readonly<Record<string, unknown>> = {}): void => {
    lines.push(reason === undefined ? phrase : `${phrase}: ${reason}`)
  }
  const supervisor = createSupervisor({
    log: { debug: () => undefined, info: note, warn: note },
    setTimer(delayMs, fire) {
      const timer = setTimeout(fire, delayMs <= LOOK_EVERY_MS ? delayMs / HURRY : delayMs)
      return () => clearTimeout(timer)
    },
  })
  supervisors.push(supervisor)
  await supervisor.run(swarmPart(made.swarm, 'muster.yaml'), { mustStart: true })
  return { ...made, port, supervisor, lines }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

/** Each road between two hosts carries, both ways. */
async function hearEachOther(a: TestHost, b: TestHost): Promise<void> {
  await until('both are connected', () => a.swarm.peers().length === 1 && b.swarm.peers().length === 1)
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    await gossipReaches(from, to)
    const before = to.frames.length
    from.swarm.sendHeartbeat([to.swarm.host], bytesOf('here'))
    await until('the heartbeat came', () => to.frames.slice(before).some(({ road }) => road === 'heartbeat'))
    await from.swarm.send(to.swarm.host, [bytesOf('one')])
    const request = { target: to.swarm.host, nonce: bytesOf('7'), relays: [], isGenuine: () => true }
    expect(textOf((await from.swarm.probe(request, AbortSignal.timeout(15_000))).frame)).toContain('answers 7')
    const flow: string[] = []
    for await (const frame of from.swarm.catchUp(to.swarm.host, bytesOf('a b'), AbortSignal.timeout(15_000)))
      flow.push(textOf(frame))
    expect(flow).toEqual(['a', 'b'])
  }
}

/** What gossipsub shows to libp2p only. */
interface Stopping {
  stop(): Promise<void>
}

type Supervised = Awaited<ReturnType<typeof supervised>>

describe('a swarm whose libp2p node breaks from within', () => {
  it.each<[string, (bob: Supervised) => unknown, string]>([
    ['the node stops', ({ nodes }) => nodes.at(-1)?.stop(), 'its libp2p node has stopped'],
    ['its socket closes', ({ port }) => closeListener(port), 'it no longer listens on /ip4/127.0.0.1/tcp/'],
    [
      'gossip ends',
      ({ nodes }) => nodes.slice(-1).map(({ services }) => (services.gossip as unknown as Stopping).stop())[0],
      'gossip has stopped',
    ],
  ])('%s: it is started anew, and hears its peers again, twice', async (_what, breakIt, reason) => {
    const ann = host('ann')
    await ann.swarm.start()
    const bob = await supervised('bob')
    bob.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }])
    ann.swarm.setPeerBook([{ host: bob.swarm.host, addresses: bob.swarm.addresses() }])
    await hearEachOther(ann, bob)
    expect(bob.swarm.health()).toBeNull()
    for (let turn = 1; turn <= 2; turn += 1) {
      await breakIt(bob)
      await until('it runs again', () => bob.lines.filter((line) => line === 'part runs again').length === turn)
      await hearEachOther(ann, bob)
      expect(bob.swarm.health()).toBeNull()
    }
    expect(bob.lines[0]).toContain(`part failed, it is started again: ${reason}`)
    expect(bob.nodes).toHaveLength(3)
    const [there, here] = [ann.swarm.host, bob.swarm.host]
    // The core heard of each loss and each return, once.
    expect(bob.changes).toEqual([`up ${there}`, `down ${there}`, `up ${there}`, `down ${there}`, `up ${there}`])
    expect(ann.changes).toEqual([`up ${here}`, `down ${here}`, `up ${here}`, `down ${here}`, `up ${here}`])
  })

  it('whose port was taken meanwhile is tried again until it is free, and says so', async () => {
    const ann = host('ann')
    await ann.swarm.start()
    const bob = await supervised('bob')
    bob.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }])
    await hearEachOther(ann, bob)
    const thief = createServer()
    servers.push(thief)
    closeListener(bob.port)
    await listen(thief, bob.port)
    const reason = `swarm.listen: /ip4/127.0.0.1/tcp/${bob.port} is in use by another program`
    await until('it was tried twice', () => bob.lines.filter((line) => line.endsWith(reason)).length === 2)
    expect(bob.supervisor.broken()).toMatchObject([{ name: 'swarm', reason }])
    await new Promise((resolve) => thief.close(resolve))
    await until('it runs again', () => bob.lines.at(-1) === 'part runs again')
    expect(bob.supervisor.broken()).toEqual([])
    await hearEachOther(ann, bob)
  })

  it('leaves nothing behind: no timer, no socket', async () => {
    const handles = (): number =>
      process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Immediate/.test(name)).length
    const ann = host('ann')
    await ann.swarm.start()
    const before = handles()
    const bob = await supervised('bob')
    bob.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }])
    await hearEachOther(ann, bob)
    await bob.nodes.at(-1)?.stop()
    await until('it runs again', () => bob.lines.at(-1) === 'part runs again')
    await hearEachOther(ann, bob)
    await bob.supervisor.stop()
    await until('all handles are closed', () => handles() <= before + 1)
  })
})

it('a swarm whose node hangs in its stop lets its peers go, and starts anew on its port', async () => {
  const ann = host('ann')
  await ann.swarm.start()
  const bob = await supervised('bob')
  bob.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }])
  await hearEachOther(ann, bob)
  const [node] = bob.nodes
  if (node === undefined) throw new Error('bob has a node')
  const stop = node.stop.bind(node)
  node.stop = () => new Promise(() => undefined)
  await bob.swarm.stop()
  expect(bob.changes.at(-1)).toBe(`down ${ann.swarm.host}`)
  await until('ann sees it', () => ann.swarm.peers().length === 0)
  await bob.swarm.start()
  await hearEachOther(ann, bob)
  await stop()
})
