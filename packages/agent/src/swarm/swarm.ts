/**
 * The private swarm as the rest of the agent sees it: host ids, opaque bytes and address texts.
 *
 * Nothing of libp2p leaks through this file. `createSwarm` makes the real one and `testing/fake-swarm.ts` a fake one;
 * `testing/swarm-contract.ts` holds both to what is written here.
 */
import type { HostId } from '@muster/protocol'
import type { DialReport } from './dial-report.ts'

/** The members that we can reach, and the roads to them. */
export interface Swarm {
  /** Our own id. */
  readonly host: HostId
  /**
   * Listens, and begins to dial the peer book.
   *
   * Throws `SwarmError` `listen-failed` when no address can be listened on (a port in use); it may then be started again.
   */
  start(signal?: AbortSignal): Promise<void>
  /** Closes everything, and leaves no handle. May be started again; the peer book stays. */
  stop(): Promise<void>
  /** Why it no longer works although it was started, in one line; null while it does, and while it is stopped. */
  health(): string | null
  /** The addresses that it listens on, each ending in `/p2p/<host>`. */
  addresses(): string[]
  /** The members that are connected and admitted now. */
  peers(): PeerInfo[]
  /** Replaces what shall be dialled, for ever: from the config, and what members announced. */
  setPeerBook(entries: readonly PeerBookEntry[]): void
  /** Dials everything that is not connected at once, as after a resume. */
  redialNow(): void
  /** What is wrong with the addresses that do not answer now, for `join` and `status`. */
  dialReports(): DialReport[]
  /**
   * Sends a frame to all members, through each other. Not to those who join later.
   *
   * Throws `SwarmError` `too-large` or `not-started`.
   */
  gossip(frame: Uint8Array): Promise<void>
  /**
   * Sends a frame to these members over standing streams. Never waits: at most one frame is on its way to a member
   * and one waits, the newest. A member that is not connected is passed over.
   */
  sendHeartbeat(to: readonly HostId[], frame: Uint8Array): void
  /**
   * Sends a few frames to one member, and resolves when it has taken them all.
   *
   * Throws `SwarmError` `not-connected`, `too-large` or `timeout`.
   */
  send(to: HostId, frames: readonly Uint8Array[], signal?: AbortSignal): Promise<void>
  /**
   * Asks a host for a fresh heartbeat with this nonce: directly (dialling it when it is not connected) and through
   * these relays at the same time. The first genuine answer wins.
   *
   * Throws `SwarmError` `no-answer` when nobody brings one, or when the signal aborts.
   */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer>
  /**
   * Asks one member for a flow of frames, until it ends it. Leaving the loop ends it too.
   *
   * Throws `SwarmError` `not-connected`, or what broke the flow.
   */
  catchUp(peer: HostId, request: Uint8Array, signal: AbortSignal): AsyncIterable<Uint8Array>
}

/** What the swarm asks of the agent. A handler that throws costs the one frame and is logged. */
export interface SwarmHandlers {
  /**
   * A frame from a member. For gossip `from` is who passed it on, not who wrote it, and only `accept` passes it on
   * further, in a large swarm `keep` too; on the other roads the answer is only counted.
   */
  onFrame(from: HostId, frame: Uint8Array, road: Road): Promise<FrameVerdict>
  /** A probe for us: a signed heartbeat with this nonce. */
  onProbe(from: HostId, nonce: Uint8Array): Promise<Uint8Array>
  /** A member asks for what it lacks. */
  onCatchUp(from: HostId, request: Uint8Array, signal: AbortSignal): AsyncIterable<Uint8Array>
  /**
   * The door: may this host come in? `from` is proven by noise, the hello is what it says of itself. Until this
   * answers true, nothing else from it is read.
   */
  admit(from: HostId, hello: Uint8Array): Promise<boolean>
  /** What we say of ourselves at a door, at most 4 KiB. Asked for each connection. */
  hello(): Uint8Array
  /** A member became reachable, or its last connection closed. Never called twice with the same word. */
  onPeer(host: HostId, change: 'up' | 'down'): void
}

/** How a frame came. */
export type Road = 'gossip' | 'direct' | 'heartbeat'

/**
 * `accept`: good and new. `keep`: good, and straight from its author, who gives it to everybody where the swarm is small.
 * `ignore`: not for now. `reject`: nobody should pass this on.
 */
export type FrameVerdict = 'accept' | 'keep' | 'ignore' | 'reject'

/** A member that is connected and admitted. */
export interface PeerInfo {
  readonly host: HostId
  readonly address: string
  /** `relayed`: another member carries the connection. */
  readonly via: 'direct' | 'relayed'
  /** How long it has been connected, in milliseconds. */
  readonly sinceMs: number
}

/** Where a member may be found. An address from a config may lack the id: it is learnt on connecting. */
export interface PeerBookEntry {
  readonly host?: HostId
  readonly addresses: readonly string[]
  /**
   * It has left: it is not dialled, and where only it is known to have been, it is no news that nobody answers, also
   * where a config still names the address.
   */
  readonly hasLeft?: boolean
}

/** What a probe asks. */
export interface ProbeRequest {
  readonly target: HostId
  readonly nonce: Uint8Array
  /** Members that shall probe it for us. */
  readonly relays: readonly HostId[]
  /** Whether an answer is a heartbeat of the target with that nonce: a relay may lie. */
  readonly isGenuine: (answer: Uint8Array) => boolean | Promise<boolean>
}

/** A genuine answer to a probe. */
export interface ProbeAnswer {
  readonly frame: Uint8Array
  /** The member that passed it on, or `direct`. */
  readonly via: HostId | 'direct'
}

/** What the swarm is made of. */
export interface SwarmOptions {
  /** The host's Ed25519 seed, 32 bytes. */
  readonly privateKey: Uint8Array
  /** Swarm keys of 32 bytes: the first is used for dialling, all are accepted. */
  readonly swarmKeys: readonly Uint8Array[]
  /** Addresses to listen on, as `/ip4/0.0.0.0/tcp/4650` or `/ip4/0.0.0.0/tcp/4653/ws`, or through a relay: `…/p2p/<relay>/p2p-circuit`. */
  readonly listen: readonly string[]
  /** Addresses to name besides those listened on, as a DNS name in front of a forwarded port. */
  readonly announce?: readonly string[]
  /** Waits of the dialler, for tests. */
  readonly dialling?: Partial<DiallingOptions>
}

/** How patiently the peer book is dialled, in milliseconds. */
export interface DiallingOptions {
  /** The wait after the first failure; it doubles with each. */
  readonly backoffMinMs: number
  /** The longest wait. */
  readonly backoffMaxMs: number
  /** How much longer the host with the higher id waits, so that two do not dial at once. */
  readonly higherIdWaitsMs: number
  /** A connection that lasted this long was a good one: the next wait starts small again. */
  readonly stableMs: number
}

/** What the swarm needs of the world. */
export interface SwarmDeps {
  readonly log: SwarmLog
  readonly clock: { monotonicMs(): number }
  /** Uniform in [0, 1), for jitter. */
  readonly random: () => number
}

/** One constant phrase, variables as fields. */
export interface SwarmLog {
  debug(phrase: string, fields?: Record<string, unknown>): void
  info(phrase: string, fields?: Record<string, unknown>): void
  warn(phrase: string, fields?: Record<string, unknown>): void
}

/** Why a call to the swarm failed. */
export type SwarmErrorCode = 'not-started' | 'not-connected' | 'too-large' | 'no-answer' | 'timeout' | 'listen-failed'

/** A call to the swarm failed; the swarm goes on. */
export class SwarmError extends Error {
  override readonly name = 'SwarmError'
  /** Stable, for branches and tests. */
  readonly code: SwarmErrorCode

  constructor(code: SwarmErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
