import { describe, expect, test } from 'vitest'
import { createTestAgent, hostIdOf } from '../api/testing/test-agent.ts'
import { tellNews } from './effect-news.ts'

/** What the log says of a host that was concluded to be gone, after it had said so much of itself. */
function saidOf(how: 'asleep' | 'stopped' | 'dead'): readonly unknown[][] {
  const agent = createTestAgent()
  agent.live('vps-1', 'vps-1', { sleeps: how === 'asleep', mode: how === 'stopped' ? 'stopping' : 'up' })
  agent.advance(30_000)
  const lines: unknown[][] = []
  const log = {
    debug: () => undefined,
    info: (...line: unknown[]) => void lines.push(['info', ...line]),
    warn: (...line: unknown[]) => void lines.push(['warn', ...line]),
  }
  agent.die('vps-1')
  agent.advance(360_000)
  const life = { incarnation: 1, epoch: 0 }
  const concluded = { kind: 'concluded', subject: hostIdOf('vps-1'), life, beat: 1, ageMs: 9, how: 'alone' } as const
  tellNews(concluded, agent.port.state(), log, () => undefined)
  return lines
}

describe('a conclusion is logged', () => {
  test.each([
    ['dead', 'warn', 'a host is silent'],
    ['asleep', 'info', 'a host is asleep'],
    ['stopped', 'warn', 'a host was stopped and is not back'],
  ] as const)('of a host that is %s: %s %s', (how, level, phrase) => {
    expect(saidOf(how)).toEqual([[level, phrase, { host: 'vps-1', how: 'alone', ageMs: 9 }]])
  })
})
