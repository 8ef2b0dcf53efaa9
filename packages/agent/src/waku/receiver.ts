/**
 * The receiving side, on the stock Waku client: what `muster listen` and a bridge stand on.
 *
 * It is connected to one node at a time. When that node dies it moves to the next one, with a fresh client, and asks
 * the new node's store for what it missed; while it is connected it asks again now and then, because a node may drop
 * what it should push. Each message is handed on once.
 */
import { setMaxListeners } from 'node:events'
import { multiaddr } from '@multiformats/multiaddr'
import { RECEIVER_HASHES_MAX, RECEIVER_NODES_MAX } from './limits.ts'
import { reasonOf, sleep, type WakuClock, WakuError, type WakuLog } from './ports.ts'
import { openSession, type Session, type SessionMessage } from './session.ts'

/** A message that opened. */
export interface ReceivedPayload {
  /** The content, without seal and padding. */
  readonly payload: Uint8Array
  /** Who signed the envelope: 65 bytes; answers are sealed to this key. `undefined` when unsigned. */
  readonly signaturePublicKey?: Uint8Array
  readonly contentTopic: string
  /** Message hash, lower-case hex. */
  readonly hash: string
  /** The sender's clock, milliseconds since 1970. */
  readonly timestampMs: number
  /** Pushed while we listened, or found in a node's store. */
  readonly from: 'live' | 'store'
}

/** What a receiver is told. */
export interface ReceiverOptions {
  /** The device's secp256k1 key, 32 bytes. */
  readonly privateKey: Uint8Array
  /** Multiaddrs of service nodes; those without WebSocket are of no use to the stock client and are left out. */
  readonly nodes: readonly string[]
  /** The topics to listen to at a moment of the wall clock; asked again as time passes. */
  readonly contentTopics: (unixMs: number) => readonly string[]
  /** Each message once, in the order of arrival. */
  readonly onPayload: (payload: ReceivedPayload) => void
  /** Told of each change: connected to this node, or to none. */
  readonly onNode?: (node: string | undefined) => void
}

/** What a receiver needs. */
export interface ReceiverDeps {
  readonly clock: WakuClock
  readonly log: WakuLog
  /** Jitter, in [0, 1). */
  readonly random?: () => number
}

/** A receiver. It runs from its making until `stop`. */
export interface Receiver {
  stop(): Promise<void>
  /** The address of the node that it is connected to, or `undefined`. */
  node(): string | undefined
  /** Node addresses, in the order in which they are tried. */
  nodes(): readonly string[]
  /** Learns addresses; known and useless ones are left out. */
  addNodes(multiaddrs: readonly string[]): void
  /** Moves on from a node that hangs, or ends the pause between two tries. */
  reconnect(): void
  /** Sends a sealed answer; waits for a node to take it until the signal ends. */
  sendReply(
    reply: { readonly contentTopic: string; readonly payload: Uint8Array; readonly timestampMs: number },
    signal: AbortSignal,
  ): Promise<{ readonly accepted: boolean }>
  /** How many distinct messages on its topics the node's store holds that satisfy this. Throws a `WakuError`, `unreachable`. */
  copies(isCounted: (payload: ReceivedPayload) => boolean, signal: AbortSignal): Promise<number>
  /** The payloads on any topic that the node's store holds, sealed as they are: the oldest, a page at most. Throws a `WakuError`, `unreachable`, or what broke the query. */
  held(contentTopic: string, signal: AbortSignal): Promise<readonly Uint8Array[]>
}

/** Pause after all nodes failed, in milliseconds: doubling, jittered. */
const RETRY_MIN_MS = 250
const RETRY_MAX_MS = 5_000
/** Pause between two looks into the store, and how far back they go by the sender's clock. */
const LOOK_EVERY_MS = 60_000
const LOOK_BACK_MS = 15 * 60_000

/** Starts a receiver. */
export function createReceiver(options: ReceiverOptions, deps: ReceiverDeps): Receiver {
  return new MovingReceiver(options, deps)
}

class MovingReceiver implements Receiver {
  readonly #options: ReceiverOptions
  readonly #deps: ReceiverDeps
  readonly #stopping = new AbortController()
  readonly #seen = new Set<string>()
  readonly #running: Promise<void>
  #nodes: string[] = []
  #session: Session | undefined
  #wake = new AbortController()

  constructor(options: ReceiverOptions, deps: ReceiverDeps) {
    this.#options = options
    this.#deps = deps
    setMaxListeners(0, this.#stopping.signal)
    this.addNodes(options.nodes)
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the receiver stops'))
    await this.#running
  }

  node(): string | undefined {
    return this.#session?.node
  }

  nodes(): readonly string[] {
    return [...this.#nodes]
  }

  addNodes(multiaddrs: readonly string[]): void {
    const fresh = multiaddrs.filter((text) => isWebSocket(text) && !this.#nodes.includes(text))
    this.#nodes = [...this.#nodes, ...new Set(fresh)].slice(0, RECEIVER_NODES_MAX)
    if (fresh.length > 0 && this.#session === undefined) this.#wakeUp()
  }

  reconnect(): void {
    this.#session?.end('asked to reconnect')
    this.#wakeUp()
  }

  async sendReply(
    reply: { contentTopic: string; payload: Uint8Array; timestampMs: number },
    signal: AbortSignal,
  ): Promise<{ accepted: boolean }> {
    const until = AbortSignal.any([signal, this.#stopping.signal])
    while (!until.aborted) {
      const isTaken = await this.#session?.push(reply, until).catch(() => false)
      if (isTaken === true) return { accepted: true }
      await sleep(200, until).catch(() => undefined)
    }
    return { accepted: false }
  }

  async copies(isCounted: (payload: ReceivedPayload) => boolean, signal: AbortSignal): Promise<number> {
    const session = this.#session
    if (session === undefined) throw new WakuError('unreachable', 'not connected to a Waku node')
    const hashes = new Set<string>()
    const limited = AbortSignal.any([signal, this.#stopping.signal])
    await session.look(
      { onMessage: (message) => isCounted(toPayload(message, 'store')) && hashes.add(message.hash) },
      limited,
    )
    return hashes.size
  }

  async held(contentTopic: string, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    if (this.#session === undefined) throw new WakuError('unreachable', 'not connected to a Waku node')
    return await this.#session.held(contentTopic, AbortSignal.any([signal, this.#stopping.signal]))
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    let node: string | undefined
    let failures = 0
    while (!signal.aborted) {
      // The one after the last: a node that has just died is tried again only when the others have been.
      node = this.#nodes[(this.#nodes.indexOf(node ?? '') + 1) % Math.max(1, this.#nodes.length)]
      if (node !== undefined && (await this.#stay(node))) failures = 0
      else failures += 1
      if (failures > 0 && failures % Math.max(1, this.#nodes.length) === 0) await this.#pause(failures)
    }
  }

  /** Connects and stays until the connection ends; false when it never came about. */
  async #stay(node: string): Promise<boolean> {
    const { clock, log } = this.#deps
    const { signal } = this.#stopping
    let session: Session
    try {
      session = await openSession({
        node,
        privateKey: this.#options.privateKey,
        contentTopics: this.#options.contentTopics(clock.unixMs()),
        onMessage: (message) => this.#deliver(message, 'live'),
        signal,
      })
    } catch (cause) {
      log.debug('a Waku node cannot be used', { node, reason: reasonOf(cause) })
      return false
    }
    this.#session = session
    this.#options.onNode?.(node)
    log.info('receiving from a Waku node', { node })
    const watching = this.#watch(session)
    const reason = await session.ended
    this.#session = undefined
    log.info('the connection to a Waku node ended', { node, reason })
    if (!signal.aborted) this.#options.onNode?.(undefined)
    // The next node is not kept waiting while the old client winds up.
    const windingUp = Promise.all([watching, session.close()]).catch((cause: unknown) =>
      log.debug('winding up a Waku client failed', { reason: reasonOf(cause) }),
    )
    if (signal.aborted) await windingUp
    return true
  }

  /** Looks into the store at once and now and then, and follows the change of topics. */
  async #watch(session: Session): Promise<void> {
    const { clock, log } = this.#deps
    const onMessage = (message: SessionMessage): void => this.#deliver(message, 'store')
    let isCaughtUp = false
    while (!session.signal.aborted) {
      try {
        await session.listenTo(this.#options.contentTopics(clock.unixMs()))
        const since = isCaughtUp ? { sinceUnixMs: clock.unixMs() - LOOK_BACK_MS } : {}
        await session.look({ onMessage, ...since }, session.signal)
        isCaughtUp = true
      } catch (cause) {
        if (!session.signal.aborted) log.debug('a look into the store failed', { reason: reasonOf(cause) })
      }
      await sleep(isCaughtUp ? LOOK_EVERY_MS : RETRY_MAX_MS, session.signal).catch(() => undefined)
    }
  }

  #deliver(message: SessionMessage, from: 'live' | 'store'): void {
    if (this.#stopping.signal.aborted || this.#seen.has(message.hash)) return
    this.#seen.add(message.hash)
    for (const oldest of this.#seen) {
      if (this.#seen.size <= RECEIVER_HASHES_MAX) break
      this.#seen.delete(oldest)
    }
    try {
      this.#options.onPayload(toPayload(message, from))
    } catch (cause) {
      this.#deps.log.warn('a received message could not be handled', { reason: reasonOf(cause) })
    }
  }

  async #pause(failures: number): Promise<void> {
    this.#wake = new AbortController()
    const longestMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failures, 10))
    const delayMs = longestMs * (0.5 + (this.#deps.random ?? Math.random)() / 2)
    await sleep(delayMs, AbortSignal.any([this.#wake.signal, this.#stopping.signal])).catch(() => undefined)
  }

  #wakeUp(): void {
    this.#wake.abort(new Error('woken'))
  }
}

function toPayload(message: SessionMessage, from: 'live' | 'store'): ReceivedPayload {
  return { ...message, from }
}

function isWebSocket(text: string): boolean {
  try {
    const names = multiaddr(text)
      .getComponents()
      .map((component) => component.name)
    return names.includes('ws') || names.includes('wss')
  } catch {
    return false
  }
}
