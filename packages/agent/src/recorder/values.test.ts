import { decodeCanonical, encodeCanonical, type State } from '@muster/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeFrame, type Frame, snapshotFrames } from './frames.ts'
import { namedLives, simulatedLives, withPlainMaps } from './testing/simulated-lives.ts'
import { fromPlain, toPlain } from './values.ts'

const throughBytes = (value: unknown): unknown =>
  fromPlain(decodeCanonical(encodeCanonical(toPlain(value)), Number.MAX_SAFE_INTEGER))

describe('a value is the same after bytes', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['infinity', Number.POSITIVE_INFINITY],
    ['minus infinity', Number.NEGATIVE_INFINITY],
    ['minus zero', -0],
    ['a fraction', 1234.567891],
    ['a great number', 2 ** 60],
    ['bytes', Uint8Array.of(0, 255)],
    [
      'a map in its order, of anything',
      new Map<unknown, unknown>([
        ['b', new Set(['z', 'a'])],
        [7, new Map()],
      ]),
    ],
    ['a field that is undefined', { a: undefined, b: [undefined, null] }],
    ['an object that looks like a mark', { '~': ['undefined'], a: 1 }],
    ['half of a surrogate pair', 'x\ud83dy'],
    ['a name that objects have', { constructor: 1, ['__proto__']: 2 }],
  ])('%s', (_, value) => {
    expect(throughBytes(value)).toStrictEqual(value)
  })

  const anything = fc.anything({
    withMap: true,
    withSet: true,
    withTypedArray: false,
    withNullPrototype: false,
    withBigInt: false,
    maxDepth: 4,
    key: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('~')),
    values: [fc.boolean(), fc.double(), fc.integer(), fc.string({ unit: 'binary' }), fc.constant(undefined)],
  })

  test('whatever it is', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(throughBytes(value)).toStrictEqual(value)
      }),
      { numRuns: 1_000 },
    )
  })
})

test('a state out of a faulty world is the same after its snapshot, whenever it is taken', () => {
  const lives = [
    ...simulatedLives(40),
    ...simulatedLives(7),
    ...namedLives('a host is stopped for 90 s and accuses nobody when it goes on'),
  ]
  const states = lives.flatMap(({ first, steps }) => [first, ...steps.map(({ state }) => state)])
  fc.assert(
    fc.property(fc.nat(states.length - 1), (at) => {
      const state = states[at]
      if (state === undefined) throw new Error('no state')
      expect(readBack(state)).toStrictEqual(withPlainMaps(state))
    }),
    { numRuns: 60 },
  )
})

function readBack(state: State): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const bytes of snapshotFrames(state)) {
    const frame: Frame = decodeFrame(bytes)
    if (frame.kind === 'field') fields[frame.field] = frame.value
    if (frame.kind === 'entry') (fields[frame.field] as Map<unknown, unknown>).set(...frame.entry)
  }
  return fields
}

test.each<[string, unknown]>([
  ['of no known kind', { '~': ['date', 1] }],
  ['without a list', { '~': 7 }],
  ['of a number without a name', { '~': ['number', '1e999'] }],
  ['of a map without pairs', { '~': ['map', [1]] }],
])('a mark %s is refused', (_, value) => {
  expect(() => fromPlain(value)).toThrow(/value|list|number/)
})
