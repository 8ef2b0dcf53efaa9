import { bytesToHex as hexOf } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Carried } from '../effect.ts'
import { ProtocolError } from '../errors.ts'
import { arbitraryCarried, arbitraryDigest } from '../testing/arbitrary-records.ts'
import { fixedDigest, fixedRecords, hostIdOf, MESH, OTHER_MESH } from '../testing/fixed-records.ts'
import { decodeCanonical, encodeCanonical } from './canonical.ts'
import { encodeRecord } from './encode.ts'
import { decodeDigest, decodeFrame, encodeDigest, encodeFrame, encodeFrames } from './frames.ts'
import { wireLimits } from './limits.ts'

const { heartbeat, notice } = fixedRecords
const OPTIONS = { mesh: MESH }
const HOUR = 3_600_000

function codeOf(read: () => unknown): string {
  try {
    read()
    return 'accepted'
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}

const codeOfFrame = (bytes: Uint8Array) => codeOf(() => decodeFrame(bytes, OPTIONS))
const times = <T>(count: number, value: T) => new Array<T>(count).fill(value)
const item = (a: unknown, r: unknown = encodeRecord(notice)) => ({ a, r })

describe('a frame', () => {
  test('brings its records and their ages', () => {
    fc.assert(
      fc.property(arbitraryCarried, (carried) => {
        expect(decodeFrame(encodeFrame(carried), OPTIONS)).toEqual(carried)
      }),
      { numRuns: 150 },
    )
  })

  test('with changed bytes is refused as a protocol error, or is another frame', () => {
    fc.assert(
      fc.property(arbitraryCarried, fc.nat(), fc.integer({ min: 1, max: 255 }), (carried, place, flip) => {
        const bytes = encodeFrame(carried)
        const index = place % bytes.byteLength
        const mutated = bytes.with(index, (bytes[index] ?? 0) ^ flip)
        if (codeOfFrame(mutated) === 'accepted')
          expect(hexOf(encodeFrame(decodeFrame(mutated, OPTIONS)))).toBe(hexOf(mutated))
      }),
      { numRuns: 2_000 },
    )
  })

  test.each<[string, number, number]>([
    ['is rounded to whole milliseconds', 12.5, 13],
    ['below zero is none', -3, 0],
    ['above what anything is kept is cut', 1_000 * HOUR, 49 * HOUR],
  ])('an age %s', (_, ageMs, sent) => {
    expect(decodeFrame(encodeFrame([{ record: notice, ageMs }]), OPTIONS)).toEqual([{ record: notice, ageMs: sent }])
  })

  test.each<[string, string, Uint8Array]>([
    ['of nothing is read', 'accepted', encodeCanonical([])],
    ['with an age below zero is malformed', 'malformed', encodeCanonical([item(-1)])],
    ['with half a millisecond is malformed', 'malformed', encodeCanonical([item(0.5)])],
    ['with an age above the bound is malformed', 'malformed', encodeCanonical([item(49 * HOUR + 1)])],
    ['with one key more is malformed', 'malformed', encodeCanonical([{ ...item(0), x: 1 }])],
    ['that is a map is malformed', 'malformed', encodeCanonical(item(0))],
    ['with an envelope that is no bytes is malformed', 'malformed', encodeCanonical([item(0, 'x')])],
    [
      'with a record of another mesh is refused',
      'other-mesh',
      encodeFrame([{ record: { ...notice, mesh: OTHER_MESH }, ageMs: 0 }]),
    ],
    [
      'with a record of a later version is refused',
      'newer-version',
      encodeFrame([{ record: { ...notice, version: 2 }, ageMs: 0 }]),
    ],
    [
      'of as many records as it may hold is read',
      'accepted',
      encodeCanonical(times(256, item(0, encodeRecord(fixedRecords.leave))).slice(0, 200)),
    ],
    ['of too many records is malformed', 'malformed', encodeCanonical(times(257, item(0, new Uint8Array())))],
    ['of too many bytes is not read', 'too-large', new Uint8Array(64 * 1024 + 1)],
    [
      'with a byte at its end is malformed',
      'malformed',
      new Uint8Array([...encodeFrame([{ record: notice, ageMs: 0 }]), 0]),
    ],
    ['with a long form of a length is refused', 'malformed', new Uint8Array([0x98, 0x00])],
  ])('%s', (_, code, bytes) => {
    expect(codeOfFrame(bytes)).toBe(code)
  })

  test('with one record of a later version still brings the others, where its reader says so', () => {
    const carried: Carried[] = [heartbeat, { ...notice, version: 2 }, notice].map((record) => ({ record, ageMs: 5 }))
    const refused: string[] = []
    const read = decodeFrame(encodeFrame(carried), { mesh: MESH, onRefused: ({ code }) => refused.push(code) })
    expect(read.map(({ record }) => record.domain)).toEqual(['heartbeat', 'notice'])
    expect(refused).toEqual(['newer-version'])
  })

  test('is not made of more than it holds', () => {
    expect(codeOf(() => encodeFrame(times(257, { record: fixedRecords.leave, ageMs: 0 })))).toBe('too-large')
    expect(codeOf(() => encodeFrame(times(60, { record: fixedRecords.verdict, ageMs: 0 })))).toBe('too-large')
  })
})

describe('frames', () => {
  test('hold many records in order, each within its bounds', () => {
    fc.assert(
      fc.property(arbitraryCarried, fc.integer({ min: 1, max: 120 }), (some, repeats) => {
        const carried = times(repeats, some).flat()
        const frames = encodeFrames(carried)
        for (const frame of frames) expect(frame.byteLength).toBeLessThanOrEqual(wireLimits.frameBytes)
        expect(frames.flatMap((frame) => decodeFrame(frame, OPTIONS))).toEqual(carried)
      }),
      { numRuns: 20 },
    )
  })

  test('are none for no records', () => expect(encodeFrames([])).toEqual([]))

  test('are filled well: ten thousand bytes of small records are one frame', () => {
    expect(encodeFrames(times(60, { record: notice, ageMs: 0 }))).toHaveLength(1)
    expect(encodeFrames(times(600, { record: fixedRecords.leave, ageMs: 0 }))).toHaveLength(3)
  })

  test('do not hold a record that is larger than one', () => {
    const text = 'x'.repeat(200)
    const values = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`v${index}`, text]))
    const { entry } = fixedRecords
    const record = {
      ...entry,
      body: {
        ...entry.body,
        results: times(50, undefined).flatMap(() => entry.body.results.map((one) => ({ ...one, values }))),
      },
    }
    expect(codeOf(() => encodeFrames([{ record, ageMs: 0 }]))).toBe('too-large')
  })
})

describe('a digest', () => {
  test('survives the journey', () => {
    fc.assert(
      fc.property(arbitraryDigest, (digest) => {
        expect(decodeDigest(encodeDigest(digest))).toEqual(digest)
      }),
    )
  })

  test('with changed bytes is refused as a protocol error, or is another digest', () => {
    fc.assert(
      fc.property(arbitraryDigest, fc.nat(), fc.integer({ min: 1, max: 255 }), (digest, place, flip) => {
        const bytes = encodeDigest(digest)
        const index = place % bytes.byteLength
        const mutated = bytes.with(index, (bytes[index] ?? 0) ^ flip)
        const code = codeOf(() => decodeDigest(mutated))
        if (code === 'accepted') expect(hexOf(encodeDigest(decodeDigest(mutated)))).toBe(hexOf(mutated))
      }),
      { numRuns: 2_000 },
    )
  })

  const head = { incarnation: 1, seq: 1, cid: fixedDigest.heads[hostIdOf('v')]?.cid }
  test.each<[string, string, Uint8Array]>([
    ['of nothing is read', 'accepted', encodeCanonical({ h: {}, r: new Uint8Array() })],
    ['of half an id is malformed', 'malformed', encodeCanonical({ h: {}, r: new Uint8Array(8) })],
    ['of a name for a host is malformed', 'malformed', encodeCanonical({ h: { 'vps-1': head }, r: new Uint8Array() })],
    [
      'with one key more in a head is malformed',
      'malformed',
      encodeCanonical({ h: { [hostIdOf('v')]: { ...head, x: 1 } }, r: new Uint8Array() }),
    ],
    ['with one key more is malformed', 'malformed', encodeCanonical({ h: {}, r: new Uint8Array(), x: 1 })],
    ['without ids is malformed', 'malformed', encodeCanonical({ h: {} })],
    ['of too many ids is malformed', 'malformed', encodeCanonical({ h: {}, r: new Uint8Array(16 * 4_097) })],
    ['of too many bytes is not read', 'too-large', new Uint8Array(256 * 1024 + 1)],
  ])('%s', (_, code, bytes) => {
    expect(codeOf(() => decodeDigest(bytes))).toBe(code)
  })

  test('of everything that a host may hold fits into its bound', () => {
    const hosts = Array.from(
      { length: wireLimits.digestHeads },
      (_, index) => hostIdOf('x').slice(0, -4) + base58(index),
    )
    const heads = Object.fromEntries(
      hosts.map((host) => [host, { ...fixedDigest.heads[hostIdOf('v')], incarnation: 2 ** 32 - 1, seq: 2 ** 50 }]),
    )
    const bytes = encodeDigest({
      heads: heads as typeof fixedDigest.heads,
      records: times(wireLimits.digestRecords, 'ab'.repeat(16)),
    })
    const read = decodeDigest(bytes)
    expect([Object.keys(read.heads).length, read.records.length]).toEqual([1_200, 4_096])
  })

  test('leaves out the oldest ids above its bound', () => {
    const records = [...times(10, '00'.repeat(16)), ...times(wireLimits.digestRecords, 'ff'.repeat(16))]
    const read = decodeDigest(encodeDigest({ heads: {}, records }))
    expect(new Set(read.records)).toEqual(new Set(['ff'.repeat(16)]))
  })

  test('is a map of two keys', () => {
    expect(Object.keys(decodeCanonical(encodeDigest(fixedDigest), 10_000) as object)).toEqual(['h', 'r'])
  })
})

/** Four base58 characters, different for each number below 1,200. */
function base58(number: number): string {
  const digits = 'ABCDEFGHJK'
  return [...number.toString().padStart(4, '0')].map((digit) => digits[Number(digit)]).join('')
}
