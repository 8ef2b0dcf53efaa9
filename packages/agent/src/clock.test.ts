import { describe, expect, test } from 'vitest'
import { createClock } from './clock.ts'

/** Sources that a test moves by hand; `reads` counts the readings of the boot clock. */
function world() {
  const times = { monotonic: 1_000, boot: 5_000, unix: 1_700_000_000_000, reads: 0 }
  const clock = createClock({
    monotonicMs: () => times.monotonic,
    bootS: () => {
      times.reads += 1
      return times.boot / 1_000
    },
    unixMs: () => times.unix,
  })
  const pass = (ms: number): void => {
    times.monotonic += ms
    times.boot += ms
    times.unix += ms
  }
  const suspend = (ms: number): void => {
    times.boot += ms
    times.unix += ms
  }
  return { times, clock, pass, suspend }
}

describe('the moment of an event', () => {
  test('goes on with the monotonic clock, and reads the boot clock at most five times a second', () => {
    const { times, clock, pass } = world()
    for (let i = 0; i < 100; i += 1) {
      expect(clock.now()).toEqual({ monotonicMs: times.monotonic, bootMs: times.boot, unixMs: times.unix })
      pass(10)
    }
    expect(times.reads).toBeLessThanOrEqual(5)
  })

  test.each([
    ['right after the last reading', 1],
    ['within the time that a reading is good for', 150],
    ['later', 5_000],
  ])('knows of a suspend %s', (_when, runsMs) => {
    const { times, clock, pass, suspend } = world()
    clock.now()
    pass(runsMs)
    suspend(90_000)
    expect(clock.now()).toEqual({ monotonicMs: times.monotonic, bootMs: times.boot, unixMs: times.unix })
  })

  test('a jump of the wall clock moves nothing else', () => {
    const { times, clock, pass } = world()
    clock.now()
    pass(100)
    times.unix -= 3_600_000
    const { monotonicMs, bootMs } = clock.now()
    expect([monotonicMs, bootMs]).toEqual([1_100, 5_100])
  })
})
