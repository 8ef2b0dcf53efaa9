/** A scenario: hosts, what happens to them and when, and how long it lasts. */
import type { HostId, MeshId } from '@muster/protocol'
import type { Line } from '../faults/fault.ts'
import type { HostSetup } from '../world/world.ts'

/** All that a seed, or a name, stands for. */
export interface Scenario {
  readonly title: string
  readonly seed: number
  readonly mesh: MeshId
  readonly hosts: readonly HostSetup[]
  /** When each host first starts. */
  readonly startMs: readonly number[]
  readonly recipients: number
  readonly lines: readonly Line[]
  /** What is odd about its hosts from the start on, for the story. */
  readonly oddities: readonly Oddity[]
  /** From here on everything works and is left alone. */
  readonly healMs: number
  readonly endMs: number
}

/** Something odd about a host, in words. */
export interface Oddity {
  readonly kind: 'short-history' | 'odd-checks'
  readonly hosts: readonly HostId[]
  readonly text: string
}

/** How long the calm at the end lasts: two catch-up rounds with a margin for redials, quiet times and recoveries. */
export const SETTLE_MS = 130_000
