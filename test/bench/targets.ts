/** What is promised: every figure that `npm run bench` answers for, under a name that stays. */
import type { Target } from './row.ts'

/** One figure and what it is held to. */
export interface Promised {
  readonly unit: string
  readonly better: 'less' | 'more'
  readonly target: Target
  /** How many runs the target is promised for. */
  readonly runsMin: number
}

const seconds = (target: Target, runsMin: number): Promised => ({ unit: 's', better: 'less', target, runsMin })
const count = (unit: string, max: number, runsMin: number): Promised => ({
  unit,
  better: 'less',
  target: { max },
  runsMin,
})
const atLeast = (unit: string, median: number): Promised => ({ unit, better: 'more', target: { median }, runsMin: 1 })

/** A verdict of the fast class: of all survivors the last one's counts. */
const FAST = { median: 3, max: 5 }

/** Every figure by its name, which begins with its benchmark's. */
export const PROMISED = {
  'detection: fast class, N = 10, link down: the last survivor knows': seconds(FAST, 10),
  'detection: fast class, N = 10, SIGKILL: the last survivor knows': seconds(FAST, 10),
  'detection: fast class, N = 10, SIGSTOP: the last survivor knows': seconds(FAST, 10),
  'detection: fast class, N = 10: bytes sent by an agent': count('kB/s', 4, 10),
  'detection: default class, N = 3, link down: notice at the receiver': seconds({ max: 20 }, 20),
  'detection: default class, N = 10, link down: notice at the receiver': seconds({ max: 20 }, 20),
  'detection: default class, N = 2, link down: notice at the receiver': seconds({ max: 30 }, 20),
  'takeover: first notifier dead but not yet known: added delay': seconds({ max: 6 }, 10),
  'takeover: first notifier without Waku: added delay': seconds({ max: 6 }, 10),
  'takeover: first notifier known to be dead: added delay': count('ms', 50, 10),
  'takeover: killed after sending, before the receipt: notices seen': count('notices', 1, 20),
  'takeover: partition: notices seen': count('notices', 1, 10),
  'faults: one of 10 cut off for 60 s: false verdicts': count('verdicts', 0, 10),
  'faults: one of 10 cut off for 60 s: time until all agree again': seconds({ max: 10 }, 10),
  'faults: frozen for 90 s: false verdicts': count('verdicts', 0, 10),
  'faults: 30 % loss for 10 min, N = 5: false verdicts': count('verdicts', 0, 1),
  'faults: 30 % loss for 10 min, N = 5: notice of a real death': seconds({ max: 60 }, 1),
  'footprint: N = 3: RSS': count('MB', 130, 3),
  'footprint: N = 3: CPU of one core': count('%', 1, 3),
  'footprint: N = 3: sent in the swarm': count('kB/s', 1.5, 3),
  'footprint: N = 10: RSS': count('MB', 120, 10),
  'footprint: N = 10: CPU of one core': count('%', 0.5, 10),
  'footprint: N = 10: sent in the swarm': count('kB/s', 1.5, 10),
  'store: 1,000,000 results: agent ready after its start': seconds({ max: 1 }, 10),
  'store: ingest of verified results': atLeast('1/s of a core', 3_000),
  'scale: 1,000 simulated hosts: bytes sent by an agent': count('kB/s', 4, 1),
  'scale: 1,000 simulated hosts: the last survivor knows': seconds({ max: 20 }, 1),
  'scale: noisy seeds, N = 2 to 10: false verdicts in 10,000 each': count('verdicts', 0, 9),
  'scale: seeds of npm test in 2 min': atLeast('seeds', 10_000),
  'scale: virtual hours in a minute of a core': atLeast('h', 1_000),
  'scale: 1,000,000 seeds: broken invariants': count('seeds', 0, 1),
} as const satisfies Readonly<Record<string, Promised>>

/** A name in the table. */
export type PromisedName = keyof typeof PROMISED

/** The names of a benchmark's figures, in their order. */
export function promisedOf(benchmark: string): readonly PromisedName[] {
  return (Object.keys(PROMISED) as PromisedName[]).filter((name) => name.startsWith(`${benchmark}: `))
}
