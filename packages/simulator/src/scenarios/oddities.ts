/** What may be odd about hosts from the start on: how long they remember, and what their checks promise. */
import type { CheckSpec, Judgement } from '@muster/protocol'
import { createPrng, type Prng } from '../prng.ts'
import type { Spell, VirtualCheck } from '../world/virtual-check.ts'
import type { HostSetup } from '../world/world.ts'
import type { Oddity } from './scenario.ts'

const SHORT_HISTORY = 0.12
const ODD_CHECKS = 0.3

/** Makes some seeds' hosts odd. Draws from streams of its own, so that all other seeds stay what they were. */
export function drawOddities(
  seed: number,
  made: readonly HostSetup[],
  healMs: number,
): { setups: readonly HostSetup[]; oddities: readonly Oddity[] } {
  const oddities: Oddity[] = []
  const memory = createPrng(seed, 'short history')
  const checking = createPrng(seed, 'odd checks')
  let setups = made
  if (memory.chance(SHORT_HISTORY)) {
    const historyMs = memory.pick([60_000, 120_000, 240_000])
    setups = setups.map((setup) => ({ ...setup, historyMs }))
    const text = `keep history for ${historyMs / 1_000} s only`
    oddities.push({ kind: 'short-history', hosts: setups.map(({ id }) => id), text })
  }
  if (checking.chance(ODD_CHECKS)) {
    setups = setups.map((setup) => {
      if (checking.chance(0.4)) return setup
      const checks = drawOddChecks(checking, healMs)
      const text = `checks ${checks.map(({ spec }) => wordsOf(spec)).join('; ')}`
      oddities.push({ kind: 'odd-checks', hosts: [setup.id], text })
      return { ...setup, checks }
    })
  }
  return { setups, oddities }
}

/** Two to four checks that differ in all that they can promise. */
function drawOddChecks(chance: Prng, healMs: number): VirtualCheck[] {
  return chance.sample(['backup', 'cron', 'load', 'site', 'disk'], chance.int(2, 4)).map((name) => {
    const isPush = name === 'backup' || name === 'cron'
    const everyMs = chance.pick([30_000, 60_000, 120_000])
    const spec: CheckSpec = {
      name,
      kind: isPush ? 'push' : 'disk',
      everyMs,
      graceMs: chance.pick([5_000, 15_000, everyMs]),
      after: isPush ? 1 : chance.int(1, 3),
      recover: isPush ? 1 : chance.int(1, 3),
      forMs: isPush ? 0 : chance.pick([0, 0, 20_000, 60_000]),
      heartbeat: name === 'cron' ? 'never' : name === 'backup' || chance.chance(0.2) ? 'always' : 'awake',
      tags: [],
    }
    return { spec, phaseMs: chance.int(500, everyMs), spells: drawSpells(chance, isPush, healMs) }
  })
}

/** Up to three bad times, some shorter than a period. A push fails, or does not come. */
function drawSpells(chance: Prng, isPush: boolean, healMs: number): Spell[] {
  return Array.from({ length: chance.pick([0, 0, 1, 2, 3]) }, () => {
    const fromMs = chance.int(40_000, healMs - 60_000)
    const judgements: readonly (Judgement | null)[] = isPush
      ? [null, null, 'critical']
      : ['warning', 'critical', 'critical', 'unknown', null]
    const lastsMs = chance.pick([chance.int(5_000, 30_000), chance.int(30_000, 180_000)])
    return { fromMs, toMs: Math.min(healMs, fromMs + lastsMs), judgement: chance.pick(judgements) }
  })
}

function wordsOf({ name, everyMs, graceMs, after, recover, forMs, heartbeat }: CheckSpec): string {
  const words = [`${name} every ${everyMs / 1_000} s + ${graceMs / 1_000} s`]
  if (heartbeat !== 'awake') words.push(heartbeat === 'always' ? 'always' : 'no promise')
  if (after > 1) words.push(`after ${after}`)
  if (recover > 1) words.push(`recover ${recover}`)
  if (forMs > 0) words.push(`for ${forMs / 1_000} s`)
  return words.join(', ')
}
