/** How a scenario with a name is put down: a few hosts of the default class, and what happens to them. */
import type { Line } from '../faults/fault.ts'
import type { VirtualCheck } from '../world/virtual-check.ts'
import { DEFAULT_CLASS, makeCheck, makeHost } from './hosts.ts'
import { type Scenario, SETTLE_MS } from './scenario.ts'

const HEAL_MS = 8 * 60_000

/** What makes a named scenario. */
export interface Plan {
  readonly name: string
  readonly hosts: number
  readonly lines: readonly Line[]
  /** In any order. */
  readonly shows: readonly string[]
  readonly sleeper?: number
  /** Checks of the hosts with these numbers, instead of a steady one. */
  readonly checks?: Readonly<Record<number, readonly VirtualCheck[]>>
  readonly historyMs?: number
  /** Scenarios that differ in one choice share their luck. */
  readonly seed?: number
}

/** The scenario of a plan, with this seed's luck. */
export function build(plan: Plan, seed: number): Scenario {
  const healMs = HEAL_MS
  return {
    title: plan.name,
    seed,
    mesh: `mesh-${seed.toString(36)}`,
    hosts: Array.from({ length: plan.hosts }, (_, index) =>
      makeHost(seed, index, DEFAULT_CLASS, {
        sleeps: plan.sleeper === index,
        checks: plan.checks?.[index] ?? [makeCheck('disk', 60_000, 5_000 + index * 700, [])],
        ...(plan.historyMs === undefined ? {} : { historyMs: plan.historyMs }),
      }),
    ),
    startMs: Array.from({ length: plan.hosts }, (_, index) => index * 400),
    recipients: 1,
    lines: plan.lines,
    oddities: [],
    healMs,
    endMs: healMs + SETTLE_MS,
  }
}
