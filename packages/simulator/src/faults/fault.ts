/**
 * What can go wrong: every fault is one struct of options and one line of a schedule.
 *
 * Hosts and recipients are numbers from 0. Times are milliseconds; a `backAfterMs` of null means that the host does not
 * come back.
 */
import type { WakuTrouble } from '../world/waku.ts'

/** What happens to a machine or its process. */
export type HostFault =
  | { readonly kind: 'power-cut'; readonly host: number; readonly backAfterMs: number | null }
  | { readonly kind: 'kill'; readonly host: number; readonly backAfterMs: number | null }
  | { readonly kind: 'mass-death'; readonly hosts: readonly number[]; readonly backAfterMs: number | null }
  /** Everything loses power. Each host returns in its own time. */
  | { readonly kind: 'blackout'; readonly backAfterMs: readonly number[] }
  /** Power goes between two effects: after `effects` more. */
  | {
      readonly kind: 'power-cut-between-effects'
      readonly host: number
      readonly effects: number
      readonly backAfterMs: number | null
    }
  /** Power goes right after its next claim has left. */
  | { readonly kind: 'power-cut-after-claim'; readonly host: number; readonly backAfterMs: number | null }
  /** The same, for whoever claims next. */
  | { readonly kind: 'notifier-dies'; readonly backAfterMs: number | null }
  | { readonly kind: 'stop'; readonly host: number; readonly backAfterMs: number | null }
  /** A clean stop and a start, as of an upgrade. */
  | { readonly kind: 'restart'; readonly host: number; readonly backAfterMs: number }
  /** A clean stop of all at once. Each host starts again in its own time. */
  | { readonly kind: 'restart-of-all'; readonly backAfterMs: readonly number[] }
  | { readonly kind: 'leave'; readonly host: number; readonly backAfterMs: number | null }
  | { readonly kind: 'freeze'; readonly host: number; readonly forMs: number }
  /** A process whose event loop stands still for so long, time and again, with `pauseMs` between. */
  | {
      readonly kind: 'stalls'
      readonly host: number
      readonly stallsMs: readonly number[]
      readonly pauseMs: number
    }
  | { readonly kind: 'suspend'; readonly host: number; readonly forMs: number }
  | { readonly kind: 'wall-jump'; readonly host: number; readonly byMs: number }
  /** Old records are played again, some aside and some for real. */
  | { readonly kind: 'replay'; readonly host: number; readonly times: number }

/** What happens to what a host keeps. Each takes a power cut and a return with it. */
export type DiskFault =
  /** It returns on a full disk and goes on in memory; that is lost at its next stop, from which it returns with room. */
  | { readonly kind: 'disk-full'; readonly host: number; readonly backAfterMs: number; readonly againAfterMs: number }
  /** It returns with an empty data folder. */
  | { readonly kind: 'data-deleted'; readonly host: number; readonly backAfterMs: number }
  /** A copy is made now; after `afterMs` its power goes, and it returns with the copy. */
  | { readonly kind: 'data-restored'; readonly host: number; readonly afterMs: number; readonly backAfterMs: number }

/** What happens between hosts, on Waku, and to recipients. */
export type NetworkFault =
  | { readonly kind: 'partition'; readonly side: readonly number[]; readonly forMs: number }
  | { readonly kind: 'one-way-cut'; readonly from: number; readonly to: number; readonly forMs: number }
  | { readonly kind: 'link-cut'; readonly a: number; readonly b: number; readonly forMs: number }
  /** All that one host sends or is sent takes so much longer. */
  | { readonly kind: 'slow-link'; readonly host: number; readonly byMs: number; readonly forMs: number }
  /** All links of a host; with or without its road to Waku, and with or without its knowing it (its route is gone). */
  | {
      readonly kind: 'isolation'
      readonly host: number
      readonly forMs: number
      readonly waku: boolean
      readonly route: boolean
    }
  | { readonly kind: 'loss'; readonly share: number; readonly forMs: number }
  | { readonly kind: 'delay-spikes'; readonly spikeMs: number; readonly forMs: number }
  | { readonly kind: 'duplication'; readonly share: number; readonly forMs: number }
  | { readonly kind: 'reordering'; readonly withinMs: number; readonly forMs: number }
  | {
      readonly kind: 'waku-outage'
      readonly hosts: readonly number[]
      readonly trouble: WakuTrouble
      readonly forMs: number
    }
  | { readonly kind: 'recipient-offline'; readonly recipient: number; readonly forMs: number }

/** What a person does. `by` is the host on which it is typed. */
export type PersonAct =
  | { readonly kind: 'maintenance'; readonly by: number; readonly host: number; readonly forMs: number }
  /** Of a host with all that is on it, or of one of its checks. */
  | {
      readonly kind: 'silence'
      readonly by: number
      readonly host: number
      readonly check: string | null
      readonly forMs: number
    }
  /** Of everything that is open on the first recipient's device. */
  | { readonly kind: 'ack'; readonly by: number }

/** One fault. */
export type Fault = HostFault | DiskFault | NetworkFault | PersonAct

/** The kinds of faults, for counting. `lost-writes` and `clock-skew` are of a host's making. */
export const FAULT_KINDS = [
  'power-cut',
  'kill',
  'mass-death',
  'blackout',
  'power-cut-between-effects',
  'power-cut-after-claim',
  'notifier-dies',
  'stop',
  'restart',
  'restart-of-all',
  'leave',
  'maintenance',
  'silence',
  'ack',
  'freeze',
  'stalls',
  'suspend',
  'partition',
  'one-way-cut',
  'link-cut',
  'slow-link',
  'isolation',
  'loss',
  'delay-spikes',
  'duplication',
  'reordering',
  'wall-jump',
  'waku-outage',
  'recipient-offline',
  'replay',
  'disk-full',
  'data-deleted',
  'data-restored',
] as const satisfies readonly Fault['kind'][]

/** One line of a schedule. */
export interface Line {
  readonly atMs: number
  readonly fault: Fault
}
