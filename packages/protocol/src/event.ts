/**
 * What can happen to the core. Every event carries the moment at which its shell met it.
 *
 * Whatever came from a peer has been parsed, its signature (and those of the records inside it) verified and its
 * signer's certificate checked before it becomes an event: the core reasons about facts only.
 */
import type { HostId, IncidentId, RecipientId } from './ids.ts'
import type { CheckSpec, Judgement, Observation } from './observation.ts'
import type { Moment } from './time.ts'
import type { AnySigned, LogHead, MeshRecord, SignedAs, Transition } from './wire/records.ts'

/** How a record reached this host. */
export type Road = 'direct' | 'gossip' | 'catch-up'

/** One ended run of one of this host's own checks. */
export interface Observed {
  readonly check: string
  readonly observation: Observation
  readonly judgement: Judgement
  readonly because: string
}

/** What a host tells a peer that it holds, so that the peer can answer with what is missing. */
export interface Digest {
  /** The newest entry held of each host. */
  readonly heads: Readonly<Record<HostId, LogHead>>
  /** The ids (`recordIdOf`) of the mergeable records held. */
  readonly records: readonly string[]
}

/** Something that the user asked of this host, through its CLI or API. */
export type Command =
  | { readonly kind: 'publish'; readonly record: MeshRecord }
  | { readonly kind: 'stop' }
  | { readonly kind: 'leave' }

/**
 * One thing that happened, and when. `ask` numbers a peer's question, so that its answer finds the way back; `attempt`
 * numbers one try of this host at telling a recipient.
 */
export type Event = { readonly at: Moment } & (
  | { readonly kind: 'tick' }
  /**
   * A record arrived from `from` (who is not always its signer). `ageMs` is how long ago the sender itself received it:
   * 0 for its own records.
   */
  | {
      readonly kind: 'received'
      readonly from: HostId
      readonly record: AnySigned
      readonly ageMs: number
      readonly road: Road
    }
  /** A peer's connection came up or went down. A hint, never evidence. */
  | { readonly kind: 'connected'; readonly peer: HostId }
  | { readonly kind: 'disconnected'; readonly peer: HostId }
  /** A probe that the core started has ended: with the fresh heartbeat, or with nothing. `direct`: not through a relay. */
  | {
      readonly kind: 'probe-ended'
      readonly target: HostId
      readonly nonce: string
      readonly answer: SignedAs<'heartbeat'> | null
      readonly direct: boolean
    }
  /** A peer probes this host: answer `ask` with a fresh heartbeat. */
  | { readonly kind: 'probed'; readonly from: HostId; readonly ask: number; readonly nonce: string }
  /** A peer wants what it lacks. */
  | { readonly kind: 'catch-up-asked'; readonly from: HostId; readonly ask: number; readonly digest: Digest }
  /** A catch-up that the core started has ended; everything it brought has been received. */
  | { readonly kind: 'catch-up-ended'; readonly peer: HostId; readonly ok: boolean }
  | { readonly kind: 'observed'; readonly results: readonly Observed[] }
  /** The checks that this host now has, and how much of their periods was already spent, as last kept by `keep-check-time`. */
  | {
      readonly kind: 'configured'
      readonly checks: readonly CheckSpec[]
      readonly spentMs: Readonly<Record<string, number>>
    }
  /** The shell is about to hand the bytes of `attempt` to Waku: may it? Answered by `depart` or `abandon`. */
  | { readonly kind: 'departing'; readonly attempt: number }
  /** How far an attempt of this host got. `refused`: nobody took it. */
  | {
      readonly kind: 'sent'
      readonly attempt: number
      readonly outcome: 'accepted' | 'stored' | 'refused'
    }
  /** The recipient's own signed answer was heard (by this host) for a notice. */
  | {
      readonly kind: 'delivered'
      readonly incidents: readonly IncidentId[]
      readonly transition: Transition
      readonly recipient: RecipientId
    }
  /** This host's Waku worked just now: another node or a device accepted something. */
  | { readonly kind: 'waku-worked' }
  /** Whether this host has a non-loopback route, where its mesh is not on loopback. */
  | { readonly kind: 'route'; readonly up: boolean }
  | { readonly kind: 'command'; readonly command: Command }
)
