/**
 * Everything that one host's core knows. A value: `step` makes the next one and leaves this one as it was.
 */
import type { HostId, IncidentId, RecipientId } from './ids.ts'
import type { Incident } from './incidents/incident.ts'
import type { CheckSpec } from './observation.ts'
import type { CoreOptions } from './options.ts'
import type { Prng } from './prng.ts'
import type { Moment } from './time.ts'
import type {
  AnySigned,
  Life,
  LogHead,
  MeshRecord,
  NoticeRecord,
  Result,
  SignedAs,
  Transition,
} from './wire/records.ts'

/** What this agent believes about a peer. */
export type MemberState = 'alive' | 'suspect' | 'silent' | 'asleep' | 'left' | 'revoked'

/** A vote as held: when it was heard, on the awake clock. */
export interface HeldVote {
  readonly record: SignedAs<'vote'>
  readonly atMs: number
}

/** One suspicion of one life: from the first doubt until evidence or a verdict ends it. */
export interface Suspicion {
  /** The probe under way. */
  readonly probe: { readonly nonce: string; readonly sentAtMs: number } | null
  readonly nextProbeAtMs: number
  /** Probes that failed in a row. */
  readonly failures: number
  /** Votes that this host has cast, and when the first. */
  readonly round: number
  readonly castAtMs: number | null
  readonly votes: ReadonlyMap<HostId, HeldVote>
}

/** What this host knows of one other host. Kept however long that has been silent. */
export interface Member {
  readonly host: HostId
  readonly state: MemberState
  readonly profile: Extract<MeshRecord, { kind: 'member' }> | null
  /** The newest heartbeat known, straight or relayed. */
  readonly heartbeat: SignedAs<'heartbeat'> | null
  /** When it was received (by this host, or by the relay), or when the watch began. Awake clock. */
  readonly heardAtMs: number
  /** Wall time of the same. Only shown. */
  readonly heardUnixMs: number
  /** Whether the newest heartbeat came straight from the host. A relayed one means that the link between us is down. */
  readonly direct: boolean
  /** When any authenticated frame came from this peer. Awake clock. */
  readonly frameAtMs: number
  /** Since when it has been in this state. Awake clock. */
  readonly stateAtMs: number
  /** The newest life known from any evidence, also from that of others. */
  readonly life: Life
  readonly suspicion: Suspicion | null
  /** The newest verdict that this host stands by. */
  readonly verdict: SignedAs<'verdict'> | null
  /** Verdicts of others that wait to be adopted or refuted. */
  readonly offered: readonly SignedAs<'verdict'>[]
  /** Who doubted this host lately: they are sent what is heard of it. */
  readonly doubters: ReadonlyMap<HostId, number>
}

/** A mergeable record as held. */
export interface HeldRecord {
  readonly record: AnySigned
  /** When it was made, as well as it is known, on the elapsed clock (which goes on in suspend). */
  readonly bornAtMs: number
  /** When this host learnt it, awake clock. */
  readonly learntAtMs: number
}

/** A result that promises the next one `always`: when it was made (elapsed clock), and where in its host's log it is. */
export interface HeldPromise {
  readonly madeAtMs: number
  readonly incarnation: number
  readonly seq: number
}

/** One of this host's own checks, counted. */
export interface OwnCheck {
  readonly spec: CheckSpec
  readonly result: Result | null
  readonly badRuns: number
  readonly goodRuns: number
  /** Awake clock: since when it has been bad without a break. */
  readonly badSinceMs: number | null
  /** When it last reported, on the clock of its promise: awake, or elapsed when it holds `always`. */
  readonly reportedAtMs: number | null
  readonly keptAtMs: number
}

/** What the notice log says of one duty, by one peer's attempt. */
export interface NoticeFact {
  readonly transition: Transition
  readonly recipient: RecipientId
  readonly peer: HostId
  readonly attempt: number
  readonly step: NoticeRecord['step']
  /** When this host learnt it, awake clock. */
  readonly atMs: number
}

/** A notice that is due, as this host sees it. */
export interface Duty {
  readonly incident: IncidentId
  readonly transition: Transition
  readonly recipient: RecipientId
  /** Since when it has been due. Awake clock. */
  readonly sinceMs: number
}

/** A recipient's answer as it was heard. */
export interface HeardAnswer {
  readonly incidents: readonly IncidentId[]
  readonly transition: Transition
  readonly recipient: RecipientId
}

/** An attempt of this host at one or more duties of one recipient and transition. */
export interface Attempt {
  readonly attempt: number
  readonly transition: Transition
  readonly recipient: RecipientId
  readonly incidents: readonly IncidentId[]
  readonly claimedAtMs: number
  readonly departed: boolean
}

/** A time in which this host judges nobody. */
export interface Quiet {
  readonly untilMs: number
  readonly sinceMs: number
  /** Catch-up rounds still to end, and whether one is under way. */
  readonly rounds: number
  readonly inRound: boolean
}

/**
 * The moment of the newest event, and two sums that a jump of the wall clock cannot touch. Milliseconds. "Awake clock"
 * and "elapsed clock" mean these two.
 */
export interface Clock extends Moment {
  /** The sum of the monotonic clock's steps, each at most two ticks. Deadlines count on it. */
  readonly awakeMs: number
  /** Time since the start, suspend included. Ends of silences count on it. */
  readonly elapsedMs: number
}

/**
 * One host's core between two events. Never written to: `step` returns another. Times are on the awake clock unless
 * their words say otherwise.
 */
export interface State {
  readonly options: CoreOptions
  readonly clock: Clock
  readonly prng: Prng
  readonly life: Life
  readonly beat: number
  readonly nextBeatAtMs: number
  readonly lastBeatAtMs: number
  readonly stopping: boolean
  readonly lastWakuAtMs: number | null
  /** Sends that Waku refused in a row, and until when this host claims nothing because of it. Awake clock. */
  readonly wakuRefusals: number
  readonly wakuRestsUntilMs: number
  readonly routeUp: boolean
  readonly members: ReadonlyMap<HostId, Member>
  /** This host and the members that take part, in the order of their ids. */
  readonly roster: readonly HostId[]
  readonly connected: ReadonlySet<HostId>
  readonly quiet: Quiet | null
  /** Since when this host has heard nobody; null while it hears somebody. */
  readonly isolatedSinceMs: number | null
  readonly isolated: boolean
  readonly checks: ReadonlyMap<string, OwnCheck>
  /** Results that wait for the next entry, and since when. */
  readonly gathered: readonly Result[]
  readonly gatheredSinceMs: number
  /** Until then nothing is added to this host's own log: peers may hold more of it than its disk. Awake clock. */
  readonly writesFromMs: number
  /** How often this host has gone on above a life that its disk did not know, since a moment on the awake clock. */
  readonly raises: { readonly sinceMs: number; readonly count: number }
  /** Names of checks taken out of the configuration, to be told with the next entry. */
  readonly retired: readonly string[]
  /** Newest entry held of each host. */
  readonly heads: ReadonlyMap<HostId, LogHead>
  /** Newest result of each host and check. */
  readonly results: ReadonlyMap<HostId, ReadonlyMap<string, Result>>
  /** The results that promise their next `always`, by `host/check`. */
  readonly promises: ReadonlyMap<string, HeldPromise>
  readonly records: ReadonlyMap<string, HeldRecord>
  /** XOR of the record ids' leading words: equal sets, equal text. */
  readonly sets: readonly [number, number]
  readonly incidents: ReadonlyMap<IncidentId, Incident>
  /** What the notice log says, by incident id. */
  readonly facts: ReadonlyMap<IncidentId, readonly NoticeFact[]>
  /** Ended incidents of which there is nothing more to tell anybody. */
  readonly settled: ReadonlyMap<IncidentId, true>
  readonly duties: ReadonlyMap<string, Duty>
  readonly attempts: ReadonlyMap<number, Attempt>
  /** Answers heard of notices that others sent, until they are written down. Awake clock. */
  readonly answers: ReadonlyMap<string, HeardAnswer & { readonly heardAtMs: number }>
  readonly nextAttempt: number
  /** Catch-ups under way, by peer, and when the last with each was started. */
  readonly catchUps: ReadonlyMap<HostId, number>
  readonly caughtUpAtMs: ReadonlyMap<HostId, number>
  readonly nextRoundAtMs: number
  /** When old records and incidents are next looked for. */
  readonly nextTidyAtMs: number
  /** The next moment at which a tick has anything to do. Awake clock. */
  readonly dueAtMs: number
}
