import type { Rule } from '@muster/protocol'
import { type Invariant, runSeeds } from '@muster/simulator'
import { describe, expect, it } from 'vitest'

/** Seeds within which each rule must be missed. */
const SEEDS_MAX = 300

describe('the checkers notice', () => {
  it.each<[rule: Rule, hosts: number, expected: readonly Invariant[]]>([
    ['own-gap', 3, ['I2', 'I5']],
    ['isolation', 3, ['I2', 'I5']],
    ['corroboration', 4, ['I2']],
    ['claim', 3, ['I4']],
    ['merged-log', 3, ['I4', 'I10', 'I14']],
    ['persisted-incarnation', 3, ['I7']],
  ])('when the rule %s is missing among %d hosts: one of %s breaks', (rule, hosts, expected) => {
    let found: readonly Invariant[] = []
    const sums = runSeeds({
      from: 1,
      count: SEEDS_MAX,
      hosts,
      without: [rule],
      onBroken: ({ broken }) => {
        found = broken.map(({ invariant }) => invariant).filter((invariant) => expected.includes(invariant))
        return found.length === 0
      },
    })
    expect(found, `${sums.seeds} seeds held`).not.toEqual([])
  })
})
