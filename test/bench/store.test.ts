import { expect, test } from 'vitest'
import { generateHostKey, verify } from '../../packages/agent/src/identity/host-key.ts'
import { bytesToSignOf, cidOf, encodeCanonical, encodeRecord, parseRecord } from '../../packages/protocol/src/index.ts'
import { CHECKS, createAuthorLog, DAILY, EVERY_MS, LIVES } from './store-history.ts'
import { parseSpent } from './store-start.ts'

const MESH = 'aa'.repeat(16)
const NOW = Date.UTC(2026, 10, 21)
const DAY_MS = 86_400_000

test('the history is one that a host may have signed: chained, well-formed, of three lives, within 48 hours', () => {
  const key = generateHostKey()
  const count = 2_200
  let head = { incarnation: 0, seq: 0, cid: null as string | null }
  let results = 0
  const episodes = new Map<string, number>()
  const troubled = new Set<string>()
  for (const { record, ageMs } of createAuthorLog({ key, name: 'host' }, MESH, count, NOW).next(count, true)) {
    const { life, seq, previous, atUnixMs, results: these } = record.body
    expect([previous, seq]).toEqual([head.cid, life.incarnation === head.incarnation ? head.seq + 1 : 1])
    expect(life.incarnation).toBeGreaterThanOrEqual(head.incarnation)
    expect([NOW - atUnixMs, ageMs <= 2 * DAY_MS]).toEqual([ageMs, true])
    head = { incarnation: life.incarnation, seq, cid: cidOf(encodeCanonical(record.body)) }
    results += these.length
    for (const { check, status, episode } of these) {
      // An episode begins when a check leaves ok, and never otherwise.
      const before = episodes.get(check) ?? 0
      expect(episode - before).toBe(status === 'critical' && !troubled.has(check) ? 1 : 0)
      episodes.set(check, episode)
      if (status === 'critical') troubled.add(check)
      else troubled.delete(check)
    }
    if (seq % 1_000 !== 1) continue
    expect(verify(key.hostId, bytesToSignOf(record), record.signature)).toBe(true)
    expect(parseRecord(encodeRecord(record), { mesh: MESH, bytesMax: 64 * 1024 })).toEqual(record)
  }
  expect([results >= count * CHECKS.length, head.incarnation]).toEqual([true, LIVES])
  expect([...episodes.keys()].sort()).toEqual([...CHECKS, DAILY].sort())
  expect(10_000 * EVERY_MS).toBeGreaterThan(1.9 * DAY_MS)
})

test('how a start was spent is read from the line that the agent logs, and from no other', () => {
  const line =
    '2026-11-21T20:58:01.123Z debug the start was spent loadingMs=301 openingMs=80 readingMs=61 startingMs=90'
  expect(parseSpent(line)).toEqual({ loadingMs: 301, openingMs: 80, readingMs: 61, startingMs: 90 })
  expect(parseSpent('2026-11-21T20:58:01.123Z info  muster runs host=a version=0.1.0 incarnation=1')).toBeNull()
})
