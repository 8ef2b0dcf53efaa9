import { storyTimeText } from '@muster/protocol'
import { describe, expect, it } from 'vitest'
import { FAULT_KINDS } from './faults/fault.ts'
import { formatReport } from './report.ts'
import { drawScenario } from './scenarios/draw.ts'
import { runSeeds, tellStory } from './simulate.ts'

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
  })
})
