import { describe, expect, it } from 'vitest'
import { type Brought, boundMbPerHour, figuresOf, JUDGED_MINUTES } from './figures.ts'
import { linesOf } from './lines.ts'
import type { AgentReading } from './readings.ts'
import { tallyOf } from './seen-notices.ts'

/** One agent that lives through it all and grows by so much, read each minute. */
function readings(name: string, minutes: number, mbPerHour: number): readonly AgentReading[] {
  return Array.from({ length: minutes + 1 }, (_, minute) => {
    const rssMb = 130 + (mbPerHour * minute) / 60
    return { name, pid: 1, hours: minute / 60, ageMinutes: minute, rssMb, descriptors: 40 + (minute % 3) }
  })
}

function broughtBy(minutes: number, change: Partial<Brought> = {}): Brought {
  return {
    minutes,
    endedEarly: false,
    names: ['host-1'],
    whyLoopback: null,
    tally: tallyOf([], []),
    falseVerdicts: [],
    troubles: [],
    agents: readings('host-1', minutes, 0),
    disks: [
      { name: 'host-1', hours: 0, storeMb: 1, recorderMb: 0.1 },
      { name: 'host-1', hours: 0.5, storeMb: 2, recorderMb: 0.1 },
    ],
    otherWork: null,
    ...change,
  }
}

const death = { name: 'host-1', fromMs: 0, isParted: false, untilMs: 60_000, isVoid: false }

describe('a soak', () => {
  it.each<[string, Brought, boolean]>([
    ['nothing happened', broughtBy(60), true],
    ['a notice was missed', broughtBy(60, { tally: tallyOf([death], []) }), false],
    ['a verdict was false', broughtBy(60, { falseVerdicts: ['host-1 on host-2'] }), false],
    ['the run had a trouble of its own', broughtBy(60, { troubles: ['SIGKILL had no effect'] }), false],
    ['an agent grows by less than the bound', broughtBy(60, { agents: readings('host-1', 60, 9) }), true],
    ['an agent grows by more', broughtBy(60, { agents: readings('host-1', 60, 11) }), false],
    ['a short run may grow', broughtBy(29, { agents: readings('host-1', 29, 100) }), true],
    ['nobody lived for long enough to be judged', broughtBy(60, { agents: readings('host-1', 15, 0) }), false],
  ])('is well or not: %s', (_, brought, isWell) => {
    const figures = figuresOf(brought)
    expect({ isWell: figures.isWell, wrong: figures.wrong }).toEqual({
      isWell,
      wrong: isWell ? [] : [expect.any(String)],
    })
    expect(linesOf(figures).join('\n')).toContain(isWell ? 'all is well' : 'NOT WELL')
  })

  it('has a slope where an agent was old enough for ten minutes, and one over all of its lives', () => {
    const [agent] = figuresOf(broughtBy(60, { agents: readings('host-1', 60, 6) })).agents
    expect(agent).toMatchObject({ slopeMbPerHour: 6, slopeWithinLivesMbPerHour: 6, lives: 1 })
    expect(agent?.descriptors).toEqual({ first: 40, last: 40, most: 42 })
    expect(agent?.storeMb).toEqual({ first: 1, last: 2, perHour: 2 })
    const [young] = figuresOf(broughtBy(19, { agents: readings('host-1', 19, 6) })).agents
    expect(young).toMatchObject({ slopeMbPerHour: null, slopeWithinLivesMbPerHour: 6 })
  })

  it('is held to less the longer it runs, and to 2 MB/h in the end', () => {
    expect([JUDGED_MINUTES, 60, 300, 3_000].map(boundMbPerHour)).toEqual([20, 10, 2, 2])
  })

  it('of nothing has figures too: it was ended at once', () => {
    const figures = figuresOf(broughtBy(0, { agents: [], disks: [], endedEarly: true }))
    expect(figures).toMatchObject({ deaths: 0, isWell: true, boundMbPerHour: null, endedEarly: true })
    expect(figures.agents).toMatchObject([{ storeMb: null, slopeMbPerHour: null }])
    expect(linesOf(figures)[0]).toContain('ended early')
  })
})
