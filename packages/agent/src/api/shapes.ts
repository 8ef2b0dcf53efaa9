/**
 * The JSON of the local API: what `GET /api/v1/…` answers. `docs/api.md` tells the same for people.
 *
 * Times ending in `UnixMs` are this host's wall clock, only to be shown; ages and durations are milliseconds.
 */
import type {
  Fault,
  HostId,
  IncidentId,
  MemberState,
  RecipientId,
  Severity,
  Status,
  Transition,
} from '@muster/protocol'

/** How this host hears another: straight, through a third (the link between them is down), or not at all. */
export type HostReach = 'direct' | 'relayed' | 'none'

/** One mark of a heartbeat bar: here, warning or late, critical, no answer, unknown, asleep. */
export type Mark = 'o' | 'w' | 'c' | '_' | '?' | 'z'

/** One check of one host. */
export interface CheckView {
  readonly host: HostId
  readonly hostName: string
  readonly name: string
  readonly kind: string
  /** `unknown` while the host is missing. */
  readonly status: Status
  /** What it was when the host was last heard; only while the host is missing. */
  readonly was?: Status
  readonly text: string
  /** The condition with the numbers in place. */
  readonly because: string
  readonly values: Readonly<Record<string, number | string | boolean>>
  readonly everyMs: number
  readonly graceMs: number
  /** When its host made the result, by that host's clock. Null before the first. */
  readonly atUnixMs: number | null
}

/** One host, as this one sees it. */
export interface HostView {
  readonly id: HostId
  readonly name: string
  /** The name as it is shown: with a short id where another host bears it too. */
  readonly label: string
  readonly state: MemberState
  /** It said that it was stopping and has not been missed yet. */
  readonly stopping: boolean
  readonly isSelf: boolean
  readonly reach: HostReach
  /** Since the newest heartbeat; 0 for this host itself, null when none was ever heard. */
  readonly ageMs: number | null
  readonly lastHeardUnixMs: number | null
  readonly sleeps: boolean
  readonly inMaintenance: boolean
  readonly everyMs: number
  readonly graceMs: number
  readonly addresses: readonly string[]
  readonly checks: readonly CheckView[]
  /** One mark per 20 s, oldest first, as this agent saw it since it started; at most 40. */
  readonly recent: readonly Mark[]
}

/** How far one notice got, by what every host knows of it. */
export interface ToldView {
  readonly recipient: RecipientId
  readonly recipientName: string
  readonly transition: Transition
  /** The furthest step: claimed and released are tries, `accepted` a node took it, `delivered` the device said so. */
  readonly step: 'claim' | 'release' | 'accepted' | 'stored' | 'delivered'
  /** The host that told it, or that tries. */
  readonly by: string
  /** When this host learnt of the step; null when that was before its agent started. */
  readonly atUnixMs: number | null
}

/** One incident, open or ended. */
export interface IncidentView {
  readonly id: IncidentId
  readonly aliases: readonly IncidentId[]
  /** The shortest start of the id, of at least four digits, that names only this incident. */
  readonly shortId: string
  readonly host: HostId
  readonly hostName: string
  /** Empty for the host itself. */
  readonly check: string
  readonly fault: Fault
  readonly severity: Severity
  readonly state: 'firing' | 'resolved'
  /** When the host was last heard, or its check last said ok. */
  readonly sinceUnixMs: number
  /** Null while it is open, and where nothing here tells when one that was missed ended. */
  readonly resolvedUnixMs: number | null
  /** 0 where the end is not known. */
  readonly lastedMs: number
  readonly voters: readonly string[]
  readonly observers: number
  readonly because: string
  readonly outages: number
  /** Checks of the host, unknown while it is missing. */
  readonly alsoOn: readonly string[]
  readonly told: readonly ToldView[]
  readonly acknowledged: { readonly by: string; readonly atUnixMs: number } | null
  readonly silenced: boolean
  /** The silence that keeps it quiet for longest, and the host at which it was asked for; null while there is none. */
  readonly silence: { readonly by: string; readonly untilUnixMs: number } | null
  readonly inMaintenance: boolean
  /** A check of a host that is itself missing: part of that host's incident. */
  readonly folded: boolean
  /** This host had no part in it, being away or cut off: it learnt from the records of others that it was, and is over. */
  readonly missed: boolean
}

/** One device that is told. */
export interface RecipientView {
  readonly id: RecipientId
  readonly name: string
  /** secp256k1, hex. */
  readonly publicKey: string
  readonly addedUnixMs: number
}

/** `GET /api/v1/status`: the whole mesh in one answer. */
export interface StatusView {
  readonly host: HostId
  readonly name: string
  readonly mesh: string
  readonly version: string
  readonly startedUnixMs: number
  readonly nowUnixMs: number
  /** False while anything fires that is neither silenced nor in maintenance. */
  readonly well: boolean
  /** One sentence for a person. */
  readonly headline: string
  /** This host hears nobody, and therefore accuses nobody. */
  readonly isolated: boolean
  /** This host judges nobody yet: it has just started, or was not awake. */
  readonly quiet: boolean
  readonly hosts: readonly HostView[]
  /** The open ones, worst first. */
  readonly incidents: readonly IncidentView[]
  readonly recipients: readonly RecipientView[]
  readonly addresses: readonly string[]
  readonly wakuAddresses: readonly string[]
  readonly waku: {
    readonly serving: boolean
    readonly peers: number
    readonly subscribers: number
    readonly works: boolean
  }
  /** Null while the disk takes what this host is to keep; else since when it does not, why, and whether that waits in memory. */
  readonly store: { readonly sinceUnixMs: number; readonly reason: string; readonly inMemory: boolean } | null
  /** Parts of the agent (`swarm`, `waku`, `api`, `checks`) that do not run just now and are being restarted. */
  readonly brokenParts: readonly { readonly name: string; readonly reason: string; readonly sinceUnixMs: number }[]
  /** Addresses that do not answer, and what would leave a recipient unreachable: one line each. */
  readonly troubles: readonly string[]
  readonly warnings: readonly string[]
}

/** One result out of a host's signed log. */
export interface HistoryResultView {
  readonly check: string
  readonly kind: string
  readonly status: Status
  readonly text: string
  readonly because: string
  readonly values: Readonly<Record<string, number | string | boolean>>
  readonly durationMs: number
  readonly atUnixMs: number
}

/** One entry of a host's signed log. */
export interface HistoryEntryView {
  readonly host: HostId
  readonly hostName: string
  readonly cid: string
  readonly incarnation: number
  readonly seq: number
  readonly atUnixMs: number
  readonly results: readonly HistoryResultView[]
  readonly retired: readonly string[]
}

/** `GET /api/v1/history`. */
export interface HistoryView {
  /** Newest first. */
  readonly entries: readonly HistoryEntryView[]
  /** Open and ended ones of the hosts asked for, newest first. */
  readonly incidents: readonly IncidentView[]
  /** More entries matched than were asked for. */
  readonly truncated: boolean
}

/** A pairing that was started: what to show to the device. */
export interface PairingView {
  readonly id: string
  readonly link: string
  readonly expiresUnixMs: number
  readonly warnings: readonly string[]
}

/** How a pairing stands. */
export type PairingStateView =
  | { readonly state: 'waiting' }
  | { readonly state: 'paired'; readonly name: string }
  | { readonly state: 'failed'; readonly why: string }

/** The body of every answer that is not 2xx. */
export interface ErrorView {
  readonly error: { readonly code: string; readonly message: string }
}
