import { expect, it } from 'vitest'
import { createTokenBucket } from './token-bucket.ts'

it('gives a burst at once, then a rate, and never more than the burst', () => {
  let nowMs = 0
  const bucket = createTokenBucket({ perSecond: 10, burst: 3, monotonicMs: () => nowMs })
  const taken = (): boolean[] => Array.from({ length: 5 }, () => bucket.tryTake(1))
  expect(taken()).toEqual([true, true, true, false, false])
  nowMs += 100
  expect(taken()).toEqual([true, false, false, false, false])
  nowMs += 1e6
  expect(taken()).toEqual([true, true, true, false, false])
  nowMs -= 500
  expect(taken()).toEqual([false, false, false, false, false])
})

it('goes into debt, and says when it is paid', () => {
  let nowMs = 0
  const bucket = createTokenBucket({ perSecond: 100, burst: 50, monotonicMs: () => nowMs })
  expect([bucket.take(50), bucket.take(10), bucket.take(10)]).toEqual([0, 100, 200])
  nowMs += 200
  expect([bucket.tryTake(1), bucket.take(1)]).toEqual([false, 10])
})
