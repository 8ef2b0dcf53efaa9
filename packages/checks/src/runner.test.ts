import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { CheckKind, Measurement, ObserveContext } from './check.ts'
import { type CheckDefinition, defineCheck } from './config.ts'
import { push } from './kinds/push.ts'
import { failed, observed } from './observation.ts'
import { createRunner, type RunResult } from './runner.ts'
import { gridOf } from './schedule.ts'

/** Time that moves only when told, and fires its timers in order. */
function createVirtualTime() {
  let nowMs = 0
  let serial = 0
  const timers = new Map<number, { atMs: number; fire: () => void }>()
  return {
    clock: { monotonicMs: () => nowMs },
    setTimer(delayMs: number, fire: () => void) {
      serial += 1
      const id = serial
      timers.set(id, { atMs: nowMs + delayMs, fire })
      return () => void timers.delete(id)
    },
    wait(delayMs: number) {
      return new Promise<void>((resolve) => this.setTimer(delayMs, resolve))
    },
    async advance(ms: number) {
      const endMs = nowMs + ms
      await settle()
      for (;;) {
        let next: [id: number, timer: { atMs: number; fire: () => void }] | undefined
        for (const entry of timers) if (next === undefined || entry[1].atMs < next[1].atMs) next = entry
        if (next === undefined || next[1].atMs > endMs) break
        timers.delete(next[0])
        nowMs = Math.max(nowMs, next[1].atMs)
        next[1].fire()
        await settle()
      }
      nowMs = endMs
    },
    /** A suspend of a clock that counts it: nothing fires until the end. */
    async leap(ms: number) {
      nowMs += ms
      await this.advance(0)
    },
    timers,
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

type Observe = (name: string, context: ObserveContext) => Promise<Measurement>

/** A runner over a made-up kind whose runs do as the test says. */
function createWorld(checks: readonly Record<string, unknown>[], observe: Observe) {
  const time = createVirtualTime()
  const results: (RunResult & { atMs: number })[] = []
  const bugs: unknown[] = []
  const options = z.strictObject({ path: z.string() })
  const kind: CheckKind<{ path: string }> = {
    mode: 'polled',
    kind: 'disk',
    summary: 'made up',
    options,
    defaults: { everyMs: 60_000, timeoutMs: 10_000, after: 1, recover: 1 },
    values: [],
    downCodes: [],
    secretOptions: ['path'],
    observe: ({ path }, context) => observe(path, context),
  }
  const define = (check: Record<string, unknown>): CheckDefinition =>
    defineCheck({ kind: 'disk', critical: 'used_percent > 50', ...check })
  const runner = createRunner(checks.map(define), {
    clock: time.clock,
    setTimer: time.setTimer,
    onResult: (result) => results.push({ ...result, atMs: time.clock.monotonicMs() }),
    onBug: (_, error) => bugs.push(error),
    findKind: (name) => (name === 'push' ? push : kind),
    env: { SECRET: 'hush-hush' },
  })
  return { runner, time, results, bugs, define, timesOf: (name: string) => timesOf(results, name) }
}

function timesOf(results: readonly (RunResult & { atMs: number })[], name: string): number[] {
  return results.filter(({ check }) => check.spec.name === name).map(({ atMs }) => atMs)
}

const measured = (percent = 1): Measurement => ({ observation: observed({ used_percent: percent }, 1, 'fine') })
const untilAborted = ({ signal }: ObserveContext) =>
  new Promise<Measurement>((resolve) => {
    signal.addEventListener('abort', () => resolve({ observation: failed('timeout', 'told to stop', 1) }))
  })

describe('runner', () => {
  it('runs a check every time it is due, and never drifts', async () => {
    const { runner, time, timesOf } = createWorld([{ name: 'a', every: '10s' }], async () => {
      await time.wait(300)
      return measured()
    })
    runner.start()
    await time.advance(100_000)
    const times = timesOf('a')
    expect(times).toHaveLength(10)
    expect(times.map((atMs) => atMs - (times[0] ?? 0))).toEqual(times.map((_, index) => index * 10_000))
    await runner.stop()
    expect(time.timers.size).toBe(0)
  })

  it('judges with the numbers in place', async () => {
    const { runner } = createWorld([{ name: 'a' }], async () => measured(75))
    expect(await runner.runOnce('a')).toMatchObject({ judgement: 'critical', because: '75 > 50: yes' })
  })

  it('owes one run after a suspend', async () => {
    const { runner, time, timesOf } = createWorld([{ name: 'a', every: '10s' }], async () => measured())
    runner.start()
    await time.advance(1000)
    await time.leap(3_600_000)
    expect(timesOf('a')).toHaveLength(2)
    await time.advance(10_000)
    expect(timesOf('a')).toHaveLength(3)
    await runner.stop()
  })

  it('never lets a check overlap itself', async () => {
    let running = 0
    let most = 0
    const { runner, time, results } = createWorld([{ name: 'a', every: '1s', timeout: '1s' }], async () => {
      running += 1
      most = Math.max(most, running)
      await time.wait(900)
      running -= 1
      return measured()
    })
    runner.start()
    const twice = Promise.all([runner.runOnce('a'), runner.runOnce('a')])
    await time.advance(10_000)
    await twice
    expect(most).toBe(1)
    expect(results.length).toBeGreaterThan(6)
    await runner.stop()
  })

  it('aborts a run at its time-out and takes its word for it', async () => {
    const { runner, time, results } = createWorld([{ name: 'a', every: '1m', timeout: '5s' }], (_, context) =>
      untilAborted(context),
    )
    runner.start()
    await time.advance(6000)
    expect(results).toHaveLength(1)
    expect(results[0]?.observation.error).toEqual({ code: 'timeout', message: 'told to stop' })
    expect(results[0]?.judgement).toBe('unknown')
    await runner.stop()
  })

  it('leaves a run behind that does not stop, and says so until it does', async () => {
    let release = () => {}
    const { runner, time, results } = createWorld([{ name: 'a', every: '10s', timeout: '5s' }], async () => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return measured()
    })
    runner.start()
    await time.advance(25_000)
    expect(results.map(({ observation }) => observation.error?.code)).toEqual(['timeout', 'stuck', 'stuck'])
    release()
    await settle()
    await time.advance(6000)
    release()
    await time.advance(1)
    expect(results.at(-1)?.observation.error).toBeUndefined()
    await runner.stop()
  })

  it.each([50, 100])('keeps 500 checks on schedule but for %d that hang', async (hungCount) => {
    const checks = Array.from({ length: 500 }, (_, index) => ({
      name: `${index < hungCount ? 'hung' : 'good'}-${index}`,
      every: '15s',
      path: index < hungCount ? '/hung' : '/good',
    }))
    const { runner, time, results } = createWorld(checks, async (path, context) => {
      if (path === '/hung') return untilAborted(context)
      await time.wait(20)
      return measured()
    })
    runner.start()
    await time.advance(120_000)
    // The first round does not know yet which are slow. From then on every run is on its grid.
    for (const { name } of checks.filter(({ path }) => path === '/good')) {
      const { firstMs } = gridOf(name, 15_000, checks.length, 0)
      const latenesses = timesOf(results, name).flatMap((atMs) => (atMs < 30_000 ? [] : [(atMs - firstMs) % 15_000]))
      expect(latenesses.length).toBeGreaterThanOrEqual(6)
      expect(Math.max(...latenesses)).toBeLessThan(600)
    }
    const hung = results.filter(({ check }) => check.spec.name.startsWith('hung'))
    expect(new Set(hung.map(({ check }) => check.spec.name)).size).toBe(hungCount)
    expect(hung.every(({ judgement }) => judgement === 'unknown')).toBe(true)
    const stopping = runner.stop()
    await time.advance(5000)
    await stopping
  })

  it('lets a run that ends late stand for the one that was due meanwhile', async () => {
    const { runner, time, results } = createWorld([{ name: 'a', every: '1s', timeout: '1s' }], async (_, context) => {
      const measurement = await untilAborted(context)
      await time.wait(200)
      return measurement
    })
    runner.start()
    await time.advance(10_000)
    expect(results.length).toBeGreaterThanOrEqual(4)
    expect(results.every(({ observation }) => observation.error?.code === 'timeout')).toBe(true)
    const stopping = runner.stop()
    await time.advance(5000)
    await stopping
  })

  it('survives a kind that throws, and reports the bug', async () => {
    const { runner, bugs } = createWorld([{ name: 'a' }], async () => {
      throw new Error('oops')
    })
    const result = await runner.runOnce('a')
    expect(result).toMatchObject({ judgement: 'unknown', observation: { error: { code: 'internal' } } })
    expect(bugs).toEqual([new Error('oops')])
  })

  it('puts secrets in before the run and cuts them out after it', async () => {
    const { runner } = createWorld([{ name: 'a' }, { name: 'b' }], async (path) => ({
      observation: observed({ used_percent: 1, echo: `/${path}/` }, 1, `saw ${path}`),
    }))
    runner.replace([
      { ...defineCheck({ name: 'a', kind: 'disk' }), options: { path: 'env:SECRET' } },
      { ...defineCheck({ name: 'b', kind: 'disk' }), options: { path: 'env:ABSENT' } },
    ])
    const { observation } = await runner.runOnce('a')
    expect(observation.text).toBe('saw ***')
    expect(observation.values.echo).toBe('/***/')
    expect((await runner.runOnce('b')).observation.error).toEqual({
      code: 'secret-missing',
      message: 'the environment has no ABSENT',
    })
  })

  it('takes pings for push checks only', async () => {
    const { runner, results } = createWorld([{ name: 'a' }], async () => measured())
    runner.replace([defineCheck({ name: 'job', kind: 'push' }), defineCheck({ name: 'a', kind: 'disk' })])
    expect(runner.push('job', { signal: 'start' })).toBe('accepted')
    expect(results).toHaveLength(0)
    expect(runner.push('job', { signal: 'exit', exitCode: 3, body: 'no space' })).toBe('accepted')
    expect(results[0]).toMatchObject({ judgement: 'critical', because: '3 != 0: yes' })
    expect(runner.push('a', { signal: 'success' })).toBe('not-push')
    expect(runner.push('none', { signal: 'success' })).toBe('unknown-check')
    await runner.stop()
    runner.push('job', { signal: 'success' })
    expect(results).toHaveLength(1)
    await expect(runner.runOnce('job')).rejects.toMatchObject({ code: 'waits-for-pings' })
    await expect(runner.runOnce('none')).rejects.toMatchObject({ code: 'unknown-check' })
  })

  it('keeps unchanged checks on their schedule over a reload, and drops the others unreported', async () => {
    const seen = vi.fn()
    const { runner, time, results, define, timesOf } = createWorld(
      [
        { name: 'keep', every: '10s' },
        { name: 'drop', every: '10s' },
        { name: 'change', every: '10s' },
      ],
      async (_, { memory }) => {
        seen(memory.get('runs'))
        memory.set('runs', Number(memory.get('runs') ?? 0) + 1)
        await time.wait(100)
        return measured()
      },
    )
    runner.start()
    await time.advance(5000)
    const [first = 0] = timesOf('keep')
    await time.advance(5020)
    runner.replace([define({ name: 'keep', every: '10s' }), define({ name: 'change', every: '1s', timeout: '1s' })])
    await time.advance(10_000)
    expect(timesOf('keep').slice(0, 2)).toEqual([first, first + 10_000])
    expect(timesOf('drop').filter((atMs) => atMs > 10_020)).toEqual([])
    expect(timesOf('change').length).toBeGreaterThan(9)
    expect(seen).toHaveBeenCalledWith(1)
    const stopping = runner.stop()
    await time.advance(5000)
    await stopping
    const count = results.length
    await time.advance(60_000)
    expect(results).toHaveLength(count)
  })

  it('stops while runs are under way, and aborts them', async () => {
    const { runner, time, results } = createWorld([{ name: 'a' }], (_, context) => untilAborted(context))
    runner.start()
    await time.advance(100)
    const stopping = runner.stop()
    await time.advance(2000)
    await stopping
    expect(results).toEqual([])
    expect(time.timers.size).toBe(0)
  })

  it('runs for real', async () => {
    const results: RunResult[] = []
    const checks = [
      { name: 'disk', kind: 'disk', every: '100ms', timeout: '100ms' },
      { name: 'hang', kind: 'command', argv: ['/bin/sh', '-c', 'sleep 100'], every: '300ms', timeout: '100ms' },
    ]
    const runner = createRunner(checks.map(defineCheck), { onResult: (result) => results.push(result) })
    runner.start()
    await vi.waitFor(() => {
      const names = results.map(({ check }) => check.spec.name)
      expect(names.filter((name) => name === 'disk').length).toBeGreaterThan(3)
      expect(names.filter((name) => name === 'hang').length).toBeGreaterThan(1)
    }, 20_000)
    await runner.stop()
    const hang = results.find(({ check }) => check.spec.name === 'hang')
    expect(hang?.observation.error?.code).toBe('timeout')
  })
})
