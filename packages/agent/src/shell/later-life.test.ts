import { encodeRecord, type Life } from '@muster/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMemoryDisk, createMemoryStore, type Store } from '../storage/index.ts'
import { laterLifeUnixMs } from './later-life.ts'
import { entryOf, headOf, hostIdOf, MESH } from './testing/entries.ts'

const HOST = hostIdOf('a')
const OTHER = hostIdOf('b')

/** Incarnation, epoch, how many entries: the log of a host that went through these lives. The oldest are trimmed. */
const LIVES = [
  [1, 0, 7],
  [1, 1, 1],
  [1, 2, 5],
  [3, 0, 40],
  [4, 0, 2],
  [4, 2, 3],
] as const
const TRIMMED = 2

let store: Store

beforeAll(async () => {
  store = await createMemoryStore(createMemoryDisk())
  const seqs = new Map<number, number>()
  const entries = LIVES.flatMap(([incarnation, epoch, count]) =>
    Array.from({ length: count }, () => {
      const seq = (seqs.get(incarnation) ?? 0) + 1
      seqs.set(incarnation, seq)
      return entryOf({ signer: HOST, incarnation, epoch, seq, atUnixMs: atUnixMsOf({ incarnation, epoch }, seq) })
    }),
  )
  const stored = [...entries.slice(TRIMMED), entryOf({ signer: OTHER, incarnation: 1, seq: 1, atUnixMs: 5 })]
  await store.log.append(
    stored.map((entry) => ({
      host: entry.signer,
      ...headOf(entry),
      bytes: encodeRecord(entry),
      storedAtUnixMs: entry.body.atUnixMs,
    })),
    { sync: false },
  )
})

afterAll(() => store.close())

/** A time that tells the entry. */
function atUnixMsOf({ incarnation, epoch }: Life, seq: number): number {
  return incarnation * 1_000_000 + epoch * 1_000 + seq
}

test.each([
  ['an older incarnation, trimmed', 0, 0, 1_000_003],
  ['the first epoch of several', 1, 0, 1_001_008],
  ['an epoch of one entry', 1, 1, 1_002_009],
  ['the last epoch of an incarnation', 1, 2, 3_000_001],
  ['an incarnation without entries', 2, 5, 3_000_001],
  ['one epoch, then another incarnation', 3, 0, 4_000_001],
  ['an epoch without entries', 4, 1, 4_002_003],
  ['the newest life', 4, 2, null],
  ['a life to come', 9, 0, null],
] as const)('after %s', async (_, incarnation, epoch, expected) => {
  expect(await laterLifeUnixMs(store.log, MESH, HOST, { incarnation, epoch })).toBe(expected)
})

test('a host of which nothing is held has no later life', async () => {
  expect(await laterLifeUnixMs(store.log, MESH, hostIdOf('c'), { incarnation: 0, epoch: 0 })).toBeNull()
})
