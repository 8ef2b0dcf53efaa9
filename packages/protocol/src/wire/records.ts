/**
 * What members say to each other: the bodies of the signed records, one type each.
 *
 * A body never holds `undefined`: absent is `null`, so that every body has one canonical encoding.
 * Its signer is the envelope's `signer`; bodies repeat no name that the envelope already states.
 */
import type { CheckName, HostId, IncidentId, RecipientId } from '../ids.ts'
import type { HeartbeatPromise, Judgement, Status } from '../observation.ts'
import type { UnixMs } from '../time.ts'
import type { Signed } from './envelope.ts'

/**
 * One life of a host. `incarnation` rises by one at every start of its agent and is on disk before it is used;
 * `epoch` rises when the host learns that a verdict named its current life. Lives order lexicographically.
 */
export interface Life {
  readonly incarnation: number
  readonly epoch: number
}

/** The newest entry of a host's log: its place and its CID. */
export interface LogHead {
  readonly incarnation: number
  readonly seq: number
  readonly cid: string
}

/** "Here": a host's answer to the roll. Only the newest counts; nobody keeps the old ones. */
export interface Heartbeat {
  readonly life: Life
  /** Counts up through an incarnation, across epochs. (incarnation, beat) orders the heartbeats of a host. */
  readonly beat: number
  /** The presence class: the next heartbeat is due after `everyMs`, at most `graceMs` late. */
  readonly everyMs: number
  readonly graceMs: number
  /** A laptop: its silence is sleep, recorded and not told. */
  readonly sleeps: boolean
  /** `stopping`: the agent was told to stop and means to be back within `restartMs`. */
  readonly mode: 'up' | 'stopping'
  readonly restartMs: number
  readonly head: LogHead | null
  /** Who is to watch this host, in order. Only they vote. */
  readonly observers: readonly HostId[]
  /** Milliseconds since this host's Waku last worked (another node or a device accepted); null when it never did. */
  readonly wakuAgeMs: number | null
  /** A hash over the mergeable sets that this host holds: a peer whose own differs starts a catch-up. */
  readonly sets: string
  /** The nonce of the probe that this heartbeat answers. */
  readonly nonce: string | null
}

/** "I have not heard that host, and it did not answer my probe." */
export interface Vote {
  readonly subject: HostId
  /** The newest life and beat of the subject that the voter knows; beat 0 when it never heard one. */
  readonly life: Life
  readonly beat: number
  /** How long ago the voter heard that beat, on its awake clock. */
  readonly ageMs: number
  /** Counts the voter's rounds in this suspicion, so that no two votes are the same bytes. */
  readonly round: number
  readonly evidence: Signed<Heartbeat> | null
}

/** Why a host is missing. */
export type AbsenceFault = 'silent' | 'asleep' | 'stopped'

/** "That life of that host has ended, for us." The signer counts as one of the voters. */
export interface Verdict {
  readonly subject: HostId
  readonly life: Life
  readonly beat: number
  readonly ageMs: number
  readonly fault: AbsenceFault
  /** How many observers could have voted, the signer included when it observes. */
  readonly observers: number
  /** The votes of others that it stands on. */
  readonly votes: readonly Signed<Vote>[]
  /** The fallback of one observer: never adopted by another. */
  readonly alone: boolean
  readonly evidence: Signed<Heartbeat> | null
  /** Wall time at the signer when it last heard the subject. Only shown. */
  readonly heardUnixMs: UnixMs
  /** How many outages of the subject the signer has counted within the flapping window, this one included. */
  readonly outages: number
}

/** What one check said, as its own host judged it. */
export interface Result {
  readonly check: CheckName
  readonly kind: string
  /** After `after`, `recover` and `for` were counted. */
  readonly status: Status
  /** Of this one run; null when no run ended and the status is `late`. */
  readonly judgement: Judgement | null
  /** Rises by one each time the check leaves `ok`; names its incident. */
  readonly episode: number
  readonly values: Readonly<Record<string, number | string | boolean>>
  readonly text: string
  /** The condition with the numbers in place. Empty when there is nothing to explain. */
  readonly because: string
  readonly durationMs: number
  readonly everyMs: number
  readonly graceMs: number
  readonly heartbeat: HeartbeatPromise
  readonly atUnixMs: UnixMs
}

/** One tick's results of one host: the unit of its signed log. */
export interface Entry {
  readonly life: Life
  /** Counts from 1 in each incarnation, across epochs. */
  readonly seq: number
  /** CID of the canonical body of the entry before, across incarnations; null for a host's very first. */
  readonly previous: string | null
  readonly atUnixMs: UnixMs
  readonly results: readonly Result[]
  /** Checks that are no longer watched: their results and incidents end here. */
  readonly retired: readonly CheckName[]
}

/** What a notice tells of an incident. Reminders are numbered: each is a notice of its own. */
export type Transition = 'fired' | 'worse' | 'resolved' | `reminder-${number}`

/** One line of the notice log, which merges like a set: who took, gave back or did a duty. */
export interface NoticeRecord {
  readonly step: 'claim' | 'release' | 'accepted' | 'stored' | 'delivered'
  readonly incidents: readonly IncidentId[]
  readonly transition: Transition
  readonly recipient: RecipientId
  /** Distinguishes the attempts of one signer. */
  readonly attempt: number
}

/** What people asked of the mesh, known to every agent, merged like a set. */
export type MeshRecord =
  | {
      readonly kind: 'member'
      readonly name: string
      readonly addresses: readonly string[]
      /** Where its Waku service node listens. */
      readonly wakuAddresses: readonly string[]
      readonly everyMs: number
      readonly graceMs: number
      readonly sleeps: boolean
      /** Envelope bytes of the mesh's certificate for the signer. */
      readonly certificate: Uint8Array
      /** Rises with each change; the highest of a signer wins. */
      readonly serial: number
    }
  | { readonly kind: 'leave'; readonly life: Life }
  | { readonly kind: 'recipient'; readonly name: string; readonly publicKey: Uint8Array; readonly atUnixMs: UnixMs }
  /** Names the id of the `recipient` record that it takes back, so that the same key can be added anew. */
  | { readonly kind: 'recipient-removed'; readonly record: string; readonly atUnixMs: UnixMs }
  | { readonly kind: 'ack'; readonly incident: IncidentId; readonly by: string; readonly atUnixMs: UnixMs }
  | { readonly kind: 'silence'; readonly matcher: string; readonly forMs: number; readonly atUnixMs: UnixMs }
  | { readonly kind: 'maintenance'; readonly host: HostId; readonly forMs: number; readonly atUnixMs: UnixMs }

/** Every kind of record by the domain that is signed with it. */
export interface Bodies {
  readonly heartbeat: Heartbeat
  readonly vote: Vote
  readonly verdict: Verdict
  readonly entry: Entry
  readonly notice: NoticeRecord
  readonly record: MeshRecord
}

/**
 * The name of a kind of record. It is signed with the body, so that no record can be passed off as one of another
 * kind.
 */
export type Domain = keyof Bodies

/** A signed record of domain `D`. */
export type SignedAs<D extends Domain> = D extends Domain ? Signed<Bodies[D]> & { readonly domain: D } : never

/** Any signed record that members exchange. */
export type AnySigned = SignedAs<Domain>
