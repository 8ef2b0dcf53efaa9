import { describe, expect, it } from 'vitest'
import { defineCheck } from '../config.ts'
import { failed, observed, type Values } from '../observation.ts'
import { findKind } from '../registry.ts'
import { judge } from './judge.ts'

function judged(config: Record<string, unknown>, values: Values, error?: [code: string, message: string]) {
  const { conditions } = defineCheck({ name: 'it', ...config })
  const observation = error === undefined ? observed(values, 1, 'text') : failed(error[0], error[1], 1, values)
  const { judgement, because } = judge({ observation }, conditions, findKind(String(config.kind))?.downCodes ?? [])
  return `${judgement}: ${because}`
}

const disk = { kind: 'disk', warning: 'free_percent < 10', critical: 'free_percent < 5' }
const site = { kind: 'http', url: 'http://127.0.0.1/', critical: 'status != 200 || duration_ms > 2000' }
const port = { kind: 'tcp', host: '127.0.0.1', port: 9 }
const refused: [string, string] = ['refused', 'connection refused']

describe('judge', () => {
  it.each<[string, Record<string, unknown>, Values, [string, string] | undefined, string]>([
    [
      'is ok with the numbers in place',
      site,
      { status: 200, duration_ms: 139 },
      undefined,
      'ok: 200 != 200 || 139 > 2000: no',
    ],
    ['is a warning', disk, { free_percent: 8.4 }, undefined, 'warning: 8.4 < 10: yes'],
    ['lets the worst win', disk, { free_percent: 4.2 }, undefined, 'critical: 4.2 < 5: yes'],
    [
      'is unknown when a value is missing',
      disk,
      { total_bytes: 1 },
      undefined,
      'unknown: free_percent was not measured',
    ],
    [
      'is critical when that is certain all the same',
      site,
      { status: 500 },
      undefined,
      'critical: 500 != 200 || duration_ms > 2000: yes',
    ],
    ['is critical when the target is down', site, {}, refused, 'critical: connection refused'],
    [
      'is unknown when it could not be measured',
      disk,
      {},
      ['permission', '/x: permission denied'],
      'unknown: /x: permission denied',
    ],
    ['is unknown when this host has no route', port, {}, ['no-route', 'no route'], 'unknown: no route'],
    [
      'is critical by default when a port is closed',
      port,
      { connected: false },
      refused,
      'critical: connection refused',
    ],
    [
      'is ok when a port that must be closed is',
      { ...port, critical: 'connected' },
      { connected: false },
      refused,
      'ok: false: no',
    ],
    [
      'is critical when the condition cannot tell',
      { ...port, critical: 'connect_ms > 5' },
      { connected: false },
      refused,
      'critical: connection refused',
    ],
    [
      'takes a plugin at its word',
      { kind: 'command', argv: ['x'] },
      { exit_code: 2 },
      undefined,
      'critical: 2 == 2: yes',
    ],
    [
      'knows that a plugin could not tell',
      { kind: 'command', argv: ['x'] },
      { exit_code: 3 },
      undefined,
      'unknown: 3 == 3: yes',
    ],
    [
      'only worsens what a plugin says',
      { kind: 'command', argv: ['x'], critical: "perf('a') > 9" },
      { exit_code: 1, a_s: 5 },
      undefined,
      'warning: 1 == 1: yes',
    ],
    [
      'worsens what a plugin says',
      { kind: 'command', argv: ['x'], critical: "perf('a') > 3" },
      { exit_code: 0, a_s: 5 },
      undefined,
      'critical: 5 > 3: yes',
    ],
    [
      'misses what a plugin did not say',
      { kind: 'command', argv: ['x'], critical: "perf('a') > 3" },
      { exit_code: 0 },
      undefined,
      "unknown: perf('a') was not measured",
    ],
    ['is critical when a job failed', { kind: 'push' }, { exit_code: 7 }, undefined, 'critical: 7 != 0: yes'],
    ['is ok when a job is done', { kind: 'push' }, { exit_code: 0 }, undefined, 'ok: 0 != 0: no'],
    [
      'is unknown when a duration is wanted and none came',
      { kind: 'push', warning: 'duration_ms > 5' },
      { exit_code: 0 },
      undefined,
      'unknown: duration_ms was not measured',
    ],
  ])('%s', (_, config, values, error, expected) => {
    expect(judged(config, values, error)).toBe(expected)
  })
})
