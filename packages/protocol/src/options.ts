/** What a core is told once, when it is made. */

import type { Carried } from './effect.ts'
import type { HostId, MeshId } from './ids.ts'
import type { Incident } from './incidents/incident.ts'
import type { LogHead, SignedAs } from './wire/records.ts'

/** A host's presence class and habits, as its `muster.yaml` says. Milliseconds. */
export interface Presence {
  readonly everyMs: number
  readonly graceMs: number
  readonly sleeps: boolean
  readonly restartMs: number
}

/** The rules that a simulation may switch off, to show that its checkers notice. */
export const RULES = ['own-gap', 'isolation', 'corroboration', 'claim', 'merged-log', 'persisted-incarnation'] as const
/** One of these rules. */
export type Rule = (typeof RULES)[number]

/** Who this host is and what it has promised, fixed for the life of a core. Times are milliseconds. */
export interface CoreOptions {
  readonly mesh: MeshId
  readonly self: HostId
  readonly name: string
  readonly presence: Presence
  /** How often an unanswered incident is told again. */
  readonly remindMs: number
  /** The greatest time between two ticks that the shell promises. */
  readonly tickMs: number
  /** Seeds the generator in the state: any whole number below 2^32. */
  readonly seed: number
  /** Switched off rules. Empty outside a simulation. */
  readonly without: readonly Rule[]
}

/** What the shell read from its disk before the start. */
export interface Restored {
  /** Already raised by one and fsynced. */
  readonly incarnation: number
  /** Heads of all logs held, this host's own included. */
  readonly heads: Readonly<Record<HostId, LogHead>>
  /**
   * The newest entries of each host that together hold the newest result of each of its checks, oldest first, with the
   * time since they were stored.
   */
  readonly entries: readonly { readonly record: SignedAs<'entry'>; readonly ageMs: number }[]
  /** The mergeable records, with the time since they were stored. */
  readonly carried: readonly Carried[]
  /** Incidents as last kept (effect `incident`): the open ones, and those that ended within the last 48 h. */
  readonly incidents: readonly Incident[]
}
