/** Programs that watch each other, ours or others': the same fault is done to each, and measured alike. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../e2e/host.ts'
import { type Fault, inject, undo, type Victim, whyWithoutEffect } from './faults.ts'

/** That one node has concluded that another is gone. On the monotonic clock of this process. */
export interface Verdict {
  readonly by: string
  readonly about: string
  readonly atMs: number
}

/** Some nodes that watch each other. */
export interface Cluster {
  readonly name: string
  readonly nodes: readonly Victim[]
  /** Every verdict so far, as its node wrote it down. */
  readonly verdicts: readonly Verdict[]
  /** Waits until all see each other and may judge. */
  settled(): Promise<void>
  end(): Promise<void>
}

/** How often a condition is looked at: seldom enough to cost the measured ones nothing. Milliseconds. */
const LOOK_EVERY_MS = 20
/** A verdict that has not come by then does not come. Milliseconds. */
const VERDICT_MS = 40_000

/** What one fault brought: how long until the last survivor knew, in seconds, or why there is no figure. */
export type Outcome =
  | { readonly kind: 'known'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly why: string }

/**
 * Does a fault to a node of a settled cluster, waits until all others have concluded that it is gone, and undoes it. The
 * clock starts right before the fault.
 */
export async function measureVerdicts(
  cluster: Cluster,
  victim: Victim,
  fault: Fault,
  { verdictMs = VERDICT_MS, effectMs }: { readonly verdictMs?: number; readonly effectMs?: number } = {},
): Promise<Outcome> {
  const survivors = cluster.nodes.filter((node) => node !== victim)
  const before = cluster.verdicts.length
  const startMs = performance.now()
  await inject(fault, victim)
  try {
    const why = await whyWithoutEffect(fault, victim, effectMs)
    if (why !== null) return { kind: 'failed', why: `the fault was not injected: ${why}` }
    const isKnown = (): boolean => survivors.every(({ name }) => verdictOf(cluster, name, victim, before) !== undefined)
    try {
      await until('the verdicts', verdictMs, isKnown, LOOK_EVERY_MS)
    } catch {
      const missing = survivors.filter(({ name }) => verdictOf(cluster, name, victim, before) === undefined)
      return { kind: 'failed', why: `no verdict in ${verdictMs / 1_000} s of ${missing.length} survivors` }
    }
    const times = survivors.map(({ name }) => verdictOf(cluster, name, victim, before)?.atMs ?? Number.NaN)
    return { kind: 'known', seconds: (Math.max(...times) - startMs) / 1_000 }
  } finally {
    await undo(fault, victim)
  }
}

function verdictOf({ verdicts }: Cluster, by: string, { name }: Victim, from: number): Verdict | undefined {
  return verdicts.slice(from).find((verdict) => verdict.by === by && verdict.about === name)
}

/** Why a run failed in which they came. */
export const FALSE_VERDICTS = 'hosts that were well were declared silent'

/** Verdicts of those that were well about others that were well: there should be none. */
export function falseVerdicts(verdicts: readonly Verdict[], unwell: readonly string[]): readonly Verdict[] {
  return verdicts.filter(({ by, about }) => !unwell.includes(by) && !unwell.includes(about))
}

/** Waits for any part of a period, so that faults hit every phase of it. */
export async function waitForAnyPhase(periodMs: number): Promise<void> {
  await sleep(Math.random() * periodMs)
}
