/**
 * What can go wrong: every fault is one struct of options and one line of a schedule.
 *
 * Hosts and recipients are numbers from 0. A fault that lasts ends by itself; `healMs` bounds them all, so that
 * the end of a run is calm.
 */
import type { HostId } from '@muster/protocol'
import type { WakuTrouble } from './world/waku.ts'
import type { World } from './world/world.ts'

/** One fault. `backAfterMs` null: it does not come back. */
export type Fault =
  | { readonly kind: 'power-cut'; readonly host: number; readonly backAfterMs: number | null }
  | { readonly kind: 'kill'; readonly host: number; readonly backAfterMs: number | null }
  | { readonly kind: 'mass-death'; readonly hosts: readonly number[]; readonly backAfterMs: number | null }
  /** Power goes between two effects: after `effects` more. */
  | {
      readonly kind: 'power-cut-between-effects'
      readonly host: number
      readonly effects: number
      readonly backAfterMs: number | null
    }
  /** Power goes right after its next claim has left. */
  | { readonly kind: 'power-cut-after-claim'; readonly host: number; readonly backAfterMs: number | null }
  | { readonly kind: 'stop'; readonly host: number; readonly backAfterMs: number | null }
  | { readonly kind: 'leave'; readonly host: number }
  | { readonly kind: 'maintenance'; readonly by: number; readonly host: number; readonly forMs: number }
  | { readonly kind: 'freeze'; readonly host: number; readonly forMs: number }
  | { readonly kind: 'suspend'; readonly host: number; readonly forMs: number }
  | { readonly kind: 'partition'; readonly side: readonly number[]; readonly forMs: number }
  | { readonly kind: 'one-way-cut'; readonly from: number; readonly to: number; readonly forMs: number }
  | { readonly kind: 'link-cut'; readonly a: number; readonly b: number; readonly forMs: number }
  /** All links of a host; with or without its road to Waku, and with or without its knowing it (its route is gone). */
  | {
      readonly kind: 'isolation'
      readonly host: number
      readonly forMs: number
      readonly waku: boolean
      readonly route: boolean
    }
  | { readonly kind: 'loss'; readonly share: number; readonly forMs: number }
  | { readonly kind: 'delay-spikes'; readonly spikeMs: number; readonly forMs: number }
  | { readonly kind: 'duplication'; readonly share: number; readonly forMs: number }
  | { readonly kind: 'reordering'; readonly withinMs: number; readonly forMs: number }
  | { readonly kind: 'wall-jump'; readonly host: number; readonly byMs: number }
  | {
      readonly kind: 'waku-outage'
      readonly hosts: readonly number[]
      readonly trouble: WakuTrouble
      readonly forMs: number
    }
  | { readonly kind: 'recipient-offline'; readonly recipient: number; readonly forMs: number }
  /** Old records are played again, some aside and some for real. */
  | { readonly kind: 'replay'; readonly host: number; readonly times: number }

/** The kinds of faults, for counting. `lost-writes` and `clock-skew` are of a host's making. */
export const FAULT_KINDS = [
  'power-cut',
  'kill',
  'mass-death',
  'power-cut-between-effects',
  'power-cut-after-claim',
  'stop',
  'leave',
  'maintenance',
  'freeze',
  'suspend',
  'partition',
  'one-way-cut',
  'link-cut',
  'isolation',
  'loss',
  'delay-spikes',
  'duplication',
  'reordering',
  'wall-jump',
  'waku-outage',
  'recipient-offline',
  'replay',
] as const satisfies readonly Fault['kind'][]

/** One line of a schedule. */
export interface Line {
  readonly atMs: number
  readonly fault: Fault
}

/** Lets a fault happen now. Nothing of it lasts beyond `healMs`. */
export function inject(world: World, fault: Fault, healMs: number): void {
  const say = (hosts: readonly number[], text: string): void => {
    const ids = hosts.flatMap((index) => idOf(world, index))
    world.state({ kind: 'fault', atMs: world.now(), fault: fault.kind, hosts: ids, text })
  }
  /** Begins something now and ends it in time. */
  const during = (forMs: number, begin: () => void, end: () => void): void => {
    begin()
    world.after(Math.max(0, Math.min(forMs, healMs - world.now())), end)
  }
  const backLater = (index: number, backAfterMs: number | null): void => {
    if (backAfterMs !== null) world.after(backAfterMs, () => world.hosts[index]?.start())
  }

  switch (fault.kind) {
    case 'power-cut':
    case 'kill': {
      say([fault.host], `${fault.kind === 'kill' ? 'its process is killed' : 'loses power'}${back(fault.backAfterMs)}`)
      world.hosts[fault.host]?.end(fault.kind === 'kill' ? 'kill' : 'power')
      return backLater(fault.host, fault.backAfterMs)
    }
    case 'mass-death': {
      say(fault.hosts, `lose power together${back(fault.backAfterMs)}`)
      for (const host of fault.hosts) {
        world.hosts[host]?.end('power')
        backLater(host, fault.backAfterMs)
      }
      return
    }
    case 'power-cut-between-effects':
    case 'power-cut-after-claim': {
      const host = world.hosts[fault.host]
      if (host === undefined) return
      let left = fault.kind === 'power-cut-between-effects' ? fault.effects : 0
      let isArmed = true
      say(
        [fault.host],
        fault.kind === 'power-cut-after-claim'
          ? 'will lose power after a claim'
          : `will lose power after ${left} effects`,
      )
      host.crashAfter((effect) => {
        if (!isArmed) return false
        left -= 1
        const isDue =
          fault.kind === 'power-cut-between-effects'
            ? left < 0
            : effect.kind === 'gossip' && effect.record.domain === 'notice' && effect.record.body.step === 'claim'
        if (isDue) backLater(fault.host, fault.backAfterMs)
        return isDue
      })
      return during(
        healMs,
        () => undefined,
        () => {
          isArmed = false
        },
      )
    }
    case 'stop':
      say([fault.host], `is told to stop${back(fault.backAfterMs)}`)
      world.hosts[fault.host]?.end('stop')
      return backLater(fault.host, fault.backAfterMs)
    case 'leave':
      say([fault.host], 'leaves the mesh')
      return world.hosts[fault.host]?.end('leave')
    case 'maintenance': {
      const host = world.hosts[fault.host]?.setup.id
      if (host === undefined) return
      say([fault.by], `announces maintenance of ${world.hosts[fault.host]?.setup.name} for ${seconds(fault.forMs)}`)
      world.hosts[fault.by]?.deliver((at) => ({
        kind: 'command',
        at,
        command: {
          kind: 'publish',
          record: { kind: 'maintenance', host, forMs: fault.forMs, atUnixMs: at.unixMs },
        },
      }))
      return
    }
    case 'freeze':
    case 'suspend': {
      const host = world.hosts[fault.host]
      if (host === undefined) return
      say(
        [fault.host],
        `${fault.kind === 'freeze' ? 'its process is stopped' : 'is suspended'} for ${seconds(fault.forMs)}`,
      )
      return during(fault.forMs, fault.kind === 'freeze' ? host.freeze : host.suspend, host.resume)
    }
    case 'partition': {
      const others = world.hosts.map((_, index) => index).filter((index) => !fault.side.includes(index))
      const pairs = fault.side.flatMap((a) => others.flatMap((b) => [[a, b] as const, [b, a] as const]))
      say(fault.side, `are cut off from the others for ${seconds(fault.forMs)}`)
      return during(
        fault.forMs,
        () => cut(world, pairs, 1),
        () => cut(world, pairs, -1),
      )
    }
    case 'one-way-cut': {
      const pairs = [[fault.from, fault.to]] as const
      say([fault.from], `reaches ${world.hosts[fault.to]?.setup.name} no longer, for ${seconds(fault.forMs)}`)
      return during(
        fault.forMs,
        () => cut(world, pairs, 1),
        () => cut(world, pairs, -1),
      )
    }
    case 'link-cut': {
      const pairs = [
        [fault.a, fault.b],
        [fault.b, fault.a],
      ] as const
      say([fault.a], `its link to ${world.hosts[fault.b]?.setup.name} is cut for ${seconds(fault.forMs)}`)
      return during(
        fault.forMs,
        () => cut(world, pairs, 1),
        () => cut(world, pairs, -1),
      )
    }
    case 'isolation': {
      const { host, waku, route } = fault
      const others = world.hosts.map((_, index) => index).filter((index) => index !== host)
      const pairs = others.flatMap((other) => [[host, other] as const, [other, host] as const])
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
    case 'wall-jump':
      say([fault.host], 'its wall clock jumps')
      return world.hosts[fault.host]?.jumpWall(fault.byMs)
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
    case 'replay':
      say([fault.host], `hears ${fault.times} old records again`)
      for (let time = 0; time < fault.times; time += 1) {
        world.after(time * 700, () => world.hosts[fault.host]?.replay(time % 2 === 1))
      }
      return
  }
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

function cut(world: World, pairs: readonly (readonly [number, number])[], by: 1 | -1): void {
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

function trouble(world: World, hosts: readonly number[], kind: WakuTrouble, by: 1 | -1): void {
  for (const index of hosts) {
    const [host] = idOf(world, index)
    if (host === undefined) continue
    world.waku.trouble(index, kind, by)
    const [works, lies] = [world.waku.works(index), world.waku.lies(index)]
    world.state({ kind: 'waku', atMs: world.now(), host, works, lies })
  }
}

function idOf(world: World, index: number): HostId[] {
  const host = world.hosts[index]
  return host === undefined ? [] : [host.setup.id]
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}

function back(afterMs: number | null): string {
  return afterMs === null ? ' for good' : ` for ${seconds(afterMs)}`
}
