/** `muster simulate` with more hosts than a seed draws: one large mesh, measured. */
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { type Ended, inProcess } from '../testing/in-process.ts'

const muster = (...args: readonly string[]): Promise<Ended> => inProcess(tmpdir(), args)

describe('a large mesh', () => {
  test('is told as one JSON object', async () => {
    const { code, out } = await muster('simulate', '--hosts', '14', '--json')
    expect(code).toBe(0)
    const rate = { bytes: expect.any(Number), messages: expect.any(Number) }
    const rates = { mean: rate, byKind: { heartbeats: rate, entries: rate, digests: rate, connections: rate } }
    expect(JSON.parse(out)).toMatchObject({
      hosts: 14,
      checks: 10,
      seed: 1,
      settled: true,
      falseVerdicts: 0,
      connections: { mean: 8, max: 8 },
      steady: rates,
      afterDeath: rates,
      agentBytes: Array.from({ length: 14 }, () => expect.any(Number)),
      deaths: Array.from({ length: 5 }, () => ({
        firstMs: expect.any(Number),
        halfMs: expect.any(Number),
        lastMs: expect.any(Number),
        toldMs: expect.any(Number),
        notices: 1,
      })),
      steps: expect.arrayContaining([
        expect.objectContaining({ kind: 'heartbeat', medianUs: expect.any(Number), p99Us: expect.any(Number) }),
      ]),
      stepShare: expect.any(Number),
      heapBytesPerCore: expect.any(Number),
    })
  })

  test('is told as a table, what goes on apart from it', async () => {
    const { code, out, err } = await muster('simulate', '--hosts', '13', '--seed', '2')
    expect(code).toBe(0)
    expect(out).toContain('13 hosts with 10 checks each, seed 2')
    expect(out).toMatch(/every survivor knows +\d+\.\d +\d+\.\d\n/u)
    expect(out).toContain('5 deaths; survivors who never knew: 0; verdicts on hosts that lived: 0')
    expect(err).toContain('settled')
  })

  test.each([
    [['--hosts', '1'], '--hosts is a whole number from 2 to 1200'],
    [['--hosts', '1201'], '--hosts is a whole number from 2 to 1200'],
    [['--hosts', '13', '--seeds', '2'], 'with more than 12 hosts one large mesh is measured'],
    [['--hosts', '13', '--without', 'claim'], 'with more than 12 hosts one large mesh is measured'],
    [['--hosts', '13', '--noisy'], 'with more than 12 hosts one large mesh is measured'],
    [['--seeds', '2', '--from', 'one'], '--from is a whole number from 0 to 2147483645'],
    [['--seeds', '2', '--cores', '0'], '--cores is a whole number from 1 to 256'],
  ])('%j is bad usage', async (args, message) => {
    const ended = await muster('simulate', ...args)
    expect(ended).toMatchObject({ code: 2, out: '' })
    expect(ended.err).toContain(message)
    expect(ended.err.trimEnd().split('\n').length).toBeLessThanOrEqual(2)
  })

  test('of up to twelve hosts is drawn from seeds, as ever', async () => {
    const { code, out } = await muster('simulate', '--hosts', '12', '--seeds', '1')
    expect(code).toBe(0)
    expect(out).toContain('1 seeds')
  })
})

describe('many seeds', () => {
  test('come to the same on one core and on two', async () => {
    const [alone, shared] = await Promise.all(
      ['1', '2'].map((cores) =>
        muster('simulate', '--noisy', '--hosts', '2', '--from', '7', '--seeds', '400', '--cores', cores, '--json'),
      ),
    )
    expect(alone?.code).toBe(0)
    expect(JSON.parse(shared?.out ?? '')).toEqual(JSON.parse(alone?.out ?? ''))
    expect(JSON.parse(alone?.out ?? '')).toMatchObject({ seeds: 400, verdicts: { false: 0 }, brokenSeeds: [] })
  })

  test('are drawn anew from the one that is named first', async () => {
    const seen = await Promise.all(
      [
        ['--seeds', '2'],
        ['--seeds', '1'],
        ['--seeds', '1', '--from', '2'],
      ].map(async (args) => {
        const { out } = await muster('simulate', '--noisy', '--hosts', '2', ...args, '--json')
        const { seeds, virtualMs } = JSON.parse(out) as { readonly seeds: number; readonly virtualMs: number }
        return [seeds, virtualMs]
      }),
    )
    const [both, first, second] = seen
    expect(both).toEqual([2, (first?.[1] ?? 0) + (second?.[1] ?? 0)])
    expect(first).not.toEqual(second)
  })
})
