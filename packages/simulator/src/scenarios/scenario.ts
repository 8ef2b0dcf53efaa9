/** A scenario: hosts, what happens to them and when, and how long it lasts. */
import type { MeshId } from '@muster/protocol'
import type { Line } from '../faults.ts'
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
  /** From here on everything works and is left alone. */
  readonly healMs: number
  readonly endMs: number
}

/** How long the calm at the end lasts: two catch-up rounds with a margin for redials, quiet times and recoveries. */
export const SETTLE_MS = 130_000
