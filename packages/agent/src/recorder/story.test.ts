/** The story of faulty worlds: nothing of what happens there is left without words, and none is beyond them. */
import { NAMED } from '@muster/simulator'
import { describe, expect, test } from 'vitest'
import { tellStory } from './story.ts'
import { recordingOf } from './testing/recording-of.ts'
import { namedLives, type SimulatedLife, simulatedLives } from './testing/simulated-lives.ts'

function linesOf(lives: readonly SimulatedLife[]): readonly string[] {
  return lives.flatMap((life) => {
    const story = [...tellStory([{ name: 'x', bytes: recordingOf(life) }])]
    expect(story.at(-1)?.text).toBe('x: the agent stopped here')
    expect(story.filter(({ topic }) => topic === 'difference')).toEqual([])
    return story.map(({ text }) => text)
  })
}

test.each([3, 9])('in the drawn world %i each life is told to its end', (seed) => {
  const lines = linesOf(simulatedLives(seed))
  expect(lines.filter((line) => /undefined|NaN|\[object/u.test(line))).toEqual([])
})

describe('why', () => {
  // the world, and what some host in it says
  test.each<[string, readonly RegExp[]]>([
    [
      'a host is stopped for 90 s and accuses nobody when it goes on',
      [
        /^this host was not awake, it judges nobody for a while \(gapMs: 90\d\d\d\)$/u,
        /^still judges nobody; a round of catch-ups is through/u,
        /^judges again, after /u,
      ],
    ],
    [
      'an isolated host with Waku and its peers tell of one trouble',
      [
        /^this host hears nobody \(members: 3\)$/u,
        /^this host hears others again$/u,
        /^incident .* firing: this host isolated/u,
      ],
    ],
    ['three hosts, one is killed and returns', [/the turn goes to .* in this order; this host has rank \d and waits/u]],
    [
      'two hosts, one loses power and returns',
      [
        /^concludes \(alone\) .*: no other voice came for one more period$/u,
        /^no verdict on birch yet: 1 of 1 votes \(this host\), but nobody else can vote: it waits one more period/u,
      ],
    ],
    ['a planned goodbye is no news', [/^birch was asked to leave the mesh$/u, /^birch was alive, is left$/u]],
    ['a laptop that sleeps wakes nobody', [/^incident .* firing: birch asleep: not told, for its host sleeps$/u]],
    ['a stop that is back in time is no news', [/^birch says that it stops, and means to be back in \d+\.\d s$/u]],
    [
      'a maintenance excuses an absence',
      [/asked to excuse birch for 180\.0 s$/u, /: not told, for its host is in maintenance$/u],
    ],
    [
      'a notice waits while there is no Waku anywhere',
      [/^nobody on Waku took the notice of attempt \d+$/u, /^release "fired" of /u],
    ],
  ])('in a world where %s', (name, said) => {
    expect(NAMED.map((named) => named.name)).toContain(name)
    const lines = linesOf(namedLives(name))
    for (const one of said) expect({ one, isSaid: lines.some((line) => one.test(line)) }).toEqual({ one, isSaid: true })
  })
})
