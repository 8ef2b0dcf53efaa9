import { expect, test } from 'vitest'
import { nextRandom } from './prng.ts'

function draw(seed: number, count: number): readonly number[] {
  const values: number[] = []
  for (let prng = seed; values.length < count; ) {
    const [value, next] = nextRandom(prng)
    values.push(value)
    prng = next
  }
  return values
}

test('the same seed gives the same chance, another seed another', () => {
  expect(draw(42, 50)).toEqual(draw(42, 50))
  expect(draw(42, 5)).not.toEqual(draw(43, 5))
})

test('the numbers of seed 1 are kept, so that a seed printed by an old release still replays', () => {
  expect(draw(1, 3)).toEqual([0.6270739405881613, 0.002735721180215478, 0.5274470399599522])
})

test('values lie in [0, 1) and are spread over it', () => {
  const buckets = new Array<number>(10).fill(0)
  for (const value of draw(7, 10_000)) {
    const bucket = Math.floor(value * 10)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  expect(buckets).toHaveLength(10)
  for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(150)
})
