import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DurationError, formatDuration, parseDuration } from './duration.ts'
import { DURATION_MS_MAX } from './limits.ts'

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['1d2h3m4s5ms', 93_784_005],
    ['0s', 0],
    ['90s', 90_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each([
    ['', 'write for example'],
    ['10', 'write 10s, 10m or 10h'],
    ['5 m', 'write 5m'],
    ['5M', 'write 5m'],
    ['1.5h', 'write 1h30m'],
    ['30m1h', 'write for example'],
    ['-5s', 'write for example'],
    ['5 minutes', 'write for example'],
    ['400d', 'too long; at most 366d'],
    ['9'.repeat(50), 'write for example'],
  ])('refuses %j and says what to write', (text, remedy) => {
    expect(() => parseDuration(text)).toThrow(DurationError)
    expect(() => parseDuration(text)).toThrow(remedy)
  })

  it('reads back what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: DURATION_MS_MAX }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
  })

  it('reads any text or throws a DurationError, nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9dhms .]{0,12}$/u)), (text) => {
        try {
          const ms = parseDuration(text)
          return Number.isSafeInteger(ms) && ms >= 0 && ms <= DURATION_MS_MAX
        } catch (error) {
          return error instanceof DurationError
        }
      }),
    )
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [-5, '0s'],
    [1.4, '1ms'],
    [90_000, '1m30s'],
    [86_400_000, '1d'],
  ])('%d is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})
