import { describe, expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { isMineToWatch } from '../membership/observers.ts'
import { fixedRecords } from '../testing/fixed-records.ts'
import { heartbeatOf, memberAt, stateWith } from '../testing/make-state.ts'
import { cidOf, encodeCanonical } from '../wire/canonical.ts'
import { encodeRecord } from '../wire/encode.ts'
import { wireLimits } from '../wire/limits.ts'
import type { Entry, LogHead, SignedAs } from '../wire/records.ts'
import { beginWork } from '../work.ts'
import { isNext, receiveEntry, writeEntryWhenDue } from './log.ts'

const { entry: fixed } = fixedRecords

/** An entry of host `a` after `previous`. */
function entryOf(incarnation: number, seq: number, previous: string | null, signer = 'a'): SignedAs<'entry'> {
  return { ...fixed, signer, body: { ...fixed.body, life: { incarnation, epoch: 0 }, seq, previous } }
}

const cid = (entry: SignedAs<'entry'>) => cidOf(encodeCanonical(entry.body))
const head = (incarnation: number, seq: number, of = 'x'): LogHead => ({ incarnation, seq, cid: of })

test.each<[string, [number, number, string | null], LogHead | undefined, boolean]>([
  ['the first of all', [1, 1, null], undefined, true],
  ['not a second without a first', [1, 2, 'x'], undefined, false],
  ['not a first that says there was one before', [1, 1, 'x'], undefined, false],
  ['the next number with the hash of the one before', [1, 6, 'x'], head(1, 5), true],
  ['not with another hash: two histories', [1, 6, 'y'], head(1, 5), false],
  ['not with a number left out', [1, 7, 'x'], head(1, 5), false],
  ['not the same again', [1, 5, 'x'], head(1, 5), false],
  ['the first of a later incarnation, chained to the last', [2, 1, 'x'], head(1, 5), true],
  ['not the second of a later incarnation', [2, 2, 'x'], head(1, 5), false],
])('an entry follows: %s', (_, [incarnation, seq, previous], known, expected) => {
  const body: Entry = entryOf(incarnation, seq, previous).body
  expect(isNext(body, known)).toBe(expected)
})

test('a fresh entry of a new life shows that its host is back, also by a catch-up; an old one does not', () => {
  const others = Array.from({ length: 12 }, (_, index) => memberAt(`host-${index}`, 60_000))
  const before = { incarnation: 1, epoch: 0 }
  /** A host that others watch, silent since its first life. */
  const hearOf = (subject: string, road: 'gossip' | 'catch-up', ageMs: number) => {
    const verdict = { ...fixedRecords.verdict, body: { ...fixedRecords.verdict.body, subject, life: before } }
    const heartbeat = heartbeatOf(subject, { observers: [] })
    const silent = memberAt(subject, 0, { state: 'silent', life: before, heartbeat, verdict })
    const work = beginWork(stateWith([...others, silent], 60_000))
    if (isMineToWatch(work.state, silent)) return null
    receiveEntry(work, entryOf(2, 1, null, subject), 'host-1', road, ageMs)
    return work.state.members.get(subject)?.state
  }
  const subject = ['x', 'y', 'z', 'u', 'v', 'w', 'q', 'r'].find((name) => hearOf(name, 'gossip', 0) !== null) ?? ''
  expect(hearOf(subject, 'gossip', 0)).toBe('alive')
  expect(hearOf(subject, 'catch-up', limits.catchUpEveryMs)).toBe('alive')
  expect(hearOf(subject, 'catch-up', limits.catchUpEveryMs + 1)).toBe('silent')
})

describe('an entry that arrives', () => {
  const receive = (entry: SignedAs<'entry'>, known: LogHead | undefined, road: 'gossip' | 'catch-up') => {
    const state = stateWith([memberAt('a'), memberAt('b')], 60_000, {
      connected: new Set(['b']),
      heads: new Map(known === undefined ? [] : [[entry.signer, known]]),
    })
    const work = beginWork(state)
    receiveEntry(work, entry, 'b', road, 0)
    return { work, kinds: work.effects.map(({ kind }) => kind).filter((kind) => kind !== 'incident') }
  }

  test('next is kept, not fsynced, and its results are the newest', () => {
    const { work, kinds } = receive(entryOf(1, 6, 'x'), head(1, 5), 'gossip')
    expect(kinds).toEqual(['keep-entry'])
    expect(work.effects[0]).toMatchObject({ sync: false })
    expect(work.state.heads.get('a')).toEqual(head(1, 6, cid(entryOf(1, 6, 'x'))))
    expect(work.state.results.get('a')?.get('disk')?.status).toBe('warning')
  })

  test('too early by gossip is pulled for, not kept', () => {
    const { work, kinds } = receive(entryOf(1, 8, 'y'), head(1, 5), 'gossip')
    expect(kinds).toEqual(['catch-up'])
    expect(work.state.heads.get('a')).toEqual(head(1, 5))
  })

  test('after a gap in a catch-up is kept: the rest was trimmed everywhere', () => {
    expect(receive(entryOf(1, 8, 'y'), head(1, 5), 'catch-up').kinds).toEqual(['keep-entry'])
  })

  test.each([
    ['again', 1, 5],
    ['of an earlier number', 1, 4],
    ['of an earlier incarnation', 0, 99],
  ])('%s changes nothing', (_, incarnation, seq) => {
    expect(receive(entryOf(incarnation, seq, 'x'), head(1, 5), 'catch-up').kinds).toEqual([])
  })

  test('of a host that makes up ever more checks: no more of them are held than the bound', () => {
    const [result] = fixed.body.results
    if (result === undefined) throw new Error('the fixed entry has a result')
    let state = stateWith([], 20_000, {})
    for (let seq = 1; seq <= limits.resultsOfHost / limits.entryResults + 2; seq += 1) {
      const results = Array.from({ length: limits.entryResults }, (_, index) => ({
        ...result,
        check: `${seq}-${index}`,
      }))
      const work = beginWork(state)
      const entry = entryOf(1, seq, null)
      receiveEntry(work, { ...entry, body: { ...entry.body, results } }, 'peer', 'catch-up', 0)
      state = work.state
    }
    expect(state.results.get(entryOf(1, 1, null).signer)?.size).toBe(limits.resultsOfHost)
  })

  test('of our own, from before a disk was lost, is taken back; of this life too, in a life above it', () => {
    expect(receive(entryOf(0, 3, 'x', 'me'), undefined, 'catch-up').kinds).toEqual(['keep-entry'])
    expect(receive(entryOf(1, 3, 'x', 'me'), undefined, 'catch-up').kinds).toEqual([
      'report',
      'keep-life',
      'catch-up',
      'keep-entry',
    ])
  })
})

describe('our own entry', () => {
  const [result] = fixed.body.results
  const write = (gathered: number, gatheredSinceMs: number, retired: readonly string[] = [], known?: LogHead) => {
    const results = result === undefined ? [] : new Array(gathered).fill(result)
    const heads = new Map(known === undefined ? [] : [['me', known]])
    const work = beginWork(stateWith([], 20_000, { gathered: results, gatheredSinceMs, retired, heads }))
    writeEntryWhenDue(work)
    return work
  }

  test.each<[string, number, number, readonly string[], boolean]>([
    ['waits while its results are fresh', 3, 10_001, [], false],
    ['is written when they have waited ten seconds', 3, 10_000, [], true],
    ['is written when there are fifty', 50, 20_000, [], true],
    ['is written when a check was retired', 0, 0, ['old'], true],
    ['is not written of nothing', 0, 0, [], false],
  ])('%s', (_, gathered, sinceMs, retired, written) => {
    const kinds = write(gathered, sinceMs, retired).effects.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'keep-entry' || kind === 'gossip')).toEqual(
      written ? ['keep-entry', 'gossip'] : [],
    )
  })

  test('is on disk, fsynced, before it is sent', () => {
    expect(write(1, 0).effects[0]).toMatchObject({ kind: 'keep-entry', sync: true })
  })

  test.each<[string, LogHead | undefined, number, string | null]>([
    ['begins with 1 and no hash', undefined, 1, null],
    ['goes on in the same incarnation', head(1, 4, 'z'), 5, 'z'],
    ['begins with 1 in a new one, chained to the last', head(0, 9, 'z'), 1, 'z'],
  ])('%s', (_, known, seq, previous) => {
    expect(write(1, 0, [], known).effects[0]).toMatchObject({ entry: { body: { seq, previous } } })
  })

  test('holds fifty results at most, the rest waits for the next', () => {
    const work = write(120, 0)
    expect(work.effects[0]).toMatchObject({ entry: { body: { results: { length: 50 } } } })
    expect(work.state.gathered).toHaveLength(70)
  })

  // Kinds keep 32 values of up to 200 characters: fifty such results are several frames.
  test('fits into a frame, however much its results say', () => {
    const values = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`value_${index}`, 'x'.repeat(200)]))
    const gathered = result === undefined ? [] : new Array(50).fill({ ...result, values })
    const work = beginWork(stateWith([], 20_000, { gathered, gatheredSinceMs: 0 }))
    writeEntryWhenDue(work)
    const [kept] = work.effects
    if (kept?.kind !== 'keep-entry') throw new Error('an entry is due')
    expect(encodeRecord(kept.entry).byteLength).toBeLessThanOrEqual(wireLimits.recordBytes)
  })
})
