/** Hosts of scenarios: names, presence classes and virtual checks. */
import type { CheckSpec, Presence } from '@muster/protocol'
import type { Prng } from '../prng.ts'
import type { Spell, VirtualCheck } from '../world/virtual-check.ts'
import type { HostSetup } from '../world/world.ts'

const NAMES = [
  'atlas',
  'birch',
  'cedar',
  'dune',
  'ember',
  'fjord',
  'grove',
  'haven',
  'iris',
  'juniper',
  'kelp',
  'lumen',
] as const

/** How long an agent's store keeps history. */
export const HISTORY_MS = 48 * 3_600_000

/** The default class of PRODUCT.md, with the tick that it asks for. */
export const DEFAULT_CLASS = { everyMs: 10_000, graceMs: 5_000, tickMs: 250 }
/** A fast class. */
export const FAST_CLASS = { everyMs: 2_000, graceMs: 1_000, tickMs: 100 }

/** A presence class with its tick, milliseconds. */
export interface PresenceClass {
  readonly everyMs: number
  readonly graceMs: number
  readonly tickMs: number
}

/** Makes the host number `index` of a seed. Ids differ by seed, so that orders drawn from hashes differ too. */
export function makeHost(
  seed: number,
  index: number,
  presenceClass: PresenceClass,
  rest: Partial<Pick<HostSetup, 'checks' | 'skewMs' | 'losesUnsynced' | 'historyMs'>> & Partial<Presence> = {},
): HostSetup {
  const name = NAMES[index] ?? `host-${index}`
  const { everyMs, graceMs, tickMs } = presenceClass
  return {
    id: `${name}-${seed.toString(36)}`,
    name,
    presence: { everyMs, graceMs, sleeps: rest.sleeps ?? false, restartMs: rest.restartMs ?? 120_000 },
    tickMs,
    skewMs: rest.skewMs ?? 0,
    losesUnsynced: rest.losesUnsynced ?? false,
    historyMs: rest.historyMs ?? HISTORY_MS,
    checks: rest.checks ?? [],
  }
}

/** A virtual check that is due every `everyMs`. */
export function makeCheck(name: string, everyMs: number, phaseMs: number, spells: readonly Spell[]): VirtualCheck {
  const spec: CheckSpec = {
    name,
    kind: name === 'backup' ? 'push' : 'disk',
    everyMs,
    graceMs: Math.floor(everyMs / 2),
    after: name === 'site' ? 3 : 1,
    recover: 1,
    forMs: 0,
    heartbeat: 'awake',
    tags: [],
  }
  return { spec, phaseMs, spells }
}

/** Draws one or two checks: one that goes bad for a while, one whose pushes stop for a while, or steady ones. */
export function drawChecks(chance: Prng, untilMs: number): VirtualCheck[] {
  const names = chance.sample(['disk', 'site', 'backup'], chance.int(1, 2))
  return names.map((name) => {
    const everyMs = name === 'site' ? 20_000 : chance.pick([30_000, 60_000])
    const spells: Spell[] = []
    if (chance.chance(0.25)) {
      const fromMs = chance.int(40_000, untilMs - 120_000)
      const judgement = name === 'backup' ? null : chance.pick(['warning', 'critical', 'unknown'] as const)
      spells.push({ fromMs, toMs: Math.min(untilMs, fromMs + chance.int(40_000, 180_000)), judgement })
    }
    return makeCheck(name, everyMs, chance.int(500, everyMs), spells)
  })
}
