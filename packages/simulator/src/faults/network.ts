/** Faults between hosts, of Waku and of recipients. */
import type { WakuTrouble } from '../world/waku.ts'
import type { World } from '../world/world.ts'
import type { NetworkFault } from './fault.ts'
import { idOf, type Scene, seconds } from './scene.ts'

/** Lets a fault of the network, of Waku or of a recipient happen now. */
export function harmNetwork({ world, say, during, nameOf }: Scene, fault: NetworkFault): void {
  const cutDuring = (pairs: readonly Pair[], forMs: number): void =>
    during(
      forMs,
      () => cut(world, pairs, 1),
      () => cut(world, pairs, -1),
    )
  switch (fault.kind) {
    case 'partition': {
      const others = world.hosts.map((_, index) => index).filter((index) => !fault.side.includes(index))
      say(fault.side, `are cut off from the others for ${seconds(fault.forMs)}`)
      return cutDuring(
        fault.side.flatMap((a) => others.flatMap((b) => bothWays(a, b))),
        fault.forMs,
      )
    }
    case 'one-way-cut':
      say([fault.from], `reaches ${nameOf(fault.to)} no longer, for ${seconds(fault.forMs)}`)
      return cutDuring([[fault.from, fault.to]], fault.forMs)
    case 'link-cut':
      say([fault.a], `its link to ${nameOf(fault.b)} is cut for ${seconds(fault.forMs)}`)
      return cutDuring(bothWays(fault.a, fault.b), fault.forMs)
    case 'slow-link':
      say([fault.host], `its link is ${seconds(fault.byMs)} slower for ${seconds(fault.forMs)}`)
      return during(
        fault.forMs,
        () => slow(world, fault.host, fault.byMs),
        () => slow(world, fault.host, -fault.byMs),
      )
    case 'isolation': {
      const { host, waku, route } = fault
      const others = world.hosts.map((_, index) => index).filter((index) => index !== host)
      const pairs = others.flatMap((other) => bothWays(host, other))
      const set = (by: 1 | -1): void => {
        cut(world, pairs, by)
        if (waku) trouble(world, [host], 'down', by)
        if (route) world.hosts[host]?.deliver((at) => ({ kind: 'route', at, up: by === -1 }))
      }
      say(
        [host],
        `its links are cut for ${seconds(fault.forMs)}${waku ? ', Waku too' : ''}${route ? ', its route is gone' : ''}`,
      )
      return during(
        fault.forMs,
        () => set(1),
        () => set(-1),
      )
    }
    case 'loss':
      say([], `${Math.round(fault.share * 100)} % of all messages are lost for ${seconds(fault.forMs)}`)
      return noise(world, { ...SILENT, loss: fault.share }, (begin, end) => during(fault.forMs, begin, end))
    case 'delay-spikes':
      say([], `some messages take up to ${fault.spikeMs} ms longer for ${seconds(fault.forMs)}`)
      return noise(world, { ...SILENT, spikeMs: fault.spikeMs }, (begin, end) => during(fault.forMs, begin, end))
    case 'duplication':
      say([], `${Math.round(fault.share * 100)} % of all messages arrive twice for ${seconds(fault.forMs)}`)
      return noise(world, { ...SILENT, duplication: fault.share }, (begin, end) => during(fault.forMs, begin, end))
    case 'reordering':
      say([], `messages overtake each other within ${fault.withinMs} ms for ${seconds(fault.forMs)}`)
      return noise(world, { ...SILENT, reorderMs: fault.withinMs }, (begin, end) => during(fault.forMs, begin, end))
    case 'waku-outage':
      say(fault.hosts, `their Waku is ${fault.trouble} for ${seconds(fault.forMs)}`)
      return during(
        fault.forMs,
        () => trouble(world, fault.hosts, fault.trouble, 1),
        () => trouble(world, fault.hosts, fault.trouble, -1),
      )
    case 'recipient-offline': {
      const recipient = world.recipients[fault.recipient]
      if (recipient === undefined) return
      say([], `${recipient.name} is offline for ${seconds(fault.forMs)}`)
      const set = (online: boolean): void => {
        recipient.online = online
        world.state({ kind: 'online', atMs: world.now(), recipient: recipient.id, online })
        if (online) for (const arrive of recipient.waiting.splice(0)) arrive()
      }
      return during(
        fault.forMs,
        () => set(false),
        () => set(true),
      )
    }
    default:
      return fault satisfies never
  }
}

type Pair = readonly [from: number, to: number]

function bothWays(a: number, b: number): readonly Pair[] {
  return [
    [a, b],
    [b, a],
  ]
}

const SILENT = { loss: 0, duplication: 0, spikeMs: 0, reorderMs: 0 }

function noise(world: World, made: typeof SILENT, during: (begin: () => void, end: () => void) => void): void {
  const tell = (): void => world.state({ kind: 'noise', atMs: world.now(), noisy: world.network.isNoisy() })
  during(
    () => {
      world.network.addNoise(made)
      tell()
    },
    () => {
      world.network.removeNoise(made)
      tell()
    },
  )
}

function cut(world: World, pairs: readonly Pair[], by: 1 | -1): void {
  for (const [from, to] of pairs) {
    if (!world.network.cut(from, to, by)) continue
    const [fromId] = idOf(world, from)
    const [toId] = idOf(world, to)
    if (fromId === undefined || toId === undefined) continue
    world.state({ kind: 'link', atMs: world.now(), from: fromId, to: toId, up: by === -1 })
    if (by === 1) world.connections.linkLost(from, to)
    else world.connections.dial(from, to)
  }
}

function slow(world: World, index: number, byMs: number): void {
  for (const host of idOf(world, index)) {
    world.network.slow(index, byMs)
    world.state({ kind: 'slow', atMs: world.now(), host, byMs })
  }
}

function trouble(world: World, hosts: readonly number[], kind: WakuTrouble, by: 1 | -1): void {
  for (const index of hosts) {
    const [host] = idOf(world, index)
    if (host === undefined) continue
    world.waku.trouble(index, kind, by)
    const [works, lies] = [world.waku.works(index), world.waku.lies(index)]
    world.state({ kind: 'waku', atMs: world.now(), host, works, lies })
  }
}
