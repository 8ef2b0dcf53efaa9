/**
 * A deterministic discrete-event world for real cores: one seed, one run.
 *
 * The world owns true time, the network, Waku and the recipients; each virtual host owns its clocks, its disk and its
 * process. All of them draw from streams of one seed, and whatever truly happens is stated as a `Happening`.
 */
import type { HostId, MeshId, Presence, RecipientId, Rule } from '@muster/protocol'
import type { Core } from '../core.ts'
import type { Happening } from '../happening.ts'
import { createPrng, type Prng } from '../prng.ts'
import { type Connections, createConnections } from './connections.ts'
import { createHost, type VirtualHost } from './host.ts'
import { createMeter, type Meter } from './meter.ts'
import { createNetwork, type Network } from './network.ts'
import { createQueue } from './queue.ts'
import { createDevice, type Device } from './recipient.ts'
import { createTicks, type Ticks } from './ticks.ts'
import type { VirtualCheck } from './virtual-check.ts'
import { createWaku, type Waku } from './waku.ts'

/** One host of a world. */
export interface HostSetup {
  readonly id: HostId
  readonly name: string
  readonly presence: Presence
  readonly tickMs: number
  /** How far its wall clock is off. */
  readonly skewMs: number
  /** Whether a power cut takes the writes that were not synced. */
  readonly losesUnsynced: boolean
  /** How long its store keeps what was logged, milliseconds. */
  readonly historyMs: number
  readonly checks: readonly VirtualCheck[]
}

/** All that a world is made of. */
export interface WorldSetup {
  readonly seed: number
  readonly mesh: MeshId
  readonly hosts: readonly HostSetup[]
  readonly recipients: number
  readonly core: Core
  readonly without: readonly Rule[]
  /** Told of everything that truly happens, in order. */
  readonly onHappening: (happening: Happening) => void
}

/** A recipient's device with its place in the network. */
export interface VirtualRecipient {
  readonly id: RecipientId
  readonly name: string
  readonly publicKey: Uint8Array
  readonly device: Device
  online: boolean
  /** What to do when it is back: notices that wait in the store. */
  readonly waiting: (() => void)[]
}

/** What the parts of a world share. */
export interface World {
  readonly setup: WorldSetup
  readonly now: () => number
  /** Runs something `delayMs` from now. */
  readonly after: (delayMs: number, run: () => void) => void
  readonly ticks: Ticks
  readonly state: (happening: Happening) => void
  readonly hosts: readonly VirtualHost[]
  readonly recipients: readonly VirtualRecipient[]
  readonly network: Network
  readonly connections: Connections
  readonly waku: Waku
  readonly meter: Meter
  readonly chance: { readonly network: Prng; readonly waku: Prng; readonly process: Prng; readonly disk: Prng }
  /** The number of a host by its id; -1 when there is none. */
  readonly indexOf: (host: HostId) => number
  /** Runs until virtual time `untilMs`. */
  readonly run: (untilMs: number) => void
  /** States what every host looks like now. */
  readonly end: () => void
}

/** How often bytes are summed up. */
const METER_MS = 10_000

/** Makes a world in which every host is off. */
export function createWorld(setup: WorldSetup): World {
  const queue = createQueue()
  let nowMs = 0
  const size = setup.hosts.length
  const ticks = createTicks(size, queue)
  const stream = (name: string): Prng => createPrng(setup.seed, name)
  const chance = { network: stream('network'), waku: stream('waku'), process: stream('process'), disk: stream('disk') }
  const numbers = new Map(setup.hosts.map((host, index) => [host.id, index]))
  const hosts: VirtualHost[] = []
  const network = createNetwork(size, chance.network)
  const world: World = {
    setup,
    now: () => nowMs,
    after: (delayMs, run) => queue.add(nowMs + delayMs, run),
    ticks,
    state: setup.onHappening,
    hosts,
    recipients: Array.from({ length: setup.recipients }, (_, index) => createRecipient(setup, index)),
    network,
    connections: createConnections({
      size,
      network,
      chance: chance.network,
      after: (delayMs, run) => queue.add(nowMs + delayMs, run),
      isRunning: (host) => hosts[host]?.mode() === 'running',
      tell: (host, peer, connected) => {
        const id = setup.hosts[peer]?.id
        if (id === undefined) return
        hosts[host]?.deliver((at) => ({ kind: connected ? 'connected' : 'disconnected', at, peer: id }))
      },
    }),
    waku: createWaku(size, chance.waku),
    meter: createMeter(size),
    chance,
    indexOf: (host) => numbers.get(host) ?? -1,
    run: (untilMs) => {
      for (;;) {
        const isTick = ticks.isFirst()
        const nextMs = isTick ? ticks.nextMs() : queue.nextMs()
        if (nextMs > untilMs) break
        nowMs = nextMs
        if (isTick) ticks.run()
        else queue.take()?.()
      }
      nowMs = untilMs
    },
    end: () => {
      setup.onHappening({ kind: 'ended', atMs: nowMs, views: hosts.map((host) => host.finalView()) })
    },
  }
  for (const [index, host] of setup.hosts.entries()) hosts.push(createHost(world, index, host))
  const sumUp = (): void => {
    for (const [index, bytes] of world.meter.drain().entries()) {
      const host = setup.hosts[index]
      if (host !== undefined && bytes > 0) setup.onHappening({ kind: 'bytes', atMs: nowMs, host: host.id, bytes })
    }
    queue.add(nowMs + METER_MS, sumUp)
  }
  queue.add(METER_MS, sumUp)
  return world
}

function createRecipient(setup: WorldSetup, index: number): VirtualRecipient {
  const publicKey = Uint8Array.from({ length: 33 }, (_, byte) => (byte * 7 + index * 31 + setup.seed) & 0xff)
  return {
    id: setup.core.recipientIdOf(publicKey),
    name: index === 0 ? 'phone' : `phone-${index + 1}`,
    publicKey,
    device: createDevice(),
    online: true,
    waiting: [],
  }
}
