import { describe, expect, it } from 'vitest'
import type { Ping } from '../check.ts'
import { PING_STARTS_MAX } from '../limits.ts'
import { push } from './push.ts'

function receiver() {
  let nowMs = 0
  const memory = new Map<string, unknown>()
  return (atMs: number, ping: Ping) => {
    nowMs = atMs
    return push.receive(ping, { memory, nowMs: () => nowMs })?.observation
  }
}

describe('push', () => {
  it.each<[Ping, number, string]>([
    [{ signal: 'success' }, 0, 'done'],
    [{ signal: 'success', body: 'copied 5 files\n\n' }, 0, 'done: copied 5 files'],
    [{ signal: 'fail', body: 'first\n\u001b[31mdisk full\u001b[0m\n' }, 1, 'failed: disk full'],
    [{ signal: 'exit', exitCode: 0 }, 0, 'done'],
    [{ signal: 'exit', exitCode: 7 }, 7, 'exit 7'],
    [{ signal: 'exit', exitCode: 256 }, 1, 'exit 1'],
    [{ signal: 'exit' }, 1, 'exit 1'],
  ])('%j is exit code %d', (ping, exitCode, text) => {
    const observation = receiver()(0, ping)
    expect(observation?.values).toEqual({ exit_code: exitCode })
    expect(observation?.text).toBe(text)
  })

  it('says nothing at a start or a log line', () => {
    const receive = receiver()
    expect(receive(0, { signal: 'start' })).toBeUndefined()
    expect(receive(1, { signal: 'log', body: 'half way' })).toBeUndefined()
  })

  it('measures from the start to the end', () => {
    const receive = receiver()
    receive(1000, { signal: 'start' })
    receive(2000, { signal: 'log' })
    expect(receive(6000, { signal: 'success' })?.values.duration_ms).toBe(5000)
    expect(receive(7000, { signal: 'success' })?.values.duration_ms).toBeUndefined()
  })

  it('keeps runs with an id apart', () => {
    const receive = receiver()
    receive(0, { signal: 'start', runId: 'A' })
    receive(100, { signal: 'start', runId: 'b' })
    expect(receive(500, { signal: 'fail', runId: 'a' })?.values.duration_ms).toBe(500)
    expect(receive(500, { signal: 'success', runId: 'b' })?.values.duration_ms).toBe(400)
  })

  it('takes the duration that the sender measured', () => {
    expect(receiver()(0, { signal: 'success', durationMs: 12.4 })).toMatchObject({
      values: { duration_ms: 12 },
      durationMs: 12,
    })
  })

  it('forgets the oldest start beyond the cap', () => {
    const receive = receiver()
    for (let run = 0; run <= PING_STARTS_MAX; run += 1) receive(run, { signal: 'start', runId: `${run}` })
    expect(receive(1000, { signal: 'success', runId: '0' })?.values.duration_ms).toBeUndefined()
    expect(receive(1000, { signal: 'success', runId: '1' })?.values.duration_ms).toBe(999)
  })
})
