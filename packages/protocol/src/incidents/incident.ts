/** An open problem of a host or of one of its checks, with an id that every honest peer computes alike. */
import type { CheckName, HostId, IncidentId } from '../ids.ts'
import type { UnixMs } from '../time.ts'
import type { Life } from '../wire/records.ts'

/** Why there is an incident. `silent`, `stopped`, `asleep`, `isolated` and `flapping` are of a host; `check` is of a check. */
export type Fault = 'silent' | 'stopped' | 'asleep' | 'isolated' | 'flapping' | 'check'

/**
 * What an ended incident says, in place of a reason, when its host's goodbye closed it: nobody knows it to be well. It
 * travels as such in notices: part of the wire format.
 */
export const CLOSED_BY_LEAVE = 'closed, for its host has left the mesh'

/** `unknown` heads a verdict by one observer and a check that could not tell. */
export type Severity = 'warning' | 'critical' | 'unknown'

/**
 * One trouble as this peer knows it, from the conclusion that there is one until it is forgotten. Honest peers agree
 * on its id; their times differ a little, for each counts on its own clocks.
 */
export interface Incident {
  readonly id: IncidentId
  /** Other ids of the same trouble, from lives learnt later. Sorted. */
  readonly aliases: readonly IncidentId[]
  readonly host: HostId
  /** Empty for the host itself. */
  readonly check: CheckName
  readonly fault: Fault
  readonly severity: Severity
  readonly state: 'firing' | 'resolved'
  /** Of a host incident: the life that ended. Of a check incident: null. */
  readonly life: Life | null
  /** Of a check incident: its episode. Of a host incident: 0. */
  readonly episode: number
  /** On this peer's awake clock: when it concluded, and when it saw the end (null while firing). */
  readonly openedAtMs: number
  /** When the host was last heard, or the check left `ok`, as well as this peer knows: from here its length is counted. */
  readonly sinceAtMs: number
  readonly resolvedAtMs: number | null
  /** When a warning became critical within its episode; null when it has not. */
  readonly worsenedAtMs: number | null
  /** Shown only: when the host was last heard, or the check last ok; and when it came back. */
  readonly sinceUnixMs: UnixMs
  readonly resolvedUnixMs: UnixMs | null
  /** Who voted, out of how many that could have. */
  readonly voters: readonly HostId[]
  readonly observers: number
  /** What a check said: the condition with its numbers. Empty for a host. */
  readonly because: string
  /** Outages of the host counted in the flapping window when it opened or was last renamed. 0 for a check. */
  readonly outages: number
}
