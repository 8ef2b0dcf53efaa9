import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { encodeFrame, type SignedAs } from '@muster/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entryOf, hostIdOf, resultOf } from '../shell/testing/entries.ts'
import { packed, unpacked } from './frame-packing.ts'
import { FRAME_BYTES_MAX } from './limits.ts'

/** An entry as the checks of `muster init` make it, with a signature that does not shrink. */
function usualEntry(): Uint8Array {
  const results = [
    resultOf('disk', {
      kind: 'disk',
      values: { usedPercent: 41.3, freeBytes: 18_349_248_512 },
      text: '41 % of / used',
    }),
    resultOf('memory', { kind: 'memory', values: { usedPercent: 63.1, availableBytes: 1_512_718_336 } }),
    resultOf('load', { kind: 'load', values: { load1: 0.31, load5: 0.22, load15: 0.18, cores: 2 } }),
  ]
  const entry = { ...entryOf({ signer: hostIdOf('v'), seq: 4_711, results }), signature: randomBytes(64) }
  return encodeFrame([{ record: entry as SignedAs<'entry'>, ageMs: 0 }])
}

test('a usual entry is gossiped in little more than half its bytes', () => {
  const frame = usualEntry()
  expect(packed(frame).byteLength).toBeLessThan(0.6 * frame.byteLength)
  expect(Buffer.compare(unpacked(packed(frame)), frame)).toBe(0)
})

test('a frame that is like the one before it on its stream takes little more than what differs', () => {
  const before = usualEntry()
  const frame = Buffer.from(before)
  randomBytes(64).copy(frame, frame.byteLength - 64)
  const bytes = packed(frame, before)
  expect(bytes.byteLength).toBeLessThan(64 + 40)
  expect(Buffer.compare(unpacked(bytes, before), frame)).toBe(0)
  // Who does not know the one before cannot read it, and does not take it for something else in silence.
  const other = ((): Uint8Array | null => {
    try {
      return unpacked(bytes, usualEntry().subarray(100))
    } catch {
      return null
    }
  })()
  expect(other === null || Buffer.compare(other, frame) !== 0).toBe(true)
})

test('any frame comes back as it was, and grows by a byte at most', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), fc.integer({ min: 1, max: 30 }), (bytes, times) => {
      const frame = Buffer.concat(Array.from({ length: times }, () => bytes))
      expect(packed(frame).byteLength).toBeLessThanOrEqual(frame.byteLength + 1)
      expect(Buffer.compare(unpacked(packed(frame)), frame)).toBe(0)
    }),
  )
})

test('what would become longer than a frame may be is refused before it is', () => {
  const bomb = (bytes: number): Uint8Array => Buffer.concat([Uint8Array.of(1), deflateRawSync(Buffer.alloc(bytes))])
  expect(unpacked(bomb(FRAME_BYTES_MAX))).toHaveLength(FRAME_BYTES_MAX)
  expect(() => unpacked(bomb(FRAME_BYTES_MAX + 1))).toThrow()
  expect(() => unpacked(bomb(100_000_000))).toThrow()
})

test('garbage is refused or read, and nothing else', () => {
  const good = packed(usualEntry())
  fc.assert(
    fc.property(fc.nat(good.byteLength - 1), fc.nat(255), fc.nat(good.byteLength), (at, byte, end) => {
      const bad = Buffer.from(good).subarray(0, Math.max(1, end))
      if (at < bad.byteLength) bad[at] = byte
      try {
        expect(unpacked(bad).byteLength).toBeLessThanOrEqual(FRAME_BYTES_MAX)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
  )
  expect(() => unpacked(Uint8Array.of(2, 1, 1))).toThrow('unknown way')
})
