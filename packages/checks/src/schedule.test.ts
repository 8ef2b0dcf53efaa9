import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gridOf, nextDueMs, spread } from './schedule.ts'

describe('schedule', () => {
  it('spreads 500 checks over ten seconds, and never starts more than a few in one instant', () => {
    const counts = new Map<number, number>()
    for (let index = 0; index < 500; index += 1) {
      const { firstMs } = gridOf(`check-${index}`, 60_000, 500, 1000)
      expect(firstMs).toBeGreaterThanOrEqual(1000)
      expect(firstMs).toBeLessThan(11_000)
      const slot = Math.floor(firstMs / 100)
      counts.set(slot, (counts.get(slot) ?? 0) + 1)
    }
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(20)
    expect(counts.size).toBeGreaterThan(90)
  })

  it('begins a few checks at once', () => {
    expect(gridOf('disk', 60_000, 4, 0).firstMs).toBeLessThan(80)
  })

  it('gives the same order every time', () => {
    expect(spread('disk')).toBe(spread('disk'))
    expect(spread('disk-1')).not.toBe(spread('disk-2'))
  })

  it('never drifts, and after any gap names one moment, on the grid and in the future', () => {
    const ms = fc.integer({ min: 0, max: 1e10 })
    fc.assert(
      fc.property(ms, fc.integer({ min: 100, max: 1e8 }), ms, (firstMs, everyMs, afterMs) => {
        const due = nextDueMs({ firstMs, everyMs }, afterMs)
        expect(due).toBeGreaterThan(Math.min(afterMs, firstMs - 1))
        expect((due - firstMs) % everyMs).toBe(0)
        expect(due - Math.max(afterMs, firstMs)).toBeLessThanOrEqual(everyMs)
      }),
    )
  })
})
