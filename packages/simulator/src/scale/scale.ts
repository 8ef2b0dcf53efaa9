/**
 * What a large mesh costs and how soon it knows of a death: hundreds of real cores on a network that counts every byte.
 *
 * The mesh settles, then is left alone and measured; then some hosts lose power one after the other, the first with a
 * minute to itself. Each survivor's own verdict counts, and the notice at the device.
 */

import { type Taken, TRAFFIC, type Traffic } from './ledger.ts'
import { percentile } from './percentile.ts'
import { createScaleWorld, type ScaleWorld } from './scale-world.ts'
import type { StepTimes } from './step-times.ts'

/** How a large mesh is run. */
export interface ScaleOptions {
  readonly hosts: number
  readonly seed?: number
  readonly checks?: number
  readonly deaths?: number
  /** How long the settled mesh is measured. Milliseconds. */
  readonly steadyMs?: number
  /** A clock of the machine, milliseconds, to time `step` with. Without it the times are 0. */
  readonly stopwatch?: () => number
  /** Bytes of the heap that are in use. Without it the size of a state is not told. */
  readonly heapBytes?: () => number
  /** Told as the run goes on. */
  readonly say?: (line: string) => void
}

/** What was sent in some time, for each agent and second. */
export interface Rate {
  readonly bytes: number
  readonly messages: number
}

/** Rates by kind and in all, and those of single agents in all. */
export interface Rates {
  readonly byKind: Readonly<Record<Traffic, Rate>>
  readonly mean: Rate
  readonly medianBytes: number
  readonly p99Bytes: number
  readonly maxBytes: number
}

/** What became of one death, milliseconds from the loss of power; null: not within the time that was watched. */
export interface Death {
  readonly firstMs: number | null
  readonly halfMs: number | null
  readonly lastMs: number | null
  readonly toldMs: number | null
  readonly survivors: number
  readonly knowing: number
  /** Notices of it that a person sees, and those that came: the device folds the others into the first. */
  readonly notices: number
  readonly copies: number
}

/** What a run found. */
export interface ScaleResult {
  readonly hosts: number
  readonly checks: number
  readonly seed: number
  readonly virtualMs: number
  /** Whether all agreed on members and records before they were measured. */
  readonly settled: boolean
  /** Verdicts on hosts that lived. */
  readonly falseVerdicts: number
  readonly connections: { readonly mean: number; readonly max: number }
  readonly steady: Rates
  /** What each agent sent a second in that time, bytes. */
  readonly agentBytes: readonly number[]
  /** The minute that began with the first death. */
  readonly afterDeath: Rates
  readonly deaths: readonly Death[]
  readonly steps: readonly StepTimes[]
  /** Share of one core that one agent's `step` takes in the settled mesh; null without a stopwatch. */
  readonly stepShare: number | null
  readonly heapBytesPerCore: number | null
}

/** Until when a mesh that starts from full disks has heard and agreed on all. */
const SETTLE_MS = 25_000
/** The first death has a minute to itself. */
const FIRST_DEATH_MS = 60_000
/** Between later deaths: some are still being judged when the next one dies. */
const NEXT_DEATH_MS = 4_000
/** After the last one. */
const END_MS = 24_000

/** Runs a large mesh. */
export function runScale(options: ScaleOptions): ScaleResult {
  const { hosts, seed = 1, checks = 10, deaths = 5, steadyMs = 30_000, say = () => {} } = options
  const before = options.heapBytes?.() ?? 0
  const world = createScaleWorld({ seed, hosts, checks, stopwatch: options.stopwatch ?? (() => 0) })
  say(`${hosts} cores made`)
  world.run(SETTLE_MS)
  const settled = hasSettled(world)
  const heapBytes = options.heapBytes === undefined ? null : (options.heapBytes() - before) / hosts
  say('settled')

  world.ledger.take()
  world.stepTimes.clear()
  world.run(SETTLE_MS + steadyMs)
  const atRest = world.ledger.take()
  const steady = ratesOf(atRest, hosts, steadyMs)
  const stepMs = world.stepTimes.times().reduce((sum, { totalMs }) => sum + totalMs, 0)
  say('measured at rest')

  const victims = world.chance.sample(
    Array.from({ length: hosts }, (_, index) => index),
    deaths,
  )
  const died: { readonly host: number; readonly atMs: number }[] = []
  let afterDeath: Rates | null = null
  for (const host of victims) {
    died.push({ host, atMs: world.now() })
    world.cutPower(host)
    world.run(world.now() + (afterDeath === null ? FIRST_DEATH_MS : NEXT_DEATH_MS))
    afterDeath ??= ratesOf(world.ledger.take(), hosts, FIRST_DEATH_MS)
    say(`death ${died.length} of ${deaths}`)
  }
  world.run(world.now() + END_MS)
  const dead = new Set(died.map(({ host }) => world.settled.hosts[host]))
  const degrees = world.hosts.filter(({ isUp }) => isUp()).map(({ index }) => world.overlay.peersOf(index).size)
  return {
    hosts,
    checks,
    seed,
    virtualMs: world.now(),
    settled,
    falseVerdicts: world.notes.filter((note) => note.kind === 'concluded' && !dead.has(note.subject)).length,
    connections: { mean: degrees.reduce((sum, count) => sum + count, 0) / degrees.length, max: Math.max(...degrees) },
    steady,
    agentBytes: bytesOfEach(atRest, hosts, steadyMs),
    afterDeath: afterDeath ?? ratesOf(world.ledger.take(), hosts, 1),
    deaths: died.map((death) => deathOf(world, death, died)),
    steps: world.stepTimes.times(),
    stepShare: options.stopwatch === undefined ? null : stepMs / hosts / steadyMs,
    heapBytesPerCore: heapBytes,
  }
}

/** Whether every host knows all others as alive, judges, and holds the same records. */
function hasSettled({ hosts }: ScaleWorld): boolean {
  const sets = hosts[0]?.state().sets.join()
  return hosts.every(({ state }) => {
    const { members, quiet, isolated, sets: mine } = state()
    const isWhole =
      members.size === hosts.length - 1 && [...members.values()].every((member) => member.state === 'alive')
    return isWhole && quiet === null && !isolated && mine.join() === sets
  })
}

function ratesOf({ bytes, messages }: Taken, hosts: number, ms: number): Rates {
  const perSecond = (sums: Float64Array): number => (sums.reduce((sum, one) => sum + one, 0) / hosts / ms) * 1_000
  const byKind = Object.fromEntries(
    TRAFFIC.map((kind) => [kind, { bytes: perSecond(bytes[kind]), messages: perSecond(messages[kind]) }]),
  ) as Record<Traffic, Rate>
  const each = bytesOfEach({ bytes }, hosts, ms)
  return {
    byKind,
    mean: {
      bytes: TRAFFIC.reduce((sum, kind) => sum + byKind[kind].bytes, 0),
      messages: TRAFFIC.reduce((sum, kind) => sum + byKind[kind].messages, 0),
    },
    medianBytes: percentile(each, 0.5),
    p99Bytes: percentile(each, 0.99),
    maxBytes: percentile(each, 1),
  }
}

function bytesOfEach({ bytes }: Pick<Taken, 'bytes'>, hosts: number, ms: number): readonly number[] {
  const sum = (host: number): number => TRAFFIC.reduce((sent, kind) => sent + (bytes[kind][host] ?? 0), 0)
  return Array.from({ length: hosts }, (_, host) => Math.round((sum(host) / ms) * 1_000))
}

interface Died {
  readonly host: number
  readonly atMs: number
}

function deathOf(world: ScaleWorld, { host, atMs }: Died, all: readonly Died[]): Death {
  const subject = world.settled.hosts[host] ?? ''
  const diedAtMs = new Map(all.map((one) => [one.host, one.atMs]))
  const knewAtMs = new Map<number, number>()
  for (const note of world.notes) {
    if (note.kind === 'concluded' && note.subject === subject && !knewAtMs.has(note.by))
      knewAtMs.set(note.by, note.atMs)
  }
  // Whoever dies before it could know is no survivor of this death.
  const survivors = world.hosts.filter(({ index }) => index !== host && (!diedAtMs.has(index) || knewAtMs.has(index)))
  const times = survivors.flatMap(({ index }) => knewAtMs.get(index) ?? []).toSorted((a, b) => a - b)
  const since = (ms: number | undefined): number | null => (ms === undefined ? null : ms - atMs)
  const told = world.notes.flatMap((note) => (note.kind === 'told' && note.subject === subject ? [note] : []))
  return {
    firstMs: since(times[0]),
    halfMs: since(times[Math.ceil(survivors.length / 2) - 1]),
    lastMs: since(times[survivors.length - 1]),
    toldMs: since(told[0]?.atMs),
    survivors: survivors.length,
    knowing: times.length,
    notices: told.filter(({ isShown }) => isShown).length,
    copies: told.length,
  }
}
