/**
 * Runs of faults that last: one host cut off from all others, or some that are frozen, and afterwards all are well again.
 * Done to a mesh of ours and to a cluster of another program alike.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, type Verdict, waitForAnyPhase } from './cluster.ts'
import { type Fault, inject, undo, type Victim, whyWithoutEffect } from './faults.ts'
import { reasonOf } from './given.ts'
import { falseAmong, type Outage } from './outages.ts'

/** A cluster, and how it is known that all of it agrees. */
export interface Watched {
  readonly cluster: Cluster
  /** Waits until every node takes every other for alive again, and until they agree on what happened, where they can. */
  untilAgreed(): Promise<void>
}

/** How faults are made. */
export interface Lasting {
  readonly fault: Fault
  /** How long it lasts, milliseconds. */
  readonly forMs: number
  /** The faults of one run begin within so long of each other, milliseconds. */
  readonly withinMs: number
  /** How long verdicts are watched for after all agree, milliseconds: more than one takes. */
  readonly watchMs: number
  readonly signal: AbortSignal
}

/** What the fault of one host brought. */
export interface LastingRun {
  readonly victim: string
  readonly falseVerdicts: readonly Verdict[]
  /** From the end of the (last) fault until all agreed, seconds; null when they did not. */
  readonly agreedSeconds: number | null
  /** What went wrong with the run: its figures are worth nothing, or too good. */
  readonly why: string | null
}

/**
 * Lets these nodes have the fault at once, each for as long, and waits until all agree. A run for each: a verdict counts
 * to the one that came to it or, when that one had no fault, to the one that it is about, or else to the first.
 *
 * Throws when the cluster is not well before it begins.
 */
export async function letLast(watched: Watched, victims: readonly Victim[], how: Lasting): Promise<LastingRun[]> {
  const { cluster, untilAgreed } = watched
  await cluster.settled()
  await untilAgreed()
  how.signal.throwIfAborted()
  const before = cluster.verdicts.length
  const outages: Outage[] = []
  const troubles = await Promise.all(victims.map((victim) => letOneLast(victim, outages, how)))
  const startMs = performance.now()
  let agreedSeconds: number | null = null
  let trouble: string | null = null
  try {
    await untilAgreed()
    agreedSeconds = (performance.now() - startMs) / 1_000
    await sleep(how.watchMs, undefined, { signal: how.signal })
  } catch (error) {
    how.signal.throwIfAborted()
    trouble = reasonOf(error)
  }
  const verdicts = cluster.verdicts.slice(before)
  const wrong = falseAmong(verdicts, outages)
  const names = victims.map(({ name }) => name)
  return victims.map(({ name: victim }, index) => ({
    victim,
    falseVerdicts: wrong.filter((verdict) => ownerOf(verdict, names) === victim),
    agreedSeconds,
    why: troubles[index] ?? trouble ?? whyUnnoticed(cluster, verdicts, names, victim),
  }))
}

/** Gives why it had no effect, or null. */
async function letOneLast(victim: Victim, outages: Outage[], how: Lasting): Promise<string | null> {
  await waitForAnyPhase(how.withinMs)
  const outage: Outage = { name: victim.name, fromMs: performance.now(), toMs: null }
  outages.push(outage)
  try {
    await inject(how.fault, victim)
    const why = await whyWithoutEffect(how.fault, victim)
    if (why !== null) return `the fault was not injected: ${why}`
    const leftMs = how.forMs - (performance.now() - outage.fromMs)
    await sleep(Math.max(0, leftMs), undefined, { signal: how.signal })
    return null
  } finally {
    outage.toMs = performance.now()
    await undo(how.fault, victim)
  }
}

function ownerOf({ by, about }: Verdict, victims: readonly string[]): string | undefined {
  return [by, about].find((name) => victims.includes(name)) ?? victims[0]
}

/** A cluster that sees nothing comes to no false verdicts either. */
function whyUnnoticed(
  { nodes }: Cluster,
  verdicts: readonly Verdict[],
  victims: readonly string[],
  victim: string,
): string | null {
  const survivors = nodes.filter(({ name }) => !victims.includes(name))
  const blind = survivors.filter(({ name }) => !verdicts.some(({ by, about }) => by === name && about === victim))
  return blind.length === 0 ? null : `${blind.length} of ${survivors.length} never missed the host`
}
