import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import {
  BACKOFF_MAX_MS,
  BAD_LOOKS,
  backoffMs,
  createSupervisor,
  LOOK_EVERY_MS,
  type Part,
  STEADY_MS,
  STOP_MS_MAX,
  type Supervisor,
} from './supervisor.ts'

/** Time as the test wants it, a log, and parts that say what is called on them. */
function createWorld() {
  let nowMs = 0
  let timers: { readonly dueMs: number; readonly fire: () => void }[] = []
  const calls: string[] = []
  const lines: string[] = []
  const note = (phrase: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    lines.push(`${phrase}: ${fields.part} ${fields.reason ?? ''}`.trim())
  }
  const supervisor = createSupervisor({
    log: { debug: () => undefined, info: note, warn: note },
    clock: { monotonicMs: () => nowMs, unixMs: () => 1_000_000 + nowMs },
    random: () => 1,
    setTimer(delayMs, fire) {
      const timer = { dueMs: nowMs + delayMs, fire }
      timers.push(timer)
      return () => {
        timers = timers.filter((each) => each !== timer)
      }
    },
  })

  /** Lets time pass, and all that follows from each timer come to rest. */
  async function pass(ms: number): Promise<void> {
    const endMs = nowMs + ms
    await settled()
    for (;;) {
      const next = timers.filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
      if (next === undefined) break
      timers = timers.filter((each) => each !== next)
      nowMs = next.dueMs
      next.fire()
      await settled()
    }
    nowMs = endMs
  }

  return { supervisor, pass, calls, lines, now: () => nowMs, timers: () => timers.length }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
}

interface Mood {
  /** Starts that still fail. */
  failing: number
  trouble: string | null
}

function part(name: string, calls: string[], mood: Mood = { failing: 0, trouble: null }): Part {
  return {
    name,
    async start() {
      calls.push(`start ${name}`)
      if (mood.failing === 0) return
      mood.failing -= 1
      throw new Error('not yet\n  try this')
    },
    async stop() {
      calls.push(`stop ${name}`)
    },
    health: () => mood.trouble,
  }
}

const starts = (calls: readonly string[], name: string): number =>
  calls.filter((call) => call === `start ${name}`).length

describe('starting and stopping', () => {
  it('stops its parts in the reverse order of their start, and leaves no timer', async () => {
    const { supervisor, calls, timers } = createWorld()
    await supervisor.run(part('a', calls))
    await supervisor.run(part('b', calls))
    await supervisor.stop()
    expect(calls).toEqual(['start a', 'start b', 'stop b', 'stop a'])
    expect(timers()).toBe(0)
  })

  it('keeps trying a part whose first start fails, unless it must start', async () => {
    const { supervisor, calls, pass } = createWorld()
    await supervisor.run(part('a', calls, { failing: 1, trouble: null }))
    await pass(500)
    expect(starts(calls, 'a')).toBe(2)
    const must = supervisor.run(part('b', calls, { failing: 1, trouble: null }), { mustStart: true })
    await expect(must).rejects.toThrow('not yet')
  })

  it('survives background work that fails', async () => {
    const { supervisor } = createWorld()
    supervisor.background('something', Promise.reject(new Error('lost')))
    await supervisor.stop()
  })

  it('leaves behind a part that hangs in its stop, and starts it again', async () => {
    const { supervisor, calls, lines, pass } = createWorld()
    const hanging = { ...part('a', calls), stop: () => new Promise<void>(() => undefined) }
    await supervisor.run(hanging)
    supervisor.failed('a', new Error('wedged'))
    await pass(STOP_MS_MAX + 500)
    expect(starts(calls, 'a')).toBe(2)
    expect(lines).toContain('part did not stop well: a it does not stop within 10 s')
  })

  it('gives up a start that hangs, and one that is under way when all are to stop', async () => {
    const { supervisor, lines, pass } = createWorld()
    const hanging = { ...part('a', []), start: () => new Promise<void>(() => undefined) }
    const running = supervisor.run(hanging)
    await pass(30_000)
    await running
    await pass(600)
    expect(lines.at(-1)).toBe('part failed, it is started again: a it does not start within 30 s')
    await supervisor.stop()
  })
})

describe('a part that has wedged', () => {
  it('is found by its health after a few looks in a row, and started again while another goes on', async () => {
    const { supervisor, calls, lines, pass } = createWorld()
    const mood: Mood = { failing: 0, trouble: null }
    await supervisor.run(part('a', calls))
    await supervisor.run(part('b', calls, mood))
    await pass(10 * LOOK_EVERY_MS)
    mood.trouble = 'it no longer listens'
    await pass((BAD_LOOKS - 1) * LOOK_EVERY_MS)
    expect(calls).toEqual(['start a', 'start b'])
    await pass(LOOK_EVERY_MS)
    expect(supervisor.broken()).toEqual([
      { name: 'b', reason: 'it no longer listens', sinceUnixMs: 1_000_000 + (10 + BAD_LOOKS) * LOOK_EVERY_MS },
    ])
    mood.trouble = null
    await pass(500)
    expect(calls).toEqual(['start a', 'start b', 'stop b', 'start b'])
    expect(supervisor.broken()).toEqual([])
    expect(lines).toEqual(['part failed, it is started again: b it no longer listens', 'part runs again: b'])
  })

  it('is not restarted for a trouble that passes', async () => {
    const { supervisor, calls, pass } = createWorld()
    const mood: Mood = { failing: 0, trouble: null }
    await supervisor.run(part('a', calls, mood))
    for (let turn = 0; turn < 10; turn += 1) {
      mood.trouble = 'a moment'
      await pass((BAD_LOOKS - 1) * LOOK_EVERY_MS)
      mood.trouble = null
      await pass(LOOK_EVERY_MS)
    }
    expect(starts(calls, 'a')).toBe(1)
  })

  it('is one whose health cannot even be asked', async () => {
    const { supervisor, calls, lines, pass } = createWorld()
    const throwing: Part = {
      ...part('a', calls),
      health() {
        throw new Error('gone')
      },
    }
    await supervisor.run(throwing)
    await pass(BAD_LOOKS * LOOK_EVERY_MS)
    expect(lines).toEqual(['part failed, it is started again: a gone'])
  })

  it('is said with the reason of the newest try, and since when it is down', async () => {
    const { supervisor, calls, lines, pass } = createWorld()
    const mood: Mood = { failing: 0, trouble: null }
    await supervisor.run(part('a', calls, mood))
    await pass(100)
    mood.failing = 3
    supervisor.failed('a', new Error('wedged'))
    await pass(500)
    // The first line: the remedy on the second is for who starts the agent.
    expect(supervisor.broken()).toEqual([{ name: 'a', reason: 'not yet', sinceUnixMs: 1_000_100 }])
    await pass(10_000)
    expect(lines).toEqual([
      'part failed, it is started again: a wedged',
      'part failed to start, it is tried again: a not yet',
      'part failed to start, it is tried again: a not yet',
      'part failed to start, it is tried again: a not yet',
      'part runs again: a',
    ])
  })
})

describe('the wait before a restart', () => {
  it.each([
    [0, 1, 500],
    [0, 0, 250],
    [1, 1, 1_000],
    [6, 1, 32_000],
    [7, 1, BACKOFF_MAX_MS],
    [1_000, 0, BACKOFF_MAX_MS / 2],
  ])('after %i restarts, chance %d: %i ms', (restarts, chance, expected) => {
    expect(backoffMs(restarts, chance)).toBe(expected)
  })

  /** How long a part is down that fails at once. */
  async function downMs({ supervisor, pass, now }: ReturnType<typeof createWorld>): Promise<number> {
    const fromMs = now()
    supervisor.failed('a', new Error('wedged'))
    while (supervisor.broken().length > 0) await pass(50)
    return now() - fromMs
  }

  it('grows when the part breaks again soon after its start, and is small again after it ran for long', async () => {
    const world = createWorld()
    await world.supervisor.run(part('a', world.calls))
    const waits: number[] = []
    for (let turn = 0; turn < 5; turn += 1) {
      waits.push(await downMs(world))
      await world.pass(STEADY_MS - 1)
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000])
    await world.pass(1)
    expect(await downMs(world)).toBe(500)
  })
})

describe('an error that nobody caught', () => {
  const libraryError = (): Error => Object.assign(new Error('race'), { stack: 'Error: race\n    at node:net:1:1' })

  /** A part that keeps the context of its newest start, as its sockets and timers do. */
  function contextual(name: string, calls: string[], mood?: Mood) {
    const inside: ((work: () => unknown) => unknown)[] = []
    const made: Part = {
      ...part(name, calls, mood),
      async start() {
        calls.push(`start ${name}`)
        inside.push(AsyncLocalStorage.snapshot())
      },
    }
    return { made, inside }
  }

  const blameIn = (
    supervisor: Supervisor,
    inside: ((work: () => unknown) => unknown) | undefined,
    error: Error,
  ): unknown => inside?.(() => supervisor.blame(error))

  it('restarts the part that it came out of, without a long wait while that still works', async () => {
    const { supervisor, calls, lines, pass } = createWorld()
    const { made, inside } = contextual('swarm', calls)
    await supervisor.run(part('waku', calls))
    await supervisor.run(made)
    for (let turn = 0; turn < 3; turn += 1) {
      expect(blameIn(supervisor, inside.at(-1), libraryError())).toEqual({ part: 'swarm', wasBroken: false })
      await pass(500)
    }
    expect(starts(calls, 'swarm')).toBe(4)
    expect(starts(calls, 'waku')).toBe(1)
    expect(lines[0]).toBe('part failed, it is started again: swarm race')
  })

  it('is a remnant while the part is restarted, and when it comes of what was before', async () => {
    const { supervisor, calls, pass } = createWorld()
    const { made, inside } = contextual('swarm', calls)
    await supervisor.run(made)
    blameIn(supervisor, inside[0], libraryError())
    expect(blameIn(supervisor, inside[0], libraryError())).toEqual({ part: 'swarm', wasBroken: true })
    await pass(500)
    expect(blameIn(supervisor, inside[0], libraryError())).toEqual({ part: 'swarm', wasBroken: true })
    await pass(500)
    expect(starts(calls, 'swarm')).toBe(2)
  })

  it('is of nobody when it comes from elsewhere', async () => {
    const { supervisor, calls } = createWorld()
    await supervisor.run(part('swarm', calls))
    expect(supervisor.blame(libraryError())).toBeNull()
    expect(supervisor.blame('no error at all')).toBeNull()
  })
})
