import { createState, type Result, type SignedAs } from '@muster/protocol'
import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryDisk, createMemoryStore, type Store } from '../storage/index.ts'
import { createKeeping, type Keeping } from './keeping.ts'
import { readNewestKeys } from './restoring.ts'
import type { SealOfOrigin } from './seal-of-origin.ts'
import { entryOf, headOf, hostIdOf, MESH, readUnverified, resultOf } from './testing/entries.ts'

const SELF = hostIdOf('L')
const VPS = hostIdOf('v')
const NOW = Date.UTC(2026, 10, 21)
const FAMILY = 'check-places'
/** Entries that a start looks through where no row tells where the checks are. */
const LOOKED_THROUGH = 300

const seal: SealOfOrigin = {
  signed: (record) => record,
  verify: () => undefined,
  verifyLater: async () => undefined,
  isMember: () => true,
}
const now = () => ({ monotonicMs: 0, bootMs: 0, unixMs: NOW })
const clock = { now, monotonicMs: () => 0, unixMs: () => NOW }
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

let store: Store
let keeping: Keeping
/** Entries that were read and verified. */
let reads: number
beforeEach(async () => {
  store = await createMemoryStore(createMemoryDisk())
  startAnew()
})

/** The agent of a start: it knows what it reads, and no more. */
function startAnew(): void {
  reads = 0
  const read = (bytes: Uint8Array) => {
    reads += 1
    return readUnverified(bytes)
  }
  keeping = createKeeping({ store, seal, clock, log, read })
}

type Content = Parameters<typeof entryOf>[0]

async function keep(...contents: readonly Content[]): Promise<void> {
  for (const content of contents) {
    const entry = entryOf(content)
    await keeping.keep({ kind: 'keep-entry', entry, head: headOf(entry), ageMs: 0, sync: true })
  }
}

/** Entries 1 to `count` of a host, each with its number as the duration of a check's run. */
function entries(count: number, checks: (seq: number) => readonly string[], signer = VPS): readonly Content[] {
  return Array.from({ length: count }, (_, index) => contentOf(index + 1, checks(index + 1), signer))
}

function contentOf(seq: number, checks: readonly string[], signer = VPS): Content {
  return { signer, seq, results: checks.map((check) => resultOf(check, { durationMs: seq })) }
}

/** What the next start knows of each check: its host's letter, its name, and the entry that its newest result is from. */
async function known(): Promise<readonly string[]> {
  startAnew()
  const presence = { everyMs: 10_000, graceMs: 5_000, sleeps: false, restartMs: 300_000 }
  const options = { mesh: MESH, self: SELF, name: 'me', presence, remindMs: 1, tickMs: 250, seed: 1, without: [] }
  const { results } = createState(options, await keeping.restore(99), now())
  return textOf(results)
}

function textOf(results: ReadonlyMap<string, ReadonlyMap<string, Result>>): readonly string[] {
  return [...results]
    .flatMap(([host, of]) => [...of].map(([check, { durationMs }]) => `${host.slice(-1)} ${check} ${durationMs}`))
    .sort()
}

/** The row of a host, taken away and given back. */
const row = {
  get: () => store.family(FAMILY).get(VPS),
  put: (value: Uint8Array) => store.family(FAMILY).put(VPS, value, { sync: true }),
  del: () => store.family(FAMILY).del(VPS, { sync: true }),
}

describe('a start', () => {
  test('knows a check whose newest result is far back, and reads two entries for it instead of the history', async () => {
    await keep(...entries(LOOKED_THROUGH + 100, (seq) => (seq === 2 ? ['disk', 'slow'] : ['disk'])))
    expect(await known()).toEqual(['v disk 400', 'v slow 2'])
    expect(reads).toBe(2)
  })

  test('reads what came after a row that is behind', async () => {
    await keep(...entries(5, (seq) => [`c${seq}`, 'disk']))
    const behind = await row.get()
    await keep(contentOf(6, ['c1']), { signer: VPS, seq: 7, retired: ['c2'] }, contentOf(8, ['disk']))
    await row.put(behind ?? new Uint8Array())
    expect(await known()).toEqual(['v c1 6', 'v c3 3', 'v c4 4', 'v c5 5', 'v disk 8'])
  })

  test.each<[string, () => Promise<void>]>([
    ['is missing', () => row.del()],
    ['is damaged', () => row.put(Uint8Array.of(0xa1, 0x61))],
    ['is none', () => row.put(Uint8Array.of(0x80))],
  ])('looks through the newest entries where the row %s, and has one again afterwards', async (_, spoil) => {
    await keep(...entries(LOOKED_THROUGH + 1, (seq) => (seq <= 2 ? ['old', `c${seq}`] : ['disk'])))
    await spoil()
    expect(await known()).toEqual(['v c2 2', 'v disk 301', 'v old 2'])
    expect(reads).toBe(LOOKED_THROUGH)
    // Its own host has said nothing since: the row is due all the same.
    await keep(contentOf(1, ['mine'], SELF))
    expect(await known()).toEqual(['L mine 1', 'v c2 2', 'v disk 301', 'v old 2'])
    expect(reads).toBe(3)
  })

  test('does not believe a row that is ahead of the log', async () => {
    await keep(...entries(3, (seq) => [`c${seq}`]))
    const ahead = await row.get()
    store = await createMemoryStore(createMemoryDisk())
    startAnew()
    await keep(...entries(2, (seq) => [`d${seq}`]))
    await row.put(ahead ?? new Uint8Array())
    expect(await known()).toEqual(['v d1 1', 'v d2 2'])
  })

  test('takes what is kept apart where the log no longer goes back so far', async () => {
    await keep({ signer: VPS, seq: 1, results: [resultOf('backup', { everyMs: 86_400_000, durationMs: 1 })] })
    await keep(...entries(5, () => ['disk']).slice(1))
    expect(await readNewestKeys(store)).toEqual([`newest/${VPS}/backup`])
    while ((await store.log.trim(NOW + 1)) > 0);
    expect((await store.log.read({ host: VPS })).map(({ seq }) => seq)).toEqual([5])
    expect(await known()).toEqual(['v backup 1', 'v disk 5'])
  })

  test('does not know a check again that was retired, for all that its old entries hold', async () => {
    await keep({ signer: VPS, seq: 1, results: [resultOf('weekly', { everyMs: 7 * 86_400_000 }), resultOf('b')] })
    await keep(contentOf(2, ['a', 'b']), { signer: VPS, seq: 3, retired: ['b'] })
    await keep(...entries(LOOKED_THROUGH + 10, () => ['disk']).slice(3))
    expect(await known()).toEqual(['v a 2', 'v disk 310', 'v weekly 1'])
    while ((await store.log.trim(NOW + 1)) > 0);
    expect(await known()).toEqual(['v disk 310', 'v weekly 1'])
  })

  test('knows of a life in which nothing was found yet', async () => {
    await keep(...entries(3, () => ['disk']), { signer: VPS, seq: 1, incarnation: 2, retired: ['gone'] })
    startAnew()
    const { entries: found, heads } = await keeping.restore(9)
    expect(heads[VPS]).toMatchObject({ incarnation: 2, seq: 1 })
    expect(found.map(({ record }: { record: SignedAs<'entry'> }) => record.body.life.incarnation)).toEqual([1, 2])
  })
})

test.each([
  ['was', true],
  ['was not', false],
])('a row does not pass over an entry whose write failed and that %s on the disk after all', async (_, isThere) => {
  await keep(contentOf(1, ['a', 'b']))
  let fails = false
  const failing: Store = {
    ...store,
    log: {
      ...store.log,
      async append(wanted, options) {
        if (!fails) return await store.log.append(wanted, options)
        if (isThere) await store.log.append(wanted, options)
        throw new Error('the disk failed')
      },
    },
  }
  keeping = createKeeping({ store: failing, seal, clock, log, read: readUnverified })
  await keeping.restore(2)
  fails = true
  await keep(contentOf(2, ['b']))
  fails = false
  await keep(contentOf(3, ['a']), contentOf(4, ['a']))
  expect(await known()).toEqual(['v a 4', isThere ? 'v b 2' : 'v b 1'])
})

test('a row costs a host with many checks no more than one with few', async () => {
  let rows = 0
  const counting: Store = {
    ...store,
    async batch(operations, options) {
      rows += operations.filter(({ family }) => family === FAMILY).length
      await store.batch(operations, options)
    },
  }
  keeping = createKeeping({ store: counting, seal, clock, log, read: readUnverified })
  const some = (from: number): readonly string[] => Array.from({ length: 40 }, (_, index) => `c${from + index}`)
  await keep(...entries(41, (seq) => (seq <= 8 ? some(40 * seq) : ['c40'])))
  // After the first, and then one for each ten entries.
  expect(rows).toBe(5)
  expect(await known()).toHaveLength(320)
})

test('whatever entries come, and wherever it restarts, a start knows what the whole log says', async () => {
  let seed = 7
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((seed / 2_147_483_648) * below)
  }
  const truth = new Map<string, Map<string, Result>>()
  const places = new Map([SELF, VPS].map((host) => [host, { incarnation: 1, seq: 0 }]))
  for (let index = 0; index < 400; index += 1) {
    const signer = next(2) === 0 ? SELF : VPS
    const place = places.get(signer) ?? { incarnation: 1, seq: 0 }
    if (next(40) === 0) Object.assign(place, { incarnation: place.incarnation + 1, seq: 0 })
    place.seq += 1
    const status = next(10) === 0 ? 'critical' : 'ok'
    const checks = Array.from({ length: 1 + next(3) }, () => `c${next(60)}`)
    const results = [...new Set(checks)].map((check) => resultOf(check, { status, durationMs: index }))
    const retired = next(8) === 0 ? [`c${next(60)}`] : []
    await keep({ signer, ...place, results, retired })
    const of = truth.get(signer) ?? new Map<string, Result>()
    truth.set(signer, of)
    for (const result of results) of.set(result.check, result)
    for (const check of retired) of.delete(check)
    if (next(10) === 0) expect(await known()).toEqual(textOf(truth))
  }
})
