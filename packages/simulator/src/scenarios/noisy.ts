/**
 * A noisy world in which nobody dies: messages are lost all the time, hosts are suspended, the mesh splits and pairs
 * of hosts lose sight of each other. Whoever is declared silent here was away, cut off, or judged falsely.
 */
import type { Fault, Line } from '../faults/fault.ts'
import { createPrng, type Prng } from '../prng.ts'
import { DEFAULT_CLASS, drawChecks, makeHost } from './hosts.ts'
import { type Scenario, SETTLE_MS } from './scenario.ts'

const FAULTS_FROM_MS = 60_000
/** Of all messages, each lost for itself. */
const LOSS_MOST = 0.15

/** Draws the noisy scenario of a seed. `wallSeed` draws the wall clocks only. */
export function drawNoisy(seed: number, hosts: number, wallSeed = seed): Scenario {
  const chance = createPrng(seed, 'noisy')
  const wall = createPrng(wallSeed, 'wall')
  const healMs = chance.int(470_000, 530_000)
  const setups = Array.from({ length: hosts }, (_, index) =>
    makeHost(seed, index, DEFAULT_CLASS, { skewMs: wall.int(-90_000, 90_000), checks: drawChecks(chance, healMs) }),
  )
  const share = chance.next() * LOSS_MOST
  const faults = [
    ...times(chance, 1, 3, () => suspend(chance, hosts)),
    ...times(chance, 1, 2, () => partition(chance, hosts)),
    ...times(chance, 1, 3, () => linkCut(chance, hosts)),
  ]
  const lines: readonly Line[] = [
    { atMs: FAULTS_FROM_MS, fault: { kind: 'loss', share, forMs: healMs - FAULTS_FROM_MS } },
    ...faults.map((fault) => ({ atMs: chance.int(FAULTS_FROM_MS, healMs - 15_000), fault })),
  ]
  return {
    title: `noisy seed ${seed}: ${hosts} hosts, ${(100 * share).toFixed(1)} % of all messages are lost`,
    seed,
    mesh: `mesh-${seed.toString(36)}`,
    hosts: setups,
    startMs: setups.map(() => chance.int(0, 4_000)),
    recipients: 1,
    oddities: [],
    lines: lines.toSorted((left, right) => left.atMs - right.atMs),
    healMs,
    endMs: healMs + SETTLE_MS,
  }
}

function times(chance: Prng, least: number, most: number, draw: () => Fault): Fault[] {
  return Array.from({ length: chance.int(least, most) }, draw)
}

function suspend(chance: Prng, hosts: number): Fault {
  return { kind: 'suspend', host: chance.int(0, hosts - 1), forMs: spanMs(chance) }
}

function partition(chance: Prng, hosts: number): Fault {
  const all = Array.from({ length: hosts }, (_, index) => index)
  const side = chance.sample(all, chance.int(1, Math.max(1, Math.floor(hosts / 2))))
  return { kind: 'partition', side, forMs: spanMs(chance) }
}

function linkCut(chance: Prng, hosts: number): Fault {
  const a = chance.int(0, hosts - 1)
  return { kind: 'link-cut', a, b: (a + chance.int(1, hosts - 1)) % hosts, forMs: spanMs(chance) }
}

/** Short, around the deadlines, or long. */
function spanMs(chance: Prng): number {
  return chance.pick([chance.int(500, 6_000), chance.int(6_000, 25_000), chance.int(25_000, 120_000)])
}
