/**
 * A job that reports by itself: a cron job's last line, a script, `muster exec`.
 *
 * A success is exit code 0, a fail is 1, an exit is its own code. A start begins a stopwatch (one for each run id) and a
 * log line says nothing about success; neither makes an observation, so the last one stands. That no ping came at all is
 * told by the check's heartbeat, not here.
 * Source: the ping API of healthchecks.io.
 */
import { z } from 'zod'
import type { Measurement, ObserveContext, Ping, PushedKind } from '../check.ts'
import { PING_BODY_BYTES_MAX, PING_STARTS_MAX } from '../limits.ts'
import { observed } from '../observation.ts'
import { lastLine } from '../sanitize.ts'

function receive(ping: Ping, context: Pick<ObserveContext, 'memory' | 'nowMs'>): Measurement | undefined {
  const starts = (context.memory.get('starts') as Map<string, number> | undefined) ?? new Map<string, number>()
  context.memory.set('starts', starts)
  const run = ping.runId?.toLowerCase() ?? ''
  if (ping.signal === 'log') return undefined
  if (ping.signal === 'start') {
    starts.delete(run)
    starts.set(run, context.nowMs())
    const [oldest] = starts.keys()
    if (starts.size > PING_STARTS_MAX && oldest !== undefined) starts.delete(oldest)
    return undefined
  }
  const startedMs = starts.get(run)
  starts.delete(run)
  const exitCode = exitCodeOf(ping)
  const durationMs = ping.durationMs ?? (startedMs === undefined ? undefined : context.nowMs() - startedMs)
  const values = {
    exit_code: exitCode,
    ...(durationMs === undefined ? {} : { duration_ms: Math.max(0, Math.round(durationMs)) }),
  }
  const outcome = exitCode === 0 ? 'done' : ping.signal === 'fail' ? 'failed' : `exit ${exitCode}`
  const said = lastLine((ping.body ?? '').slice(0, PING_BODY_BYTES_MAX))
  return { observation: observed(values, durationMs ?? 0, said === '' ? outcome : `${outcome}: ${said}`) }
}

/** An exit ping without a code that a process can have counts as failed. */
function exitCodeOf(ping: Ping): number {
  if (ping.signal === 'success') return 0
  if (ping.signal !== 'exit') return 1
  const code = ping.exitCode ?? 1
  return Number.isInteger(code) && code >= 0 && code <= 255 ? code : 1
}

/** The kind `push`. */
export const push: PushedKind<Record<string, never>> = {
  mode: 'pushed',
  kind: 'push',
  summary: 'waits for a job to report by itself',
  options: z.strictObject({}),
  defaults: { everyMs: 86_400_000, timeoutMs: 10_000, after: 1, recover: 1 },
  values: [
    { name: 'exit_code', type: 'number', unit: '', meaning: '0 is success' },
    {
      name: 'duration_ms',
      type: 'number',
      unit: 'ms',
      meaning: 'from the start ping to this one, or as the sender measured it; absent without either',
    },
  ],
  fixed: { critical: 'exit_code != 0' },
  downCodes: [],
  receive,
}
