/** What a recipient is told: the body that is signed by the teller, sealed and sent. Only shown values inside. */
import type { CheckName, HostId, IncidentId, MeshId } from '../ids.ts'
import type { Fault, Severity } from '../incidents/incident.ts'
import type { UnixMs } from '../time.ts'
import type { Transition } from '../wire/records.ts'

/** One incident as a notice tells it. */
export interface ToldIncident {
  readonly id: IncidentId
  readonly aliases: readonly IncidentId[]
  readonly host: HostId
  readonly hostName: string
  readonly check: CheckName
  readonly fault: Fault
  readonly severity: Severity
  readonly sinceUnixMs: UnixMs
  /** How long it had lasted when the notice was written, milliseconds. */
  readonly lastedMs: number
  /** Names of those who agree, out of `observers`. */
  readonly voters: readonly string[]
  readonly observers: number
  /** Names of the host's checks, now unknown. Empty for a check. */
  readonly alsoOn: readonly CheckName[]
  readonly because: string
}

/**
 * One message to one recipient: the same transition of one or more incidents, in the order in which they are told. Each
 * teller writes its own, so two notices of one duty may differ in their words and times.
 */
export interface Notice {
  readonly mesh: MeshId
  readonly transition: Transition
  readonly incidents: readonly ToldIncident[]
  /** Set when more than half of the mesh vanished at once. */
  readonly massDeath: boolean
  /** The name of the host that tells. */
  readonly toldBy: string
  readonly writtenUnixMs: UnixMs
}
