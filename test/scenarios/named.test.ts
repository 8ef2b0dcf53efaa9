import { NAMED, runNamed } from '@muster/simulator'
import { describe, expect, it } from 'vitest'

describe('a named scenario', () => {
  it.each(NAMED)('$name', ({ scenario, shows }) => {
    const result = runNamed(scenario, { story: true })
    expect(result.broken, result.story.join('\n')).toEqual([])
    expect(result.shown.toSorted(), result.story.join('\n')).toEqual(shows.toSorted())
  })

  it('kills a notifier right after its claim in one of the three that aim at it', () => {
    const deaths = NAMED.filter(({ name }) => name.includes('right after its claim')).map(
      ({ scenario }) =>
        runNamed(scenario, { story: true }).story.filter((line) => line.includes('is off (power)')).length,
    )
    expect(deaths.toSorted()).toEqual([1, 1, 2])
  })
})
