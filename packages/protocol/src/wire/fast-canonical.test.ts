import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { fixedRecords } from '../testing/fixed-records.ts'
import { encodeCanonical } from './canonical.ts'
import { encodeFast } from './fast-canonical.ts'

/** By the general encoder, as plain bytes: it gives a `Buffer` now and then. */
function general(value: unknown): Uint8Array {
  return new Uint8Array(dagCbor.encode(value))
}

const key = fc.oneof(fc.string({ unit: 'grapheme-ascii', maxLength: 30 }), fc.string({ unit: 'binary', maxLength: 4 }))
const leaf = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.maxSafeInteger(),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.integer({ min: -30, max: 30 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 300 }),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('value'), { maxLength: 30 }),
    fc.dictionary(key, tie('value'), { maxKeys: 30, noNullPrototype: true }),
  ),
}))

const link = CID.parse('bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae')
const circle: unknown[] = []
circle.push(circle)

describe('the encoder in one pass', () => {
  it('gives the bytes of the general one, or leaves the value to it', () => {
    let taken = 0
    fc.assert(
      fc.property(value, (any) => {
        const fast = encodeFast(any)
        if (fast === null) return
        taken += 1
        expect(fast).toEqual(general(any))
      }),
      { numRuns: 3_000 },
    )
    expect(taken).toBeGreaterThan(1_000)
  })

  const ofAscii = Object.entries(fixedRecords).filter(([, record]) => /^[ -~]*$/.test(JSON.stringify(record)))
  it.each(ofAscii)('takes the record "%s"', (_, record) => {
    expect(encodeFast(record)).toEqual(general(record))
  })

  it.each([
    ['zero below zero', -0],
    ['the least that takes a byte', 24],
    ['the most that takes a byte', 0xff],
    ['the least that takes two', 0x100],
    ['the most that takes four', 0xffffffff],
    ['the least that takes eight', 0x100000000],
    ['the most', Number.MAX_SAFE_INTEGER],
    ['the least', Number.MIN_SAFE_INTEGER],
    ['more than a whole number holds', 2 ** 60],
  ])('writes %s', (_, number) => {
    expect(encodeFast(number)).toEqual(general(number))
  })

  it.each([
    ['letters beyond ASCII', 'grün'],
    ['a link', { to: link }],
    ['half a surrogate', '\ud800'],
    ['more than its buffer holds', 'x'.repeat(70_000)],
    ['a map of another kind', Object.assign(Object.create(null) as object, { a: 1 })],
  ])('leaves %s to the general one', (_, odd) => {
    expect(encodeFast(odd)).toBe(null)
    expect(new Uint8Array(encodeCanonical(odd))).toEqual(general(odd))
  })

  it.each([
    ['nothing at all', { a: undefined }],
    ['no number', [Number.NaN]],
    ['no end', [Number.POSITIVE_INFINITY]],
    ['a circle', circle],
    ['a function', [() => 1]],
  ])('does not encode %s', (_, odd) => {
    expect(encodeFast(odd)).toBe(null)
    expect(() => encodeCanonical(odd)).toThrow()
  })

  it('writes a value alike before and after one that it could not write', () => {
    const before = encodeFast(fixedRecords.leave)
    expect(encodeFast(['x'.repeat(1_000), 'grün'])).toBe(null)
    expect(encodeFast(fixedRecords.leave)).toEqual(before)
  })
})
