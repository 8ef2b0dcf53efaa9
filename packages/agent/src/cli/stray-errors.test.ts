import { describe, expect, it } from 'vitest'
import type { Blamed } from '../supervisor.ts'
import { CliError } from './cli-error.ts'
import { createStrayErrors, STRAY_ERRORS_MAX, STRAY_WINDOW_MS } from './stray-errors.ts'

function createWorld(blame: () => Blamed | null = () => null) {
  let nowMs = 0
  const lines: string[] = []
  const given: Error[] = []
  const note =
    (level: string) =>
    (phrase: string, { reason, part }: Readonly<Record<string, unknown>> = {}): void => {
      lines.push(`${level} ${phrase}: ${reason}${part === undefined ? '' : `, ${part}`}`)
    }
  const take = createStrayErrors({
    log: { debug: note('debug'), info: note('info'), warn: note('warn') },
    monotonicMs: () => nowMs,
    blame,
    giveUp: (error) => given.push(error),
  })
  return {
    lines,
    given,
    take,
    pass(ms: number) {
      nowMs += ms
    },
  }
}

describe('errors that nobody caught', () => {
  it('are said in one line, once for each reason within a while', () => {
    const { take, lines, pass } = createWorld()
    take(new Error('drained\nand more'))
    take(new Error('drained\nand more'))
    take('no error at all')
    pass(STRAY_WINDOW_MS)
    take(new Error('drained'))
    expect(lines).toEqual([
      'warn an error was let slip: drained',
      'debug an error was let slip: drained',
      'warn an error was let slip: no error at all',
      'warn an error was let slip: drained',
    ])
  })

  it('of a part are left to the line that tells of its restart', () => {
    const { take, lines } = createWorld(() => ({ part: 'swarm', wasBroken: false }))
    take(new Error('drained'))
    expect(lines).toEqual(['debug an error was let slip: drained, swarm'])
  })

  it('are lived with while they are few, and end the agent with one line when they are many', () => {
    const { take, given, pass } = createWorld()
    for (let count = 0; count < 20; count += 1) {
      take(new Error('now and then'))
      pass(STRAY_WINDOW_MS / STRAY_ERRORS_MAX)
    }
    expect(given).toEqual([])
    for (let count = 0; count <= STRAY_ERRORS_MAX; count += 1) take(new Error('a bug\nof ours'))
    expect(given[0]).toBeInstanceOf(CliError)
    expect(given[0]).toMatchObject({
      exitCode: 1,
      message: 'too many errors within a minute, the last: a bug',
      remedy: undefined,
    })
  })

  it('of a part that is being restarted are one trouble', () => {
    let count = 0
    const { take, given } = createWorld(() => ({ part: 'swarm', wasBroken: count++ > 0 }))
    for (let turn = 0; turn < 1_000; turn += 1) take(new Error('socket closed'))
    expect(given).toEqual([])
  })
})
