import { expect, test } from 'vitest'
import type { IncidentView } from '../api/shapes.ts'
import { listenError } from '../listen-error.ts'
import { CliError, EXIT, explainError } from './cli-error.ts'
import { historyLines } from './history-text.ts'
import { splitWords } from './passing-on.ts'
import { fitted, listed, plain } from './plain-text.ts'
import { formatLine } from './run-log.ts'
import { ageText, clockText, durationText, spanText, zonedText, zoneName } from './time-text.ts'

const NOON = Date.UTC(2026, 6, 1, 12, 0, 0)

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [21_400, '21 s'],
  [59_600, '1 min'],
  [372_000, '6 min 12 s'],
  [3_600_000, '1 h'],
  [11_100_000, '3 h 5 min'],
  [187_200_000, '2 d 4 h'],
])('%i ms last %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})

test.each([
  [999, 'now'],
  [3_000, '3 s'],
  [540_000, '9 m'],
  [7_200_000, '2 h'],
  [172_800_000, '2 d'],
])('%i ms ago is %s', (ms, text) => {
  expect(ageText(ms)).toBe(text)
})

test.each([
  [400, 21_700, '21 s'],
  [900, 21_100, '21 s'],
  [0, 21_900, '21 s'],
  [21_000, 0, '0 s'],
])('from %i to %i is what lies between the seconds that are shown: %s', (from, to, text) => {
  expect(spanText(NOON + from, NOON + to)).toBe(text)
})

test('times carry their zone, and their date when it is not today', () => {
  expect(zonedText(NOON, NOON, 'Europe/Berlin')).toBe('14:00:00 CEST')
  expect(zonedText(NOON, NOON, 'America/Los_Angeles')).toBe('05:00:00 PDT')
  expect(clockText(NOON - 86_400_000, NOON, 'UTC')).toBe('2026-06-30 12:00:00')
  expect(zoneName(NOON, 'UTC')).toBe('UTC')
  expect(() => zonedText(Number.NaN, Number.POSITIVE_INFINITY)).not.toThrow()
})

test('plain text keeps what it says and loses what commands', () => {
  expect(plain('caf\u00e9 \u65e5\u672c')).toBe('caf\u00e9 \u65e5\u672c')
  expect(plain('a\u001b[31mb\u0007\u202ec\r\nd')).toBe('a[31mbc d')
  expect(plain('x'.repeat(10), 4)).toBe('xxx\u2026')
  expect(fitted('ab', 4)).toBe('ab  ')
  expect(fitted('abcdef', 4)).toBe('abc\u2026')
  expect(listed(['a', 'b', 'c'], 2)).toBe('a, b and 1 more')
})

test.each([
  ['./notify.sh --loud', ['./notify.sh', '--loud']],
  [`sh -c 'cat > "a b"' x`, ['sh', '-c', 'cat > "a b"', 'x']],
  ['echo "a b"c', ['echo', 'a bc']],
  ['echo $HOME *', ['echo', '$HOME', '*']],
])('--exec %s is %j', (text, words) => {
  expect(splitWords(text)).toEqual(words)
})

test.each(['', '  ', 'echo "open'])('--exec %j is refused', (text) => {
  expect(() => splitWords(text)).toThrow(CliError)
})

test('errors are one or two lines, and a stack only for who asks for it', () => {
  const expected = new CliError('x', EXIT.noAgent, 'no agent runs', 'start it')
  expect(explainError(expected, false)).toEqual({ lines: ['muster: no agent runs', '  start it'], exitCode: 3 })
  const taken = listenError('swarm.listen', { address: '/ip4/0.0.0.0/tcp/4650', code: 'EADDRINUSE' }, 'muster.yaml')
  expect(explainError(taken, false)).toEqual({
    lines: [
      'swarm.listen: /ip4/0.0.0.0/tcp/4650 is in use by another program',
      '  another muster, perhaps; `ss -ltnp` shows it: stop it, or write another port in muster.yaml',
    ],
    exitCode: 2,
  })
  const bug = explainError(new TypeError('x is not a function'), false)
  expect(bug.lines).toEqual([
    'muster: unexpected: x is not a function',
    '  MUSTER_DEBUG=1 in front of the command shows more',
  ])
  expect(bug.exitCode).toBe(1)
  expect(explainError(new TypeError('x'), true).lines.length).toBeGreaterThan(2)
})

test('a log line is one line, with secrets hidden and control characters gone', () => {
  const line = JSON.stringify({
    time: NOON,
    level: 40,
    msg: 'a host is silent',
    host: 'v\u001bps\n1',
    why: 'two words',
  })
  expect(formatLine(line, false)).toBe('2026-07-01T12:00:00.000Z warn  a host is silent host="vps 1" why="two words"')
})

test('a history tells changes and the last word of each check', () => {
  const result = (status: 'ok' | 'critical', atUnixMs: number) => ({
    check: 'disk',
    kind: 'disk',
    status,
    text: `at ${atUnixMs - NOON}`,
    because: status === 'ok' ? '' : '3 < 5: yes',
    values: {},
    durationMs: 1,
    atUnixMs,
  })
  const entry = (seq: number, status: 'ok' | 'critical') => ({
    host: 'h',
    hostName: 'vps-1',
    cid: String(seq),
    incarnation: 1,
    seq,
    atUnixMs: NOON + seq,
    results: [result(status, NOON + seq)],
    retired: [],
  })
  const entries = [entry(5, 'ok'), entry(4, 'ok'), entry(3, 'critical'), entry(2, 'ok'), entry(1, 'ok')]
  const telling = { limit: 60, all: false, nowUnixMs: NOON, timeZone: 'UTC' }
  const lines = historyLines({ entries, incidents: [], truncated: false }, telling)
  expect(lines).toEqual([
    '2026-07-01 12:00:00  vps-1  disk        ok        at 1',
    '2026-07-01 12:00:00  vps-1  disk        critical  at 3  (3 < 5: yes)',
    '2026-07-01 12:00:00  vps-1  disk        ok        at 4',
    '2026-07-01 12:00:00  vps-1  disk        ok        at 5',
  ])
  expect(historyLines({ entries, incidents: [], truncated: false }, { ...telling, all: true })).toHaveLength(5)
  expect(historyLines({ entries, incidents: [], truncated: false }, { ...telling, limit: 1 })).toEqual([lines[3]])
})

test('a history tells of an incident that was missed here who concluded it, who was told, and its end where that is known', () => {
  const incident = {
    shortId: '6369',
    hostName: 'vps-1',
    fault: 'silent',
    severity: 'critical',
    voters: ['home-server', 'laptop'],
    observers: 2,
    sinceUnixMs: NOON + 900,
    resolvedUnixMs: NOON + 62_100,
    told: [
      { recipient: 'p', recipientName: 'phone', transition: 'fired', step: 'delivered', by: 'laptop', atUnixMs: null },
    ],
    acknowledged: null,
    missed: true,
  } as unknown as IncidentView
  const telling = { limit: 60, all: false, nowUnixMs: NOON, timeZone: 'UTC' }
  const lines = (incidents: readonly IncidentView[]) =>
    historyLines({ entries: [], incidents, truncated: false }, telling)
  expect(lines([incident])).toEqual([
    '2026-07-01 12:00:00  vps-1  incident 6369: vps-1 is silent, concluded by home-server, laptop, learnt here afterwards; told phone, delivered by laptop; not answered',
    '2026-07-01 12:01:02  vps-1  incident 6369 ended after 1 min 2 s',
  ])
  expect(lines([{ ...incident, told: [], resolvedUnixMs: null }])).toEqual([
    '2026-07-01 12:00:00  vps-1  incident 6369: vps-1 is silent, concluded by home-server, laptop, learnt here afterwards; it is over, since when is not known here',
  ])
})
