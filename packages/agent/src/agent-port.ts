/**
 * What a running agent offers to its own front ends: the local HTTP API, and through it the command line.
 *
 * A small door on purpose. Views are computed from the core's state by pure functions in `api/`; whatever changes the
 * mesh goes through the core as a command.
 */
import type { CheckDefinition } from '@muster/checks'
import type { Command, HostId, Incident, Life, SignedAs, State, UnixMs } from '@muster/protocol'

/** One entry of the history, newest first unless asked otherwise. */
export interface HistoryEntry {
  readonly host: HostId
  readonly cid: string
  readonly entry: SignedAs<'entry'>
}

/** Which entries are wanted. */
export interface HistoryQuery {
  readonly host?: HostId
  readonly check?: string
  /** Wall time, milliseconds since 1970: only entries made at or after it. */
  readonly sinceUnixMs?: number
  readonly limit: number
}

/** A ping of a push check, as healthchecks.io's API has it. */
export interface Ping {
  readonly kind: 'success' | 'start' | 'fail' | 'log' | 'exit'
  readonly exitCode?: number
  /** At most 10,000 bytes are kept. */
  readonly body: string
  /** A UUID that ties a start to its end. */
  readonly runId?: string
}

/** A pairing under way: the link to show, and how it ended. */
export interface Pairing {
  readonly link: string
  readonly expiresUnixMs: number
  /** Resolves when the device has answered and is a recipient; rejects when the hour is over or the signal aborts. */
  readonly paired: Promise<{ readonly name: string }>
  /** What to warn of: e.g. that one host's death would leave the recipient unreachable, and the cure. */
  readonly warnings: readonly string[]
}

/** What happened, for listeners of the API's event stream. */
export type AgentEvent =
  | { readonly kind: 'incident'; readonly incident: Incident }
  | { readonly kind: 'state' }
  | {
      readonly kind: 'report'
      readonly level: string
      readonly phrase: string
      readonly fields: Readonly<Record<string, unknown>>
    }

/** How this host reaches others just now. */
export interface Reach {
  /** The addresses of `swarm.peers`. */
  readonly configuredPeers: readonly string[]
  readonly swarmAddresses: readonly string[]
  readonly wakuAddresses: readonly string[]
  readonly connected: readonly { readonly host: HostId; readonly address: string }[]
  /** Why configured addresses do not answer: one line each, for a person. */
  readonly troubles: readonly string[]
  readonly waku: {
    readonly serving: boolean
    readonly peers: number
    readonly subscribers: number
    readonly works: boolean
  }
  /** Since when and why the disk takes no writes, and whether what is to be kept waits in memory; null while it does. */
  readonly store: { readonly sinceUnixMs: number; readonly reason: string; readonly inMemory: boolean } | null
  /** Parts of the agent that do not run just now and are being restarted: which, why, since when. */
  readonly brokenParts: readonly { readonly name: string; readonly reason: string; readonly sinceUnixMs: number }[]
  readonly warnings: readonly string[]
}

/** A running agent, from its front ends. */
export interface AgentPort {
  readonly self: HostId
  readonly name: string
  readonly version: string
  readonly startedUnixMs: number
  /** The core's state at this moment. Read only. */
  state(): State
  checks(): readonly CheckDefinition[]
  reach(): Reach
  history(query: HistoryQuery): AsyncIterable<HistoryEntry>
  /** When a host first wrote into its log in a later life than this, by its own clock; null when no such entry is held. */
  returnOf(host: HostId, life: Life): Promise<UnixMs | null>
  /** Count and hash of all entries held of each host, up to a digest: equal on two hosts when they hold the same. */
  historyDigest(): Promise<Readonly<Record<HostId, { readonly entries: number; readonly hash: string }>>>
  command(command: Command): Promise<void>
  /** False when there is no push check of that name. */
  ping(check: string, ping: Ping): boolean
  /** Runs one check now, without gossip. Null when there is none of that name. */
  runCheck(check: string, signal: AbortSignal): Promise<unknown | null>
  pair(name: string, signal: AbortSignal): Promise<Pairing>
  addRecipient(name: string, publicKey: Uint8Array): Promise<readonly string[]>
  /** Swaps the configuration, or keeps the old one and says why in the lines it returns. */
  reload(): Promise<{ readonly ok: boolean; readonly lines: readonly string[] }>
  /** Calls back on every event until the returned function is called. */
  subscribe(listener: (event: AgentEvent) => void): () => void
}
