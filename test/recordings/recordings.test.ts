/**
 * Recordings of real meshes: today's core decides on each event what was decided then.
 *
 * A recording becomes a test by being copied into this folder (`NAME.flight`). What is expected stands inside of it: a
 * short hash of what the core decided on each event. After a deliberate change of the core: `accept.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { replayLine } from '../../packages/agent/src/cli/replay-text.ts'
import { readSegment } from '../../packages/agent/src/recorder/reading.ts'
import { replaySegment } from '../../packages/agent/src/recorder/replaying.ts'
import { type StoryLine, tellStory } from '../../packages/agent/src/recorder/story.ts'
import { accepted } from './accept.ts'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.flight'))
/** They are kept for ever: a longer one is cut to what it is about. */
const BYTES_MAX = 200_000

const bytesOf = (name: string): Uint8Array => readFileSync(new URL(name, import.meta.url))

function storyOf(name: string, bytes = bytesOf(name)): readonly StoryLine[] {
  return [...tellStory([{ name, bytes }])]
}

test('there are recordings', () => {
  expect(NAMES).toContain('killed-and-back.flight')
})

describe.each(NAMES)('%s', (name) => {
  test('is whole, and small', () => {
    const bytes = bytesOf(name)
    expect(bytes.byteLength).toBeLessThan(BYTES_MAX)
    expect(storyOf(name).at(-1)?.text).toMatch(/the agent stopped here|nothing more was written/u)
  })

  test('ends as it did: today’s core decides the same on each event', () => {
    const odd = storyOf(name).filter(({ topic }) => topic === 'difference')
    expect(odd.map((line) => replayLine(line, 'UTC'))).toEqual([])
  })

  test('is the same once it was accepted', () => {
    const bytes = bytesOf(name)
    expect(storyOf(name, accepted(bytes))).toEqual(storyOf(name, bytes))
  })
})

test('a core without a rule is found out by a recording, and what it does can be accepted', () => {
  const name = 'killed-and-back.flight'
  const segment = readSegment(bytesOf(name))
  const { options } = segment.first
  const without = { ...segment.first, options: { ...options, without: ['corroboration'] as const } }
  const odd = [...replaySegment({ ...segment, first: without })].filter(({ isSame }) => !isSame)
  expect(odd.length).toBeGreaterThan(0)
})

test('the host that told of a killed one says why, and why it was over', () => {
  const lines = storyOf('killed-and-back.flight').map(({ text }) => text)
  const story = [
    /^vps-1 is unheard for .*: probes it, straight and through /u,
    /^vps-1 does not answer the probe$/u,
    /^votes: vps-1 of life 1\.0 is silent for .* \(round 1\)$/u,
    /^home-server votes: vps-1 of life 1\.0 is silent for .* \(round 2\): it counts$/u,
    /^concludes \((?:votes|adopted)\) that vps-1 of life 1\.0 is gone, unheard for 3\.\d s: .*2 (?:votes )?of 2 observers/u,
    /^incident [0-9a-f]{8} firing: vps-1 silent \(critical\)$/u,
    /^claim "fired" of [0-9a-f]{8} /u,
    /^the last look: the notice of attempt \d+ may leave$/u,
    /^phone has "fired" of [0-9a-f]{8}$/u,
    /^host is back \(host: vps-1\)$/u,
    /^incident [0-9a-f]{8} resolved: vps-1 silent \(critical\)$/u,
  ]
  let at = 0
  for (const expected of story) {
    const found = lines.slice(at).findIndex((line) => expected.test(line))
    expect({ expected, found: found >= 0 }).toEqual({ expected, found: true })
    at += found + 1
  }
})

test('a recording holds no key and no path of this machine', () => {
  for (const name of NAMES) {
    const story = JSON.stringify([...replaySegment(readSegment(bytesOf(name)))].map(({ event }) => event))
    expect(story).not.toMatch(/\/(?:home|root|work|tmp)\/|PRIVATE KEY|\/key\/swarm/u)
  }
})
