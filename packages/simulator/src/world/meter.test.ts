import { describe, expect, it } from 'vitest'
import { noticeRecord } from '../testing/history.ts'
import { createMeter } from './meter.ts'

describe('gossip of a record', () => {
  const spent = (...origins: readonly number[]): readonly number[] => {
    const meter = createMeter(5)
    const record = noticeRecord('a', 'claim')
    for (const origin of origins)
      meter.gossip(
        origin,
        [0, 1, 2, 3, 4].filter((host) => host !== origin),
        record,
      )
    return meter.drain()
  }

  it('costs its origin three copies and every other two', () => {
    const [origin = 0, ...others] = spent(0)
    expect(others).toEqual(new Array(4).fill((origin / 3) * 2))
  })

  it('costs each host once, however many gossip it alike', () => {
    expect(spent(0, 1, 2)).toEqual(spent(0))
  })

  it('costs as much again when another record says the same', () => {
    const meter = createMeter(3)
    for (const record of [noticeRecord('a', 'claim'), noticeRecord('a', 'claim')]) meter.gossip(0, [1, 2], record)
    const [twice = 0] = meter.drain()
    meter.gossip(0, [1, 2], noticeRecord('a', 'claim'))
    expect(twice).toBe(2 * (meter.drain()[0] ?? 0))
  })
})
