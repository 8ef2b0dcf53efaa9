import { describe, expect, test } from 'vitest'
import { createCertificateBook } from '../identity/certificate.ts'
import { headOf } from '../shell/testing/entries.ts'
import { createChain } from './chain.ts'
import { type CheckedEntry, checkEntry } from './entry-check.ts'
import { createRecordCheck } from './record-check.ts'
import { BEGAN_MS, entryBy, logOf, memberOf, storedEntry } from './testing/kept-mesh.ts'

const vps = memberOf('vps-1', 1)
const HOUR_MS = 3_600_000

/** The log of two lives, of four entries and three, an hour apart. */
const log = logOf(vps, 4, 3).map((entry, index): CheckedEntry => {
  const { cid, ...place } = headOf(entry)
  return { place, storedAtUnixMs: BEGAN_MS + index * HOUR_MS, entry, cid, fault: null }
})

function walked(entries: readonly CheckedEntry[], historyFromUnixMs = BEGAN_MS) {
  const chain = createChain([], historyFromUnixMs)
  for (const entry of entries) chain.next(entry)
  return chain.report()
}

const kindsOf = (entries: readonly CheckedEntry[], historyFromUnixMs?: number): readonly string[] =>
  walked(entries, historyFromUnixMs).first.map(({ kind, place }) => `${kind} ${place?.incarnation}/${place?.seq}`)

/** The log without these of its entries. */
const without = (...gone: readonly number[]): readonly CheckedEntry[] => log.filter((_, index) => !gone.includes(index))

describe('a chain', () => {
  test('that is whole says how far it goes', () => {
    const ends = { from: { incarnation: 1, seq: 1 }, to: { incarnation: 2, seq: 3 } }
    expect(walked(log)).toEqual({ first: [], count: 0, entries: 7, ...ends, lives: 2, ahead: null, trimmed: false })
  })

  test.each<[what: string, gone: readonly number[], trimmed: boolean]>([
    ['the first entries', [0, 1], true],
    ['a whole life', [0, 1, 2, 3], true],
    ['the last ones', [5, 6], false],
  ])('without %s is whole', (_, gone, trimmed) => {
    expect(walked(without(...gone))).toMatchObject({ count: 0, trimmed })
  })

  test.each<[what: string, gone: readonly number[], kind: string]>([
    ['one in a life', [2], 'missing 1/4'],
    ['the first of a life', [4], 'missing 2/2'],
    ['the last of a life', [3], 'broken-chain 2/1'],
  ])('without %s is not, but where the history had ended before', (_, gone, kind) => {
    expect(kindsOf(without(...gone))).toEqual([kind])
    expect(kindsOf(without(...gone), BEGAN_MS + 7 * HOUR_MS)).toEqual([])
  })

  test('of old entries is checked all the same where none is missing', () => {
    const other = entryBy(vps, { incarnation: 1, seq: 2 }, log[0]?.cid ?? null, { atUnixMs: 5 })
    const changed = log.with(1, { ...log[1], entry: other, cid: headOf(other).cid } as CheckedEntry)
    expect(kindsOf(changed, BEGAN_MS + 7 * HOUR_MS)).toEqual(['equivocation 1/3'])
  })

  test('is not said to lie where an entry that is forged stands between', () => {
    const forged: CheckedEntry = { ...log[1], fault: { kind: 'forged', what: 'x', cids: [] } } as CheckedEntry
    expect(kindsOf(log.with(1, forged))).toEqual(['forged 1/2'])
  })

  test('keeps the first findings and counts all', () => {
    const bad = log.map((entry): CheckedEntry => ({ ...entry, fault: { kind: 'forged', what: 'x', cids: [] } }))
    const many = Array.from({ length: 10 }, () => bad).flat()
    const { first, count } = walked(many)
    expect(first).toHaveLength(20)
    expect(count).toBeGreaterThanOrEqual(70)
  })
})

test('no bit of a stored entry can be changed unseen', async () => {
  const entry = entryBy(vps, { incarnation: 1, seq: 1 }, null)
  const stored = storedEntry(entry)
  const records = createRecordCheck(createCertificateBook(vps.meshKey.publicKey))
  const check = (bytes: Uint8Array) => checkEntry({ ...stored, bytes }, records, async () => undefined)
  expect((await check(stored.bytes)).fault).toBeNull()
  const unseen: number[] = []
  for (let at = 0; at < stored.bytes.byteLength; at += 1) {
    const bytes = stored.bytes.with(at, (stored.bytes[at] ?? 0) ^ (1 << (at % 8)))
    if ((await check(bytes)).fault === null) unseen.push(at)
  }
  expect(unseen).toEqual([])
})
