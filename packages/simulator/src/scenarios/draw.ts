/** Draws the scenario of a seed: 2 to 12 hosts, at least one death and three other faults, then a calm end. */
import type { Fault, Line } from '../faults/fault.ts'
import { createPrng, type Prng } from '../prng.ts'
import { DEFAULT_CLASS, drawChecks, FAST_CLASS, makeHost } from './hosts.ts'
import { drawOddities } from './oddities.ts'
import { type Scenario, SETTLE_MS } from './scenario.ts'
import { drawSituations } from './situations.ts'

/** Hosts of a drawn scenario: mostly few, for most meshes are small, and the large ones cost most. */
const SIZES = [2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 6, 6, 7, 8, 9, 10, 11, 12] as const
const FAULTS_FROM_MS = 60_000

/** Draws the scenario of a seed. `hosts` fixes their number. `wallSeed` draws the wall clocks only. */
export function drawScenario(seed: number, hosts?: number, wallSeed = seed): Scenario {
  const chance = createPrng(seed, 'scenario')
  const wall = createPrng(wallSeed, 'wall')
  const drawn = chance.pick(SIZES)
  const size = hosts ?? drawn
  const isFast = chance.chance(0.12) && size <= 6
  const presenceClass = isFast ? FAST_CLASS : DEFAULT_CLASS
  const healMs = chance.int(470_000, 530_000)
  const sleeper = size > 2 && chance.chance(0.25) ? chance.int(0, size - 1) : -1
  const losesUnsynced = chance.chance(0.4)
  const restartMs = chance.pick([60_000, 120_000, 300_000])
  const startMs = Array.from({ length: size }, () => chance.int(0, 4_000))
  if (size > 2 && chance.chance(0.25)) startMs[size - 1] = chance.int(60_000, 200_000)
  const made = Array.from({ length: size }, (_, index) =>
    makeHost(seed, index, presenceClass, {
      sleeps: index === sleeper,
      restartMs,
      losesUnsynced,
      skewMs: wall.int(-90_000, 90_000),
      checks: drawChecks(chance, healMs),
    }),
  )
  const { setups, oddities } = drawOddities(seed, made, healMs)
  const pace = presenceClass.everyMs / DEFAULT_CLASS.everyMs
  const recipients = chance.chance(0.2) ? 2 : 1
  const { deathMs, lines } = drawLines(chance, { wall, size, sleeper, pace }, healMs)
  const situations = drawSituations(seed, { hosts: setups, sleeper, pace, deathMs, healMs })
  return {
    title: `seed ${seed}: ${size} hosts, every ${presenceClass.everyMs / 1_000} s, grace ${presenceClass.graceMs / 1_000} s`,
    seed,
    mesh: `mesh-${seed.toString(36)}`,
    hosts: setups,
    startMs,
    recipients,
    oddities,
    lines: [...lines, ...situations].toSorted((left, right) => left.atMs - right.atMs),
    healMs,
    endMs: healMs + SETTLE_MS,
  }
}

function drawLines(chance: Prng, around: Around, healMs: number): { deathMs: number; lines: readonly Line[] } {
  const lines: Line[] = []
  // Often the death comes alone and in calm, where the promise to the user is exact; else among the other faults.
  const isCalm = chance.chance(0.5)
  const deathMs = isCalm ? chance.int(FAULTS_FROM_MS, 120_000) : chance.int(FAULTS_FROM_MS, healMs - 60_000)
  lines.push({ atMs: deathMs, fault: drawDeath(chance, around) })
  const othersFromMs = isCalm ? deathMs + 45_000 : FAULTS_FROM_MS
  const count = chance.int(3, 8)
  for (let index = 0; index < count; index += 1) {
    lines.push({ atMs: chance.int(othersFromMs, healMs - 15_000), fault: drawFault(chance, around) })
  }
  // Two faults that start together, or shortly after each other, find more than two that do not meet.
  if (chance.chance(0.4)) {
    const near = chance.pick(lines).atMs + chance.int(0, 25_000)
    if (near > othersFromMs && near < healMs - 15_000) {
      lines.push({ atMs: near, fault: drawFault(chance, around) })
    }
  }
  return { deathMs, lines }
}

/** A death that must be told: no goodbye, and away for longer than any promise. */
function drawDeath(chance: Prng, { size, sleeper }: Around): Fault {
  const awake = Array.from({ length: size }, (_, index) => index).filter((index) => index !== sleeper)
  const backAfterMs = chance.chance(0.6) ? chance.int(70_000, 240_000) : null
  if (size >= 5 && chance.chance(0.2)) {
    return { kind: 'mass-death', hosts: chance.sample(awake, chance.int(2, size - 2)), backAfterMs }
  }
  return { kind: 'power-cut', host: chance.pick(awake), backAfterMs }
}

interface Around {
  readonly wall: Prng
  readonly size: number
  readonly sleeper: number
  /** How the presence class compares to the default one: delays that it must bear shrink with it. */
  readonly pace: number
}

type Draw = (chance: Prng, around: Around) => Fault

const anyOf = (chance: Prng, size: number): number => chance.int(0, size - 1)
const twoOf = (chance: Prng, size: number): [number, number] => {
  const first = chance.int(0, size - 1)
  return [first, (first + chance.int(1, size - 1)) % size]
}
const someOf = (chance: Prng, size: number, count: number): number[] =>
  chance.sample(
    Array.from({ length: size }, (_, index) => index),
    count,
  )
/** Short, around the deadlines, or long. */
const spanMs = (chance: Prng): number =>
  chance.pick([chance.int(500, 6_000), chance.int(6_000, 25_000), chance.int(25_000, 120_000)])

const DRAWS: readonly (readonly [weight: number, draw: Draw])[] = [
  [
    3,
    (chance, { size }) => ({ kind: 'power-cut', host: anyOf(chance, size), backAfterMs: chance.int(1_000, 120_000) }),
  ],
  [2, (chance, { size }) => ({ kind: 'kill', host: anyOf(chance, size), backAfterMs: chance.int(300, 90_000) })],
  [
    2,
    (chance, { size }) => ({
      kind: 'power-cut-between-effects',
      host: anyOf(chance, size),
      effects: chance.int(0, 60),
      backAfterMs: chance.int(2_000, 90_000),
    }),
  ],
  [
    3,
    (chance, { size }) => ({
      kind: 'power-cut-after-claim',
      host: anyOf(chance, size),
      backAfterMs: chance.chance(0.7) ? chance.int(5_000, 90_000) : null,
    }),
  ],
  [2, (chance, { size }) => ({ kind: 'stop', host: anyOf(chance, size), backAfterMs: chance.int(2_000, 240_000) })],
  [0.5, (chance, { size }) => ({ kind: 'leave', host: anyOf(chance, size), backAfterMs: null })],
  [
    1,
    (chance, { size }) => {
      const [by, host] = twoOf(chance, size)
      return { kind: 'maintenance', by, host, forMs: chance.int(30_000, 120_000) }
    },
  ],
  [3, (chance, { size }) => ({ kind: 'freeze', host: anyOf(chance, size), forMs: spanMs(chance) })],
  [
    3,
    (chance, { size, sleeper }) => ({
      kind: 'suspend',
      host: sleeper >= 0 && chance.chance(0.6) ? sleeper : anyOf(chance, size),
      forMs: spanMs(chance),
    }),
  ],
  [
    3,
    (chance, { size }) => ({
      kind: 'partition',
      side: someOf(chance, size, chance.int(1, Math.max(1, Math.floor(size / 2)))),
      forMs: spanMs(chance),
    }),
  ],
  [
    2,
    (chance, { size }) => {
      const [from, to] = twoOf(chance, size)
      return { kind: 'one-way-cut', from, to, forMs: spanMs(chance) }
    },
  ],
  [
    3,
    (chance, { size }) => {
      const [a, b] = twoOf(chance, size)
      return { kind: 'link-cut', a, b, forMs: spanMs(chance) }
    },
  ],
  [
    3,
    (chance, { size }) => ({
      kind: 'isolation',
      host: anyOf(chance, size),
      forMs: spanMs(chance),
      waku: chance.chance(0.5),
      route: chance.chance(0.3),
    }),
  ],
  [2, (chance) => ({ kind: 'loss', share: chance.pick([0.02, 0.05, 0.1, 0.2, 0.3]), forMs: spanMs(chance) })],
  [
    2,
    (chance, { pace }) => ({
      kind: 'delay-spikes',
      spikeMs: chance.pick([300, 1_000, 3_000]) * pace,
      forMs: spanMs(chance),
    }),
  ],
  [1, (chance) => ({ kind: 'duplication', share: chance.pick([0.05, 0.3]), forMs: spanMs(chance) })],
  [
    1,
    (chance, { pace }) => ({
      kind: 'reordering',
      withinMs: chance.pick([50, 400, 1_500]) * pace,
      forMs: spanMs(chance),
    }),
  ],
  [
    2,
    (chance, { wall, size }) => ({
      kind: 'wall-jump',
      host: anyOf(chance, size),
      byMs: wall.int(-7_200_000, 7_200_000),
    }),
  ],
  [
    4,
    (chance, { size }) => ({
      kind: 'waku-outage',
      hosts: someOf(chance, size, chance.chance(0.3) ? size : chance.int(1, size)),
      trouble: chance.pick(['down', 'down', 'refusing', 'slow', 'losing'] as const),
      forMs: spanMs(chance),
    }),
  ],
  [1, (chance) => ({ kind: 'recipient-offline', recipient: 0, forMs: spanMs(chance) })],
  [1, (chance, { size }) => ({ kind: 'replay', host: anyOf(chance, size), times: chance.int(2, 20) })],
]

const WEIGHT = DRAWS.reduce((sum, [weight]) => sum + weight, 0)

function drawFault(chance: Prng, around: Around): Fault {
  let left = chance.next() * WEIGHT
  for (const [weight, draw] of DRAWS) {
    left -= weight
    if (left < 0) return draw(chance, around)
  }
  return { kind: 'power-cut', host: 0, backAfterMs: 90_000 }
}
