import { encodeDigest, type LogHead } from '@muster/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { createPrng } from '../prng.ts'
import { TRAFFIC } from './ledger.ts'
import { createOverlay, D, lazyOf } from './overlay.ts'
import { runScale, type ScaleResult } from './scale.ts'
import { formatScale } from './scale-report.ts'
import { digestBytes } from './wire-costs.ts'

describe('a mesh of 40 hosts', () => {
  let result: ScaleResult
  let ticks = 0
  beforeAll(() => {
    result = runScale({ hosts: 40, deaths: 2, steadyMs: 60_000, stopwatch: () => (ticks += 1), heapBytes: () => 0 })
  })

  it('settles, and gives up nobody who lives', () => {
    expect(result).toMatchObject({ settled: true, falseVerdicts: 0, hosts: 40, connections: { max: 37 } })
  })

  it('knows of each death at every survivor, and tells of it once', () => {
    expect(result.deaths.map(({ survivors, knowing, notices }) => [survivors, knowing, notices])).toEqual([
      [39, 39, 1],
      [38, 38, 1],
    ])
    for (const { firstMs, halfMs, lastMs, toldMs } of result.deaths) {
      const times = [firstMs, halfMs, lastMs, toldMs].map((ms) => ms ?? Number.POSITIVE_INFINITY)
      // Heard up to 10 s before the power went, and judged 15 s after that at the soonest.
      expect(Math.min(...times)).toBeGreaterThan(5_000)
      expect(Math.max(...times)).toBeLessThan(25_000)
      expect(times.slice(0, 3)).toEqual(times.slice(0, 3).toSorted((a, b) => a - b))
    }
  })

  it('counts bytes that add up, kind by kind and agent by agent', () => {
    const { steady, agentBytes } = result
    const byKind = TRAFFIC.reduce((sum, kind) => sum + steady.byKind[kind].bytes, 0)
    const byAgent = agentBytes.reduce((sum, bytes) => sum + bytes, 0) / agentBytes.length
    expect(steady.mean.bytes).toBeCloseTo(byKind, 6)
    expect(Math.abs(byAgent - byKind)).toBeLessThan(1)
    // Eight observers, one heartbeat each in 10 s, and as many acknowledgements: of some 900 bytes together.
    expect(steady.byKind.heartbeats.messages).toBeCloseTo(1.6, 1)
    expect(steady.byKind.heartbeats.bytes).toBeGreaterThan(600)
    expect(steady.byKind.heartbeats.bytes).toBeLessThan(1_200)
    // Each of 40 hosts writes one entry a minute: at least one copy reaches each of the others, at most Dhi each.
    const entries = steady.byKind.entries.messages
    expect(entries).toBeGreaterThanOrEqual(39 / 60 - 0.01)
    expect(entries).toBeLessThan((4 * 40) / 60)
    expect(steady.byKind.votes.messages + steady.byKind.verdicts.messages).toBe(0)
    expect(result.afterDeath.byKind.verdicts.bytes).toBeGreaterThan(0)
  })

  it('times every step, and is printed in lines without holes', () => {
    const entries = result.steps.find(({ kind }) => kind === 'entry')
    expect(entries).toMatchObject({ maxUs: 1_000 })
    expect(entries?.count).toBeGreaterThan(1_000)
    const text = formatScale(result).join('\n')
    expect(text).toContain('2 deaths; survivors who never knew: 0; verdicts on hosts that lived: 0')
    expect(text).toContain('notices shown of each: 1, 1;')
    for (const kind of TRAFFIC) expect(text).toContain(`\n  ${kind} `)
    expect(text).not.toMatch(/NaN|undefined|never\b(?! knew)|NOT SETTLED/u)
  })
})

it('a digest has the bytes that it is encoded in', () => {
  const heads: Record<string, LogHead> = {}
  for (const [index, seq] of [1, 23, 24, 255, 256, 70_000].entries()) {
    heads[`12D3KooW${'x'.repeat(43)}${index}`] = { incarnation: seq, seq, cid: 'b'.repeat(59) }
  }
  for (const count of [0, 1, 15, 16, 300, 5_000]) {
    const digest = {
      heads,
      records: Array.from({ length: Math.min(count, 4_096) }, () => '0123456789abcdef'.repeat(2)),
    }
    expect(digestBytes(digest)).toBe(encodeDigest(digest).byteLength)
  }
  expect(digestBytes({ heads: {}, records: [] })).toBe(encodeDigest({ heads: {}, records: [] }).byteLength)
})

describe('an overlay', () => {
  it('brings a message to everybody, each once, in more copies than hosts and fewer than its links', () => {
    const size = 300
    const overlay = createOverlay(size, createPrng(3, 'test'))
    for (let host = 0; host < size; host += 1) {
      for (const step of [1, 7, 31, 101]) overlay.connect(host, (host + step) % size)
    }
    overlay.graft(D)
    const { reached, copies } = overlay.spread(5, 1_000, 2_000, () => true)
    expect(new Set(reached.map(({ host }) => host)).size).toBe(size - 1)
    expect(reached.length).toBe(size - 1)
    const sent = copies.reduce((sum, count) => sum + count, 0)
    expect(sent).toBeGreaterThanOrEqual(size - 1)
    expect(sent).toBeLessThan(4 * size)
  })

  it('reaches nobody through the dead, and pays for the copies that it sends them', () => {
    const overlay = createOverlay(3, createPrng(3, 'test'))
    overlay.graft(D)
    const { reached, copies } = overlay.spread(0, 0, 100, (host) => host !== 1)
    expect(reached.map(({ host }) => host)).toEqual([2])
    expect([...copies]).toEqual([2, 0, 1])
    overlay.disconnect(1)
    expect([...overlay.spread(0, 0, 100, () => true).copies]).toEqual([1, 0, 0])
  })

  it('tells one of the others what it has, when there is one', () => {
    expect([0, 4, 6, 20, 40, 196].map(lazyOf)).toEqual([0, 1, 1, 1, 1, 1])
  })
})
