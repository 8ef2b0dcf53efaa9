/** `muster replay` as a person uses it: what it says of recordings, and of what is none. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fileOf, framesOf, recordingOf } from '../recorder/testing/recording-of.ts'
import { namedLives, type SimulatedLife } from '../recorder/testing/simulated-lives.ts'
import { type Ended, inProcess } from './testing/in-process.ts'

let home: string
let lives: readonly SimulatedLife[]

const muster = (...args: readonly string[]): Promise<Ended> => inProcess(home, args)

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-replay-'))
  lives = namedLives('three hosts, one is killed and returns')
  for (const [at, life] of lives.entries()) await writeFile(join(home, `${at}.flight`), recordingOf(life))
})

afterAll(() => rm(home, { recursive: true }))

test('the host that told says of each step why it took it', async () => {
  const { code, out, err } = await muster('replay', '1.flight')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const lines = out.split('\n').map((line) => line.replace(/^[\d:.]+ {2}[\d:.]+ {2}/u, ''))
  const story = [
    /^-- \d{4}-\d\d-\d\d [\d:]+ \S+ {2}1\.flight: birch \(.+\), life 1\.0, at its start, muster test; knows nobody;/u,
    /^judges again, after 15\.\d s$/u,
    'loses its connection to cedar: a hint, never evidence',
    /^cedar is unheard for 11\.\d s of 15\.0 s: probes it, straight and through atlas$/u,
    'cedar does not answer the probe',
    /^votes: cedar of life 1\.0 is silent for 13\.\d s \(round 1\)$/u,
    /^no verdict on cedar yet: unheard for 13\.\d s of 15\.0 s; 1 of 2 votes \(this host\)$/u,
    /^atlas votes: cedar of life 1\.0 is silent for 13\.\d s \(round 1\): it counts$/u,
    /^no verdict on cedar yet: unheard for 13\.\d s of 15\.0 s; 2 of 2 votes \(atlas and this host\)$/u,
    /^concludes \(votes\) that cedar of life 1\.0 is gone, unheard for 15\.\d s: 2 votes of 2 observers \(atlas and this host\)$/u,
    /^incident [0-9a-f]{8} firing: cedar silent \(critical\)$/u,
    /^claim "fired" of [0-9a-f]{8} \(attempt 1000001\)$/u,
    'writes the notice of attempt 1000001 to phone',
    'the last look: the notice of attempt 1000001 may leave',
    'Waku has accepted the notice of attempt 1000001',
    /^phone has "fired" of [0-9a-f]{8}$/u,
    /^"fired" of [0-9a-f]{8} to phone is due no more$/u,
    'is connected to cedar',
    'host is back (host: cedar)',
    /^incident [0-9a-f]{8} resolved: cedar silent \(critical\)$/u,
    /^-- \d{3} events replayed; today's core decides the same on each$/u,
  ]
  let at = 0
  for (const expected of story) {
    const found = lines
      .slice(at)
      .findIndex((line) => (typeof expected === 'string' ? line === expected : expected.test(line)))
    expect({ expected, found: found >= 0 }).toEqual({ expected, found: true })
    at += found + 1
  }
})

test('the host that waited says whose turn it was, and whose word it took', async () => {
  const { out } = await muster('replay', '0.flight')
  expect(out).toMatch(
    /birch says with this host: cedar of life 1\.0 is gone: (?:adopted|known already|it waits until the evidence of this host agrees)/u,
  )
  expect(out).toMatch(/concludes \((?:adopted\) .*: the verdict of birch, on|votes\) .*:) 2 votes of 2 observers/u)
  expect(out).toMatch(/"fired" of [0-9a-f]{8} to phone.*: birch has claimed it/u)
})

test('a folder is told in the order of its files, also that of a host', async () => {
  const folder = join(home, 'host', 'data', 'flight')
  await mkdir(folder, { recursive: true })
  await copyFile(join(home, '2.flight'), join(folder, '00000001.flight'))
  await copyFile(join(home, '3.flight'), join(folder, '00000002.flight'))
  const told = await Promise.all([
    muster('replay', join(home, 'host')),
    muster('replay', folder),
    muster('replay', '--dir', join(home, 'host')),
  ])
  for (const { code, out } of told) {
    expect(code).toBe(0)
    expect(out).toBe(told[0]?.out)
    expect(out.match(/^-- .*flight: cedar .*life [12]\.0/gmu)).toHaveLength(2)
  }
})

test('facts come as JSON', async () => {
  const { out } = await muster('replay', '--json', '1.flight')
  const facts = JSON.parse(out) as { readonly lines: readonly unknown[] }
  expect(facts).toMatchObject({ recordings: ['1.flight'], events: expect.any(Number), differences: 0, read: 1 })
  expect(facts.lines).toContainEqual({
    topic: 'verdict',
    text: expect.stringContaining('concludes (votes) that cedar'),
    atMs: expect.any(Number),
    unixMs: expect.any(Number),
  })
})

test('a recording of which today’s core makes something else is bad news: exit code 1, and it says where', async () => {
  const [, life] = lives
  if (life === undefined) throw new Error('no life')
  // As if the core that recorded had let the claim be.
  const steps = life.steps.map((step) =>
    step.effects.some(({ kind }) => kind === 'send-notice') ? { ...step, effects: [] } : step,
  )
  await writeFile(join(home, 'other.flight'), recordingOf({ ...life, steps }))
  const { code, out } = await muster('replay', 'other.flight')
  expect(code).toBe(1)
  expect(out).toMatch(/! DIFFERS: on this (?:probe-ended|received) today's core decides otherwise .*claim "fired"/u)
  expect(out).toContain("today's core decides otherwise on 2.")
  await rm(join(home, 'other.flight'))
})

test('names and texts that others wrote cannot reach the terminal', async () => {
  const [life] = lives
  if (life === undefined) throw new Error('no life')
  const evil = '\u001b[2J\u009b31m\u202eevil\n-- fake'
  const first = { ...life.first, options: { ...life.first.options, name: evil } }
  const steps = life.steps.slice(0, 60).map(({ event, ...rest }) =>
    event.kind === 'command' && event.command.kind === 'publish'
      ? {
          ...rest,
          event: {
            ...event,
            command: { kind: 'publish', record: { kind: 'silence', matcher: evil, forMs: 1, atUnixMs: 1 } },
          } as const,
        }
      : { ...rest, event },
  )
  await writeFile(join(home, 'evil.flight'), recordingOf({ first, steps }))
  for (const args of [['evil.flight'], ['evil.flight', '--json']]) {
    const { out } = await muster('replay', ...args)
    expect(out).toContain('evil')
    expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(out).not.toMatch(/^-- fake/mu)
  }
  await rm(join(home, 'evil.flight'))
})

describe('what cannot be replayed is told in two lines: exit code 2', () => {
  test.each<[string, string | Uint8Array | null, string]>([
    ['nothing', null, 'there is no '],
    ['a text', 'host: vps-1\n', 'this is no recording of muster'],
    ['an empty file', '', 'this is no recording of muster'],
    ['one of a later release', 'muster-flight 2\n', 'version 2, this release reads 1'],
    ['one that never began', 'muster-flight 1\n', 'nothing of it was written'],
    ['one with escapes in it', '\u001b[31mmuster-flight 1\n', 'this is no recording of muster'],
  ])('%s', async (name, content, message) => {
    const path = join(home, `${name.replaceAll(' ', '-')}.txt`)
    if (content !== null) await writeFile(path, content)
    const ended = await muster('replay', path)
    expect(ended).toMatchObject({ code: 2, out: expect.not.stringContaining('replayed') })
    expect(ended.err).toContain(message)
    expect(ended.err.trimEnd().split('\n')).toHaveLength(2)
    expect(ended.err).not.toMatch(/ {4}at |Error:/u)
  })

  test('a folder without recordings, and a host that has none', async () => {
    const folder = join(home, 'empty')
    await mkdir(folder)
    for (const args of [[folder], ['--dir', folder]]) {
      const ended = await muster('replay', ...args)
      expect(ended).toMatchObject({ code: 2, out: '' })
      expect(ended.err).toMatch(/^muster: there (?:is no|are no recordings in) .*\n {2}name a recording/u)
    }
  })

  test('a damaged one among others costs itself alone', async () => {
    const [life] = lives
    if (life === undefined) throw new Error('no life')
    const folder = join(home, 'mixed')
    await mkdir(folder)
    await writeFile(join(folder, 'a.flight'), 'no recording')
    await writeFile(join(folder, 'b.flight'), fileOf(framesOf({ ...life, steps: life.steps.slice(0, 50) })))
    const { code, out } = await muster('replay', folder)
    expect(code).toBe(0)
    expect(out).toMatch(/^-- a\.flight: this is no recording of muster\n-- .*b\.flight: atlas/u)
  })
})
