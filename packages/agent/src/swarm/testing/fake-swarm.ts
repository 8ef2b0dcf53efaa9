/**
 * A swarm in memory, for tests of the agent: same interface, no sockets, no keys of libp2p, and a network whose cables
 * can be pulled.
 */
import type { HostId } from '@muster/protocol'
import type { DialReport } from '../dial-report.ts'
import { explainDialError } from '../dial-report.ts'
import { hostIdOfSeed } from '../host-id.ts'
import { FRAME_BYTES_MAX } from '../limits.ts'
import type { PeerBookEntry, PeerInfo, Swarm, SwarmDeps, SwarmHandlers, SwarmOptions } from '../swarm.ts'
import { SwarmError } from '../swarm.ts'

/** A network of fakes. */
export interface FakeNetwork {
  /** Makes a swarm that lives in this network. */
  create(options: SwarmOptions, handlers: SwarmHandlers, deps: SwarmDeps): Swarm
  /** Pulls the cable between two hosts, as seen by both. */
  cut(a: HostId, b: HostId): void
  /** Puts it back; they dial each other at once. */
  heal(a: HostId, b: HostId): void
}

interface FakeHost {
  readonly host: HostId
  readonly options: SwarmOptions
  readonly handlers: SwarmHandlers
  readonly clock: SwarmDeps['clock']
  readonly links: Map<HostId, number>
  readonly reports: Map<string, DialReport>
  readonly heartbeats: Map<HostId, { waiting: Uint8Array | undefined }>
  book: readonly PeerBookEntry[]
  addresses: string[]
  isUp: boolean
}

/** An empty network. */
export function createFakeNetwork(): FakeNetwork {
  const hosts = new Map<HostId, FakeHost>()
  const cuts = new Set<string>()
  const dialling = new Set<string>()
  let ports = 1

  const wire = (a: HostId, b: HostId): string => [a, b].sort().join(' ')

  /** Everybody dials their book; the real one does so for ever, here each change of the network is a reason. */
  const redial = (): void => {
    for (const from of hosts.values()) {
      for (const entry of from.isUp ? from.book : []) {
        if (entry.hasLeft === true) continue
        for (const address of entry.addresses) void dial(from, address)
      }
    }
  }

  const dial = async (from: FakeHost, address: string): Promise<void> => {
    const to = [...hosts.values()].find(
      ({ isUp, addresses }) => isUp && addresses.some((own) => own.startsWith(address)),
    )
    if (to === from) return
    if (to === undefined || cuts.has(wire(from.host, to.host)))
      return report(from, address, { code: 'ECONNREFUSED' }, false)
    const pair = wire(from.host, to.host)
    if (from.links.has(to.host) || dialling.has(pair)) return
    const key = from.options.swarmKeys[0]
    if (!to.options.swarmKeys.some((known) => key !== undefined && Buffer.compare(known, key) === 0)) {
      return report(from, address, { code: 'ECONNRESET' }, true)
    }
    dialling.add(pair)
    try {
      const isIn =
        (await to.handlers.admit(from.host, from.handlers.hello())) &&
        (await from.handlers.admit(to.host, to.handlers.hello()))
      if (!isIn) return report(from, address, { code: 'not-admitted' }, true)
      if (!from.isUp || !to.isUp) return
      from.reports.delete(address)
      link(from, to)
      link(to, from)
    } finally {
      dialling.delete(pair)
    }
  }

  const report = (from: FakeHost, address: string, parts: { code: string }, answered: boolean): void => {
    const explained = explainDialError({ address, answered, error: Object.assign(new Error(parts.code), parts) })
    from.reports.set(address, { address, ...explained, tries: (from.reports.get(address)?.tries ?? 0) + 1 })
  }

  const link = (from: FakeHost, to: FakeHost): void => {
    from.links.set(to.host, from.clock.monotonicMs())
    from.handlers.onPeer(to.host, 'up')
  }

  const unlink = (a: FakeHost, b: FakeHost): void => {
    if (a.links.delete(b.host)) a.handlers.onPeer(b.host, 'down')
    if (b.links.delete(a.host)) b.handlers.onPeer(a.host, 'down')
  }

  const linked = (from: FakeHost, to: HostId): FakeHost => {
    const other = from.links.has(to) ? hosts.get(to) : undefined
    if (other === undefined) throw new SwarmError('not-connected', `${to} is not connected`)
    return other
  }

  /** Floods along the links: each host judges a frame once, and passes on what it accepts. */
  const flood = async (via: FakeHost, frame: Uint8Array, seen: Set<HostId>): Promise<void> => {
    seen.add(via.host)
    const next = [...via.links.keys()].filter((host) => !seen.has(host))
    for (const host of next) seen.add(host)
    await Promise.all(
      next.map(async (host) => {
        const to = linked(via, host)
        if ((await to.handlers.onFrame(via.host, frame, 'gossip')) === 'accept') await flood(to, frame, seen)
      }),
    )
  }

  const beat = async (from: FakeHost, to: HostId, queue: { waiting: Uint8Array | undefined }): Promise<void> => {
    while (queue.waiting !== undefined) {
      const frame = queue.waiting
      queue.waiting = undefined
      await Promise.resolve()
      if (from.links.has(to)) await linked(from, to).handlers.onFrame(from.host, frame, 'heartbeat')
    }
    from.heartbeats.delete(to)
  }

  const create = (options: SwarmOptions, handlers: SwarmHandlers, { clock }: SwarmDeps): Swarm => {
    const self: FakeHost = {
      host: hostIdOfSeed(options.privateKey),
      options,
      handlers,
      clock,
      links: new Map(),
      reports: new Map(),
      heartbeats: new Map(),
      book: [],
      addresses: [],
      isUp: false,
    }
    return {
      host: self.host,
      async start() {
        if (self.isUp) return
        self.addresses = options.listen.map((address) => `${fixPort(address, () => ports++)}/p2p/${self.host}`)
        self.isUp = true
        hosts.set(self.host, self)
        redial()
      },
      async stop() {
        self.isUp = false
        for (const other of [...self.links.keys()]) unlink(self, linked(self, other))
        self.addresses = []
      },
      health: () => null,
      addresses: () => [...self.addresses],
      peers: (): PeerInfo[] =>
        [...self.links].map(([host, sinceMs]) => ({
          host,
          address: hosts.get(host)?.addresses[0] ?? '',
          via: 'direct',
          sinceMs: clock.monotonicMs() - sinceMs,
        })),
      setPeerBook(entries) {
        self.book = entries
        self.reports.clear()
        redial()
      },
      redialNow: redial,
      dialReports: () => [...self.reports.values()],
      async gossip(frame) {
        if (!self.isUp) throw new SwarmError('not-started', 'the swarm is not started')
        await flood(self, checked(frame), new Set())
      },
      sendHeartbeat(to, frame) {
        for (const host of to) {
          if (!self.links.has(host)) continue
          const queue = self.heartbeats.get(host)
          if (queue !== undefined) queue.waiting = checked(frame)
          else {
            const fresh = { waiting: checked(frame) }
            self.heartbeats.set(host, fresh)
            void beat(self, host, fresh)
          }
        }
      },
      async send(to, frames) {
        const other = linked(self, to)
        for (const frame of frames) checked(frame)
        for (const frame of frames) await other.handlers.onFrame(self.host, frame, 'direct')
      },
      async probe({ target, nonce, relays, isGenuine }, signal) {
        const ask = async (via: HostId | 'direct'): Promise<{ frame: Uint8Array; via: HostId | 'direct' }> => {
          const asker = via === 'direct' ? self : linked(self, via)
          const frame = await linked(asker, target).handlers.onProbe(asker.host, nonce)
          if (!(await isGenuine(frame))) throw new SwarmError('no-answer', 'not genuine')
          return { frame, via }
        }
        const aborted = Promise.withResolvers<never>()
        signal.addEventListener('abort', () => aborted.reject(signal.reason))
        if (signal.aborted) aborted.reject(signal.reason)
        const asked = [ask('direct'), ...relays.map((relay) => ask(relay))]
        return Promise.race([Promise.any(asked), aborted.promise]).catch((error: unknown) => {
          throw new SwarmError('no-answer', `no answer from ${target}`, { cause: error })
        })
      },
      async *catchUp(peer, request, signal) {
        const other = linked(self, peer)
        for await (const frame of other.handlers.onCatchUp(self.host, checked(request), signal)) {
          signal.throwIfAborted()
          linked(self, peer)
          yield frame
        }
      },
    }
  }

  return {
    create,
    cut(a, b) {
      cuts.add(wire(a, b))
      const [first, second] = [hosts.get(a), hosts.get(b)]
      if (first !== undefined && second !== undefined) unlink(first, second)
    },
    heal(a, b) {
      cuts.delete(wire(a, b))
      redial()
    },
  }
}

function fixPort(address: string, next: () => number): string {
  return address.replace(/\/tcp\/0(?=\/|$)/, () => `/tcp/${next()}`)
}

function checked(frame: Uint8Array): Uint8Array {
  if (frame.byteLength > 0 && frame.byteLength <= FRAME_BYTES_MAX) return frame
  throw new SwarmError('too-large', `a frame has 1 to ${FRAME_BYTES_MAX} bytes, this has ${frame.byteLength}`)
}
