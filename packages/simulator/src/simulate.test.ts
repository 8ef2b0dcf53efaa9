import { storyTimeText } from '@muster/protocol'
import { describe, expect, it } from 'vitest'
import { FAULT_KINDS } from './faults/fault.ts'
import { formatReport } from './report.ts'
import { drawScenario } from './scenarios/draw.ts'
import { drawNoisy } from './scenarios/noisy.ts'
import { addSums, runSeeds, tellStory } from './simulate.ts'

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed)

describe('a drawn scenario', () => {
  it('has 2 to 12 hosts, a death, three other faults and at least ten virtual minutes', () => {
    const sizes = new Set<number>()
    for (const seed of SEEDS) {
      const { hosts, lines, endMs, healMs } = drawScenario(seed)
      sizes.add(hosts.length)
      expect(
        lines.filter(({ fault }) => fault.kind === 'power-cut' || fault.kind === 'mass-death').length,
      ).toBeGreaterThan(0)
      expect(lines.length).toBeGreaterThanOrEqual(4)
      expect(endMs).toBeGreaterThanOrEqual(600_000)
      expect(lines.every(({ atMs }) => atMs < healMs)).toBe(true)
    }
    expect(Math.min(...sizes)).toBe(2)
    expect(Math.max(...sizes)).toBe(12)
  })

  it('draws every kind of fault in some seed', () => {
    const kinds = new Set(SEEDS.flatMap((seed) => drawScenario(seed).lines.map(({ fault }) => fault.kind)))
    expect([...kinds].toSorted()).toEqual(FAULT_KINDS.toSorted())
  })

  it('differs from seed to seed only by the seed, and by wall clocks alone when only they are drawn anew', () => {
    expect(drawScenario(5)).toEqual(drawScenario(5))
    expect(drawScenario(5)).not.toEqual(drawScenario(6))
    const [one, other] = [drawScenario(5), drawScenario(5, undefined, 99)]
    expect(one.lines.map(({ atMs, fault }) => [atMs, fault.kind])).toEqual(
      other.lines.map(({ atMs, fault }) => [atMs, fault.kind]),
    )
    expect(one.hosts.map(({ skewMs }) => skewMs)).not.toEqual(other.hosts.map(({ skewMs }) => skewMs))
  })
})

describe('a noisy scenario', () => {
  it('has loss of at most 15 %, a suspend, a partition and a cut pair, and no death', () => {
    const kinds = new Set<string>()
    for (const seed of SEEDS) {
      const { hosts, lines, endMs } = drawNoisy(seed, 2 + (seed % 9))
      expect(hosts.length).toBe(2 + (seed % 9))
      expect(endMs).toBeGreaterThanOrEqual(600_000)
      const here = lines.map(({ fault }) => fault.kind)
      expect(new Set(here)).toEqual(new Set(['loss', 'suspend', 'partition', 'link-cut']))
      for (const { fault } of lines) if (fault.kind === 'loss') expect(fault.share).toBeLessThanOrEqual(0.15)
      for (const kind of here) kinds.add(kind)
    }
    expect(drawNoisy(5, 4)).toEqual(drawNoisy(5, 4))
    expect(drawNoisy(5, 4)).not.toEqual(drawNoisy(6, 4))
  })

  it('counts the verdicts of those who were away or cut off, and without corroboration false ones', () => {
    const held = runSeeds({ from: 1, count: 10, hosts: 4, noisy: true })
    expect(held.verdicts.all).toBeGreaterThan(10)
    expect({ ...held.verdicts, falseSeeds: held.falseSeeds }).toMatchObject({ false: 0, falseSeeds: [] })
    const without = runSeeds({ from: 1, count: 10, hosts: 4, noisy: true, without: ['corroboration'] })
    expect(without.verdicts.false).toBeGreaterThan(0)
    expect(without.falseSeeds.length).toBeGreaterThan(0)
  })
})

describe('sums', () => {
  it('of ranges add up to those of the whole', () => {
    const range = (from: number, count: number) => runSeeds({ from, count, hosts: 2 })
    expect(addSums([range(1, 2), range(3, 3)])).toEqual(range(1, 5))
  })
})

describe('a story', () => {
  it('is the same each time, differs by seed, and holds virtual times only', () => {
    const story = tellStory(3, { hosts: 3 })
    expect(tellStory(3, { hosts: 3 })).toEqual(story)
    expect(tellStory(4, { hosts: 3 })).not.toEqual(story)
    expect(story.length).toBeGreaterThan(10)
    for (const line of story.slice(1)) expect(line).toMatch(/^(\d\d:\d\d\.\d{3} {2}|BROKEN )/)
  })

  it.each([
    [0, '00:00.000'],
    [61_005, '01:01.005'],
    [3_599_999, '59:59.999'],
  ])('writes %d ms as %s', (atMs, text) => {
    expect(storyTimeText(atMs)).toBe(text)
  })
})

describe('a report', () => {
  it('counts faults and invariants and names broken seeds with the command that replays them', () => {
    const sums = runSeeds({ from: 1, count: 2, hosts: 2 })
    const broken = { invariant: 'I2', atMs: 5, hosts: ['a'], text: 'a concludes too soon', seed: 2 } as const
    const lines = formatReport({ ...sums, brokenSeeds: [2], broken: [broken] })
    expect(lines[0]).toMatch(/^2 seeds, \d\.\d virtual hours, 1 broken$/)
    expect(lines.some((line) => /^ {2}power-cut +\d+$/.test(line))).toBe(true)
    expect(lines.some((line) => /^ {2}I2 +\d+ +1$/.test(line))).toBe(true)
    expect(lines).toContain('seed 2: I2 a concludes too soon')
    expect(lines).toContain('  muster simulate --seed 2')
    expect(formatReport({ ...sums, brokenSeeds: [2], broken: [broken] }, ['--hosts', '2'])).toContain(
      '  muster simulate --hosts 2 --seed 2',
    )
  })
})
