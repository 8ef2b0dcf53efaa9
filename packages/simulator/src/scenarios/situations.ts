/**
 * Situations: faults that belong together, as real users meet them.
 *
 * Each draws from a stream of its own, so that one more situation, or another chance of one, changes only the seeds
 * that meet it.
 */
import type { Fault, Line } from '../faults/fault.ts'
import { createPrng, type Prng } from '../prng.ts'
import type { HostSetup } from '../world/world.ts'

/** The scenario around a situation. */
export interface Surroundings {
  readonly hosts: readonly HostSetup[]
  /** The number of the host that may sleep; -1 when none may. */
  readonly sleeper: number
  /** How the presence class compares to the default one: delays that it must bear shrink with it. */
  readonly pace: number
  /** When the death happens that every seed has. */
  readonly deathMs: number
  readonly healMs: number
}

type Draw = (chance: Prng, around: Surroundings) => Line[]

const SITUATIONS: readonly (readonly [name: string, probability: number, draw: Draw])[] = [
  ['restart beside a stop', 0.06, restartBesideStop],
  ['restart of all', 0.05, restartOfAll],
  ['two blackouts', 0.05, twoBlackouts],
  ['answers', 0.08, answers],
  ['leave and return', 0.06, leaveAndReturn],
  ['cut and dead notifier', 0.06, cutAndDeadNotifier],
  ['slow link', 0.06, slowLink],
  ['stalls', 0.06, stalls],
  ['long sleep', 0.1, longSleep],
  ['disk full', 0.05, diskFull],
  ['data deleted', 0.05, dataDeleted],
  ['data restored', 0.05, dataRestored],
]

/** The lines of the situations that a seed meets: of most, none. */
export function drawSituations(seed: number, around: Surroundings): Line[] {
  return SITUATIONS.flatMap(([name, probability, draw]) => {
    const chance = createPrng(seed, `situation ${name}`)
    if (!chance.chance(probability)) return []
    return draw(chance, around).filter(({ atMs }) => atMs < around.healMs)
  })
}

const FROM_MS = 60_000
/** A situation that takes so long, anywhere in the time of the faults. */
const startMs = (chance: Prng, { healMs }: Surroundings, takesMs: number): number =>
  chance.int(FROM_MS, Math.max(FROM_MS, healMs - takesMs))
const anyOf = (chance: Prng, { hosts }: Surroundings): number => chance.int(0, hosts.length - 1)
const twoOf = (chance: Prng, { hosts }: Surroundings): [number, number] => {
  const first = chance.int(0, hosts.length - 1)
  return [first, (first + chance.int(1, hosts.length - 1)) % hosts.length]
}
const forEach = (around: Surroundings, draw: () => number): number[] => around.hosts.map(draw)

/** An upgrade, host after host: the second restarts before the first is back. */
function restartBesideStop(chance: Prng, around: Surroundings): Line[] {
  const [stopped, restarted] = twoOf(chance, around)
  const atMs = startMs(chance, around, 100_000)
  const againMs = atMs + chance.int(500, 60_000)
  const backAfterMs = chance.int(500, 20_000)
  return [
    { atMs, fault: { kind: 'stop', host: stopped, backAfterMs: againMs - atMs + chance.int(1_000, 90_000) } },
    { atMs: againMs, fault: { kind: 'restart', host: restarted, backAfterMs } },
  ]
}

function restartOfAll(chance: Prng, around: Surroundings): Line[] {
  const slowestMs = chance.pick([3_000, 20_000, 60_000])
  const fault: Fault = { kind: 'restart-of-all', backAfterMs: forEach(around, () => chance.int(500, slowestMs)) }
  return [{ atMs: startMs(chance, around, 70_000), fault }]
}

/** The power comes back, and goes again before all has settled. */
function twoBlackouts(chance: Prng, around: Surroundings): Line[] {
  const slowestMs = chance.pick([5_000, 30_000, 60_000])
  const blackout = (): Fault => ({ kind: 'blackout', backAfterMs: forEach(around, () => chance.int(1_000, slowestMs)) })
  const atMs = startMs(chance, around, 200_000)
  const againMs = atMs + slowestMs + chance.int(1_000, 90_000)
  return [
    { atMs, fault: blackout() },
    { atMs: againMs, fault: blackout() },
  ]
}

/** A person answers what the device shows of the death, at any of the hosts that may still be there. */
function answers(chance: Prng, around: Surroundings): Line[] {
  const by = (): number => anyOf(chance, around)
  const atMs = around.deathMs + chance.int(18_000, 60_000)
  const host = anyOf(chance, around)
  const forMs = chance.int(20_000, 150_000)
  const checks = around.hosts[host]?.checks.map(({ spec }) => spec.name) ?? []
  const check = chance.chance(0.4) && checks.length > 0 ? chance.pick(checks) : null
  const lines: Line[] = [{ atMs, fault: { kind: 'ack', by: by() } }]
  if (chance.chance(0.7)) {
    lines.push({ atMs: atMs + chance.int(0, 40_000), fault: { kind: 'silence', by: by(), host, check, forMs } })
  }
  if (chance.chance(0.4)) {
    lines.push({ atMs: atMs + chance.int(0, 40_000), fault: { kind: 'maintenance', by: by(), host, forMs } })
  }
  return lines
}

/** A goodbye, of a host whose check is bad if there is one, and in most cases a return. */
function leaveAndReturn(chance: Prng, around: Surroundings): Line[] {
  const bad = around.hosts.flatMap(({ checks }, host) =>
    checks.flatMap(({ spells }) => spells.map(({ fromMs, toMs }) => ({ host, fromMs, toMs }))),
  )
  const { host, fromMs, toMs } =
    bad.length > 0
      ? chance.pick(bad)
      : { host: anyOf(chance, around), fromMs: startMs(chance, around, 120_000), toMs: around.healMs }
  const atMs = fromMs + chance.int(10_000, Math.max(10_000, toMs - fromMs))
  const backAfterMs = chance.chance(0.7) ? chance.int(2_000, 90_000) : null
  return [{ atMs: Math.min(atMs, around.healMs - 20_000), fault: { kind: 'leave', host, backAfterMs } }]
}

/** One host no longer reaches another, and whoever tells of what follows dies. */
function cutAndDeadNotifier(chance: Prng, around: Surroundings): Line[] {
  const [from, to] = twoOf(chance, around)
  const atMs = startMs(chance, around, 120_000)
  const forMs = chance.int(30_000, 110_000)
  const backAfterMs = chance.chance(0.7) ? chance.int(10_000, 90_000) : null
  const host = anyOf(chance, around)
  return [
    { atMs, fault: { kind: 'one-way-cut', from, to, forMs } },
    { atMs, fault: { kind: 'notifier-dies', backAfterMs } },
    { atMs: atMs + chance.int(0, 20_000), fault: { kind: 'power-cut', host, backAfterMs: chance.int(30_000, 90_000) } },
  ]
}

function slowLink(chance: Prng, around: Surroundings): Line[] {
  const byMs = Math.round(chance.int(1_000, 4_000) * around.pace)
  const fault: Fault = { kind: 'slow-link', host: anyOf(chance, around), byMs, forMs: chance.int(30_000, 200_000) }
  return [{ atMs: startMs(chance, around, 60_000), fault }]
}

function stalls(chance: Prng, around: Surroundings): Line[] {
  const stallsMs = Array.from({ length: chance.int(2, 6) }, () => chance.int(2_000, 10_000))
  const fault: Fault = { kind: 'stalls', host: anyOf(chance, around), stallsMs, pauseMs: chance.int(1_000, 25_000) }
  return [{ atMs: startMs(chance, around, 60_000), fault }]
}

/** A laptop's lid stays closed for longer than any promise of its checks. */
function longSleep(chance: Prng, around: Surroundings): Line[] {
  if (around.sleeper < 0) return []
  const forMs = chance.int(120_000, 300_000)
  return [{ atMs: startMs(chance, around, forMs), fault: { kind: 'suspend', host: around.sleeper, forMs } }]
}

function diskFull(chance: Prng, around: Surroundings): Line[] {
  const backAfterMs = chance.int(1_000, 40_000)
  const againAfterMs = chance.int(10_000, 90_000)
  const fault: Fault = { kind: 'disk-full', host: anyOf(chance, around), backAfterMs, againAfterMs }
  return [{ atMs: startMs(chance, around, 150_000), fault }]
}

function dataDeleted(chance: Prng, around: Surroundings): Line[] {
  const fault: Fault = { kind: 'data-deleted', host: anyOf(chance, around), backAfterMs: chance.int(1_000, 60_000) }
  return [{ atMs: startMs(chance, around, 80_000), fault }]
}

/** The copy is older than one restart at least. */
function dataRestored(chance: Prng, around: Surroundings): Line[] {
  const host = anyOf(chance, around)
  const afterMs = chance.int(40_000, 150_000)
  const atMs = startMs(chance, around, afterMs + 80_000)
  return [
    { atMs, fault: { kind: 'data-restored', host, afterMs, backAfterMs: chance.int(1_000, 60_000) } },
    { atMs: atMs + chance.int(1_000, 30_000), fault: { kind: 'kill', host, backAfterMs: chance.int(300, 5_000) } },
  ]
}
