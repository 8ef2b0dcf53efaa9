/**
 * A Waku service node for the owner's devices.
 *
 * It serves relay, light push, filter, store and metadata to strangers, meshes with the nodes of its peers, and lets
 * the agent publish and listen. "Accepted" is never a hope: somebody else must have confirmed, a node by having the
 * message in its store, a device by answering a ping sent behind the push on the same connection.
 */
import { setMaxListeners } from 'node:events'
import type { Connection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { nodeTrouble } from '../swarm/node-health.ts'
import { stopNode } from '../swarm/stop-node.ts'
import { createConfirmer } from './confirm.ts'
import { createFilterService, type Push } from './filter.ts'
import { createHost, startHost, type WakuHost } from './host.ts'
import {
  CATCH_UP_EVERY_MS,
  PROBE_EVERY_MS,
  REQUEST_BURST,
  REQUESTS_PER_SECOND,
  STOP_MS_MAX,
  STORE_KEEP_MS,
} from './limits.ts'
import { createListeners, type ReceivedMessage } from './listeners.ts'
import { type Message, type MessageFields, makeMessage, timestampMsOf } from './message.ts'
import type { MessageStore } from './message-store.ts'
import { CLUSTER_ID, CODEC, PUBSUB_TOPIC } from './network.ts'
import { createPeerBook, type PeerBook } from './peer-book.ts'
import { askCluster, catchUp } from './peer-client.ts'
import { reasonOf, sleep, type WakuClock, WakuError, type WakuLog } from './ports.ts'
import { createRateGuard } from './rate.ts'
import { joinRelay, type Relay } from './relay.ts'
import { registerServices } from './serve.ts'

/** How a node is set up. */
export interface WakuNodeOptions {
  /** 32 secret bytes, kept by the caller: the same seed keeps the peer id, and so the addresses in links. */
  readonly seed: Uint8Array
  /** Multiaddrs to listen on, such as `/ip4/0.0.0.0/tcp/4652/ws`; empty for a node that only dials. */
  readonly listen: readonly string[]
  /** Addresses to tell besides, for a host behind a proxy or a port forward. */
  readonly announce?: readonly string[]
  /** Peers to connect to from the start; `setPeers` replaces them. */
  readonly peers?: readonly string[]
}

/** What a node needs. */
export interface WakuNodeDeps {
  readonly store: MessageStore
  readonly clock: WakuClock
  readonly log: WakuLog
  /** Jitter, in [0, 1). */
  readonly random?: () => number
}

/** What became of a message that the agent published. */
export type PublishOutcome =
  | {
      readonly accepted: true
      /** Other nodes and devices that confirmed. */
      readonly by: number
      /** Nodes of our list, among them, whose store says that it holds the message. */
      readonly stored: number
      readonly hash: string
    }
  | { readonly accepted: false; readonly reason: 'stopped' | 'too-large' | 'nobody-took-it'; readonly hash?: string }

/** How the Waku side stands. */
export interface WakuStatus {
  /** When another node or device last confirmed anything, on the monotonic clock. */
  readonly workedAtMonotonicMs?: number
  /** Connected nodes that relay our topic, or take messages by light push. */
  readonly peers: number
  /** Devices with a subscription here. */
  readonly subscribers: number
}

/** A Waku node. */
export interface WakuNode {
  /** Listens and dials. Throws a `WakuError`: `port-in-use`, or `bad-address` when this host cannot listen there. */
  start(): Promise<void>
  /** Stops for good: a node that has stopped is not started again. */
  stop(): Promise<void>
  /** Aborts when it stops: what waits for something on this node waits in vain from then on. */
  readonly ended: AbortSignal
  /** Why it no longer works although it was started, in one line; null while it does. */
  health(): string | null
  /** Where it can be dialled, each with its peer id. */
  multiaddrs(): readonly string[]
  peerId(): string
  /** Replaces the peers to stay connected to. What is no address, and what is too much, is left out and logged. */
  setPeers(multiaddrs: readonly string[]): void
  /** Dials all missing peers now: after a resume. */
  redialNow(): void
  /** Content topics of this mesh: messages on them are kept before those of strangers. */
  setOwnTopics(contentTopics: readonly string[]): void
  /** Sends a message, or the same one again: equal fields are the same message. Resolves within about 3 s. */
  publish(message: MessageFields, signal: AbortSignal): Promise<PublishOutcome>
  /** Hears each new message on these topics once, whatever road it came by; ends with the function it gives. */
  subscribe(contentTopics: readonly string[], onMessage: (message: ReceivedMessage) => void): () => void
  status(): WakuStatus
}

/**
 * Makes a stopped node. Throws a `WakuError`, `bad-key` or `bad-address`. `makeHost` is for tests that break the libp2p
 * node from within.
 */
export async function createWakuNode(
  options: WakuNodeOptions,
  deps: WakuNodeDeps,
  makeHost: typeof createHost = createHost,
): Promise<WakuNode> {
  const host = await makeHost({ seed: options.seed, listen: options.listen, announce: options.announce ?? [] })
  return new ServiceNode(host, options, deps)
}

class ServiceNode implements WakuNode {
  readonly #host: WakuHost
  readonly #options: WakuNodeOptions
  readonly #deps: WakuNodeDeps
  readonly #book: PeerBook
  readonly #stopping = new AbortController()
  readonly #listeners: ReturnType<typeof createListeners>
  readonly #filter: ReturnType<typeof createFilterService>
  readonly #confirm: ReturnType<typeof createConfirmer>
  readonly #guards: Record<'stranger' | 'peer', ReturnType<typeof createRateGuard>>
  readonly #running = new Set<Promise<unknown>>()
  #ownTopics: ReadonlySet<string> = new Set()
  #relay: Relay | undefined
  #workedAtMs: number | undefined

  constructor(host: WakuHost, options: WakuNodeOptions, deps: WakuNodeDeps) {
    const { clock, log } = deps
    this.#host = host
    this.#options = options
    this.#deps = deps
    const { signal } = this.#stopping
    setMaxListeners(0, signal)
    this.#listeners = createListeners(log)
    this.#filter = createFilterService({ clock, log, signal })
    this.#guards = {
      stranger: createRateGuard({ burst: REQUEST_BURST, perSecond: REQUESTS_PER_SECOND, clock }),
      // Nodes of the list ask after each message they publish, and catch up in one go.
      peer: createRateGuard({ burst: 20 * REQUEST_BURST, perSecond: 10 * REQUESTS_PER_SECOND, clock }),
    }
    this.#confirm = createConfirmer(host)
    this.#book = createPeerBook(
      {
        selfId: host.peerId.toString(),
        isConnected: (peer) => this.#connectionTo(peer) !== undefined,
        dial: async (addresses, dialSignal) => {
          const connection = await host.dial([...addresses], { signal: dialSignal })
          await this.#checkCluster(connection, dialSignal)
          return connection.remotePeer.toString()
        },
      },
      { clock, log, random: deps.random ?? Math.random },
    )
  }

  async start(): Promise<void> {
    const { clock, log, store } = this.#deps
    await registerServices(this.#host, {
      clock,
      log,
      store,
      filter: this.#filter,
      signal: this.#stopping.signal,
      isWithinRate: (peer, tokens) => this.#guards[this.#book.has(peer) ? 'peer' : 'stranger'].take(peer, tokens),
      take: async (message) => {
        const { relayed } = await this.#takeIn(message, 'light push')
        return { relayed }
      },
    })
    this.#host.addEventListener('peer:disconnect', ({ detail }) => this.#forget(detail.toString()))
    this.#host.addEventListener('peer:identify', ({ detail }) => {
      const peer = detail.peerId.toString()
      if (!this.#book.has(peer) || !detail.protocols.includes(CODEC.store)) return
      this.#run(this.#keepCaughtUp(detail.connection))
    })
    await startHost(this.#host)
    this.#relay = joinRelay(this.#host.services.pubsub, {
      clock,
      log,
      onMessage: (message) => this.#run(this.#takeIn(message, 'relay')),
      cutOff: (peer) => this.#run(this.#cutOff(peer)),
    })
    this.#book.set(this.#options.peers ?? [])
    this.#run(this.#probeForever())
    log.info('the Waku node is up', { peer: this.peerId(), addresses: this.multiaddrs().length })
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the Waku node stops, or is started anew'))
    this.#filter.stop()
    await this.#book.stop()
    const trouble = await stopNode(this.#host, STOP_MS_MAX)
    if (trouble !== null) this.#deps.log.warn('the Waku node did not stop well', { reason: trouble })
    await Promise.allSettled([...this.#running])
  }

  get ended(): AbortSignal {
    return this.#stopping.signal
  }

  health(): string | null {
    return nodeTrouble(this.#host, this.#host.services.pubsub, PUBSUB_TOPIC)
  }

  multiaddrs(): readonly string[] {
    return this.#host.getMultiaddrs().map((address) => address.toString())
  }

  peerId(): string {
    return this.#host.peerId.toString()
  }

  setPeers(multiaddrs: readonly string[]): void {
    this.#book.set(multiaddrs)
  }

  redialNow(): void {
    this.#book.redialNow()
  }

  setOwnTopics(contentTopics: readonly string[]): void {
    this.#ownTopics = new Set(contentTopics)
  }

  async publish(fields: MessageFields, signal: AbortSignal): Promise<PublishOutcome> {
    if (this.#relay === undefined || this.#stopping.signal.aborted) return { accepted: false, reason: 'stopped' }
    let message: Message
    try {
      message = makeMessage(fields)
    } catch (cause) {
      if (cause instanceof WakuError && cause.code === 'too-large') return { accepted: false, reason: 'too-large' }
      throw cause
    }
    const { pushes } = await this.#takeIn(message, 'agent')
    const { by, stored } = await this.#confirm.delivery(message, {
      peers: this.#nodeConnections().map((connection) => ({
        connection,
        isOfList: this.#book.has(connection.remotePeer.toString()),
      })),
      pushes,
      signal: AbortSignal.any([signal, this.#stopping.signal]),
    })
    if (by === 0) return { accepted: false, reason: 'nobody-took-it', hash: message.hash }
    this.#worked()
    return { accepted: true, by, stored, hash: message.hash }
  }

  subscribe(contentTopics: readonly string[], onMessage: (message: ReceivedMessage) => void): () => void {
    return this.#listeners.add(contentTopics, onMessage)
  }

  status(): WakuStatus {
    const counts = { peers: this.#nodeConnections().length, subscribers: this.#filter.subscribers().length }
    return this.#workedAtMs === undefined ? counts : { workedAtMonotonicMs: this.#workedAtMs, ...counts }
  }

  /** Takes a message in, by whatever road, and passes it on: devices first, then the relay, then the disk. */
  async #takeIn(
    message: Message,
    road: 'agent' | 'light push' | 'relay' | 'catch-up',
  ): Promise<{ pushes: readonly Push[]; relayed: number }> {
    const isAgain = this.#deps.store.has(message.hash)
    // The agent resends on purpose, when a device has not answered; all others repeat themselves by chance.
    const pushes = isAgain && road !== 'agent' ? [] : this.#filter.push(message)
    if (!isAgain) this.#listeners.tell(message)
    const isRelayed = road === 'agent' || road === 'light push'
    const handedTo = isRelayed ? ((await this.#relay?.publish(message)) ?? []) : []
    if (!message.ephemeral) {
      const nowMs = this.#deps.clock.unixMs()
      const sinceMs = road === 'catch-up' ? Math.min(nowMs, timestampMsOf(message)) : nowMs
      const isOwn =
        road === 'agent' || this.#ownTopics.has(message.contentTopic) || this.#listeners.has(message.contentTopic)
      const kept = this.#deps.store.put(message, { isOwn, untilUnixMs: sinceMs + STORE_KEEP_MS })
      // "Taken" is said to a device when the message is kept; a slow disk delays nothing else.
      if (road === 'agent' || road === 'relay') this.#run(kept)
      else await kept
    }
    return { pushes, relayed: handedTo.length }
  }

  /** Connections to nodes that take our messages: the relay's peers, and those of the list that offer light push. */
  #nodeConnections(): Connection[] {
    const peers = new Set(this.#relay?.peers() ?? [])
    const connections = new Map<string, Connection>()
    for (const connection of this.#host.getConnections()) {
      const peer = connection.remotePeer.toString()
      if (connection.status === 'open' && (peers.has(peer) || this.#book.has(peer))) connections.set(peer, connection)
    }
    return [...connections.values()]
  }

  #connectionTo(peer: string): Connection | undefined {
    return this.#host.getConnections(peerIdFromString(peer)).find((connection) => connection.status === 'open')
  }

  async #checkCluster(connection: Connection, signal: AbortSignal): Promise<void> {
    const cluster = await askCluster(connection, signal)
    if (cluster === CLUSTER_ID) return
    await connection.close({ signal })
    throw new WakuError('refused', `it is on Waku cluster ${cluster ?? 'unknown'}, ours is ${CLUSTER_ID}`)
  }

  /** Catches up at once, again when the relay has settled, and then every few minutes while the connection lasts. */
  async #keepCaughtUp(connection: Connection): Promise<void> {
    const { clock, log, store } = this.#deps
    const { signal } = this.#stopping
    for (const pauseMs of pausesOfCatchUp()) {
      await sleep(pauseMs, signal)
      if (connection.status !== 'open') return
      try {
        const taken = await catchUp(connection, {
          has: (hash) => store.has(hash),
          take: async (message) => void (await this.#takeIn(message, 'catch-up')),
          nowUnixMs: clock.unixMs(),
          signal,
        })
        this.#worked()
        if (taken > 0)
          log.info('caught up from a Waku peer', { peer: connection.remotePeer.toString(), messages: taken })
      } catch (cause) {
        log.debug('catching up failed', { peer: connection.remotePeer.toString(), reason: reasonOf(cause) })
      }
    }
  }

  /** Proves now and then that somebody is there, so that a quiet mesh still knows whether its Waku works. */
  async #probeForever(): Promise<void> {
    const { signal } = this.#stopping
    for (;;) {
      await sleep(PROBE_EVERY_MS, signal)
      const connections = [...this.#nodeConnections(), ...this.#filter.subscribers()]
      if (await this.#confirm.somebodyAnswers(connections, signal)) this.#worked()
    }
  }

  async #cutOff(peer: string): Promise<void> {
    this.#deps.log.warn('closed the connection of a Waku peer that floods', { peer })
    await this.#host.hangUp(peerIdFromString(peer), { signal: this.#stopping.signal })
  }

  #forget(peer: string): void {
    this.#filter.forget(peer)
    this.#relay?.forget(peer)
    this.#guards.stranger.forget(peer)
    this.#guards.peer.forget(peer)
    this.#book.disconnected(peer)
  }

  #worked(): void {
    this.#workedAtMs = this.#deps.clock.monotonicMs()
  }

  /** Minds a task until it ends; a task that fails is logged, and one that the stop ended is not. */
  #run(task: Promise<unknown>): void {
    const minded = task
      .catch((cause: unknown) => {
        if (!this.#stopping.signal.aborted) this.#deps.log.warn('a Waku task failed', { reason: reasonOf(cause) })
      })
      .finally(() => this.#running.delete(minded))
    this.#running.add(minded)
  }
}

function* pausesOfCatchUp(): Generator<number> {
  yield 0
  yield 3_000
  for (;;) yield CATCH_UP_EVERY_MS
}
