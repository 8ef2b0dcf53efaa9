/** Recordings from anywhere: cut, damaged, foreign, made to harm. */
import { crc32, deflateRawSync } from 'node:zlib'
import { encodeCanonical } from '@muster/protocol'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { FILE_START } from './blocks.ts'
import { flightLimits } from './limits.ts'
import { readSegment } from './reading.ts'
import { RecordingError } from './recording-error.ts'
import { type StoryEnd, tellStory } from './story.ts'
import { fileOf, framesOf } from './testing/recording-of.ts'
import { namedLives } from './testing/simulated-lives.ts'

let frames: readonly Uint8Array[]
let file: Uint8Array

beforeAll(() => {
  const [life] = namedLives('three hosts, one is killed and returns')
  if (life === undefined) throw new Error('no life')
  frames = framesOf({ ...life, steps: life.steps.slice(0, 400) })
  file = fileOf(frames, 20)
})

/** Reads all of it. */
function endOf(bytes: Uint8Array): StoryEnd & { readonly last: string } {
  const story = tellStory([{ name: 'x', bytes }])
  let last = ''
  for (let next = story.next(); ; next = story.next()) {
    if (next.done === true) return { ...next.value, last }
    last = next.value.text
  }
}

test('a whole recording is read to its end', () => {
  expect(endOf(file)).toMatchObject({ differences: 0, read: 1, last: 'x: the agent stopped here' })
})

test('a recording that ends anywhere in a write is read up to there', () => {
  const whole = endOf(file).events
  const blocks: number[] = []
  for (let at = FILE_START.byteLength; at < file.byteLength; at += 8 + Buffer.from(file).readUInt32LE(at))
    blocks.push(at)
  const [last = 0, before = 0] = blocks.toReversed()
  let read = 0
  for (const length of [before, last, ...cuts(before, file.byteLength)].sort((a, b) => a - b)) {
    const end = endOf(file.subarray(0, length))
    expect(end).toMatchObject({ read: 1, differences: 0 })
    expect(end.last).toMatch(
      length === before || length === last ? /nothing more was written/ : /in the middle of a write/,
    )
    expect(end.events).toBeGreaterThanOrEqual(read)
    read = end.events
  }
  expect(read).toBeGreaterThan(whole - 40)
})

/** Every few bytes: heads, lengths and contents of blocks are all cut somewhere. */
function cuts(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.ceil((to - from) / 5) }, (_, at) => from + 1 + 5 * at).filter((at) => at < to)
}

test('a damaged block costs what comes after it, whatever a changed byte would say', () => {
  const whole = endOf(file).events
  for (let back = 1; back < 120; back += 7) {
    const damaged = Uint8Array.from(file)
    const at = file.byteLength - back
    damaged[at] = (damaged[at] ?? 0) ^ 1
    const end = endOf(damaged)
    expect(end).toMatchObject({ read: 1, differences: 0 })
    expect(end.last).toMatch(/damaged from here on|in the middle of a write/u)
    expect(end.events).toBeGreaterThan(whole - 40)
  }
})

/** A block of these raw bytes. */
function blockOf(raw: Uint8Array): Uint8Array {
  const packed = deflateRawSync(raw)
  const head = Buffer.alloc(8)
  head.writeUInt32LE(packed.byteLength, 0)
  head.writeUInt32LE(crc32(packed), 4)
  return Buffer.concat([head, packed])
}

describe('what is no recording is told so', () => {
  test.each<[string, () => Uint8Array, string]>([
    ['an empty file', () => new Uint8Array(0), 'foreign'],
    ['another file', () => Buffer.from('{"a": 1}\n'), 'foreign'],
    ['one of a release to come', () => Buffer.from('muster-flight 2\nwhatever'), 'newer-version'],
    ['one that was never begun', () => FILE_START, 'damaged'],
    ['one cut in its snapshot', () => file.subarray(0, 400), 'damaged'],
    ['a snapshot of another kind', () => fileOf([...frames.slice(0, 1), encodeCanonical({ k: 'begin' })]), 'damaged'],
    ['a bomb', () => Buffer.concat([FILE_START, blockOf(new Uint8Array(200 << 20))]), 'damaged'],
    ['one that is far too large', () => new Uint8Array(flightLimits.rawBytes + 1), 'too-large'],
  ])('%s', (_, bytes, code) => {
    expect(() => readSegment(bytes())).toThrow(expect.objectContaining({ name: 'RecordingError', code }))
  })
})

/** Nothing but a `RecordingError`, in a time and a memory that the file's size bounds. */
function expectBounded(bytes: Uint8Array): void {
  const story = tellStory([{ name: 'x', bytes }])
  let lines = 0
  for (let next = story.next(); next.done !== true; next = story.next()) lines += 1
  expect(lines).toBeLessThan(100_000)
}

describe('whatever bytes are changed, reading comes to an end and throws nothing', () => {
  test('of the file', () => {
    fc.assert(
      fc.property(changes(file.byteLength), (changed) => expectBounded(apply(file, changed))),
      { numRuns: 200 },
    )
  })

  // Behind the checksum, where the core itself meets what somebody made up.
  test('of its frames', () => {
    const length = frames.reduce((sum, frame) => sum + frame.byteLength, 0)
    fc.assert(
      fc.property(changes(length), (changed) => {
        let start = 0
        const other = frames.map((frame) => {
          const mine = changed.map(({ at, to }) => ({ at: at - start, to }))
          start += frame.byteLength
          return apply(frame, mine)
        })
        expectBounded(fileOf(other, 50))
      }),
      { numRuns: 150 },
    )
  })

  test('of its fields', () => {
    fc.assert(
      fc.property(fc.nat(frames.length - 1), fc.jsonValue({ maxDepth: 3 }), fc.string(), (at, value, field) => {
        const made = [
          { k: 'field', f: field, v: value },
          { k: 'event', a: [1, 1, 1], e: value, p: '' },
        ]
        const others = made.map((each) => encodeCanonical(each))
        expectBounded(fileOf([...frames.slice(0, at), ...others, ...frames.slice(at)], 50))
      }),
      { numRuns: 200 },
    )
  })
})

function changes(length: number): fc.Arbitrary<readonly { readonly at: number; readonly to: number }[]> {
  return fc.array(fc.record({ at: fc.nat(length - 1), to: fc.nat(255) }), { minLength: 1, maxLength: 6 })
}

function apply(bytes: Uint8Array, changed: readonly { readonly at: number; readonly to: number }[]): Uint8Array {
  const other = Uint8Array.from(bytes)
  for (const { at, to } of changed) if (at >= 0 && at < other.byteLength) other[at] = to
  return other
}

test('a recording error has a code and half a line', () => {
  expect(new RecordingError('foreign', 'no')).toMatchObject({ code: 'foreign', message: 'no' })
})
