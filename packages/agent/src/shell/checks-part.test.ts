import type { Runner, RunnerDeps } from '@muster/checks'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../config/load.ts'
import { LOOK_EVERY_MS } from '../supervisor.ts'
import { createChecks } from './checks-part.ts'

const { checks: DEFINITIONS } = parseConfig(
  'checks: [{name: a, kind: memory, every: 10s}, {name: b, kind: memory, every: 1h}, {name: c, kind: push, every: 1m}]',
  { file: 'muster.yaml', defaultHost: 'here' },
).config

/** A runner that reports when the test says so, and a clock that the test moves from look to look. */
function createWorld(definitions = DEFINITIONS) {
  let nowMs = 0
  let report: RunnerDeps['onResult'] = () => undefined
  const calls: string[] = []
  const runner: Runner = {
    start: () => calls.push('start'),
    stop: async () => void calls.push('stop'),
    replace: (next) => calls.push(`replace ${next.length}`),
    runOnce: () => Promise.reject(new Error('not asked for')),
    push: () => 'accepted',
  }
  const { part } = createChecks({
    definitions: () => definitions,
    clock: { monotonicMs: () => nowMs },
    onResult: () => undefined,
    createRunner: (_, deps) => {
      report = deps.onResult
      return runner
    },
  })
  /** What the looks of so long a time found last. */
  function look(ms: number): string | null {
    let found = part.health?.() ?? null
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs += LOOK_EVERY_MS
      found = part.health?.() ?? null
    }
    return found
  }
  return {
    part,
    calls,
    look,
    sleep(ms: number) {
      nowMs += ms
    },
    ran(name: string) {
      const check = definitions.find(({ spec }) => spec.name === name)
      if (check !== undefined) report({ check } as Parameters<RunnerDeps['onResult']>[0])
    },
  }
}

const signal = new AbortController().signal
const STUCK = 'no check has run when it was due'
const HOUR_MS = 3_600_000

describe('the runner of checks', () => {
  it('works while any check reports', async () => {
    const { part, look, ran } = createWorld()
    await part.start(signal)
    for (let turn = 0; turn < 200; turn += 1) {
      expect(look(60_000)).toBeNull()
      if (turn % 50 === 0) ran('b')
    }
  })

  it('stands still when none of those that are due does', async () => {
    const { part, look, ran } = createWorld()
    await part.start(signal)
    ran('a')
    ran('b')
    expect(look(HOUR_MS)).toBeNull()
    expect(look(HOUR_MS + 120_000)).toBe(STUCK)
    ran('c')
    expect(look(LOOK_EVERY_MS)).toBe(STUCK)
    ran('a')
    expect(look(LOOK_EVERY_MS)).toBeNull()
  })

  it('does not count the time in which the machine slept', async () => {
    const { part, look, sleep } = createWorld(DEFINITIONS.slice(0, 1))
    await part.start(signal)
    expect(look(20_000)).toBeNull()
    sleep(24 * HOUR_MS)
    expect(look(20_000)).toBeNull()
    expect(look(120_000)).toBe(STUCK)
  })

  it('begins all checks anew after a restart, with time to run', async () => {
    const { part, look, calls } = createWorld(DEFINITIONS.slice(0, 1))
    await part.start(signal)
    expect(look(120_000)).toBe(STUCK)
    await part.stop()
    expect(look(120_000)).toBeNull()
    await part.start(signal)
    expect(calls).toEqual(['start', 'stop', 'replace 0', 'replace 1', 'start'])
    expect(look(30_000)).toBeNull()
  })

  it('has nothing to do where no check is run by it', async () => {
    const { part, look } = createWorld(DEFINITIONS.slice(2))
    await part.start(signal)
    expect(look(2 * HOUR_MS)).toBeNull()
  })

  it('is the real one by default, and reports again after a restart', async () => {
    const results: string[] = []
    const { part } = createChecks({
      definitions: () => DEFINITIONS.slice(0, 1),
      clock: { monotonicMs: () => performance.now() },
      onResult: ({ check }) => results.push(check.spec.name),
    })
    await part.start(signal)
    while (results.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await part.stop()
    const before = results.length
    await part.start(signal)
    while (results.length === before) await new Promise((resolve) => setTimeout(resolve, 10))
    await part.stop()
  })
})
