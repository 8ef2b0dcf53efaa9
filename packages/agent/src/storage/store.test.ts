import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StoredEntry } from './entry-log.ts'
import { RECORD_BYTES_MAX, RECORD_KEY_BYTES_MAX } from './key-value.ts'
import { createMemoryDisk } from './memory-driver.ts'
import { createMemoryStore, createStore, type Store } from './store.ts'

const ANN = `12D3KooW${'a'.repeat(44)}`
const BOB = `12D3KooW${'b'.repeat(44)}`
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString()
const synced = { sync: true }
const unsynced = { sync: false }

const entry = (host: string, incarnation: number, seq: number, storedAtUnixMs = 1000 + seq): StoredEntry => ({
  host,
  incarnation,
  seq,
  cid: `cid-${incarnation}-${seq}`,
  bytes: bytes(`${host} ${incarnation} ${seq}`),
  storedAtUnixMs,
})
const places = (entries: readonly StoredEntry[]): string => entries.map((e) => `${e.incarnation}.${e.seq}`).join(' ')

interface World {
  open(): Promise<Store>
  destroy(): Promise<void>
}

const worlds: readonly (readonly [string, () => Promise<World>])[] = [
  [
    'on disk',
    async () => {
      const path = await mkdtemp(join(tmpdir(), 'muster-store-'))
      return { open: () => createStore(join(path, 'data')), destroy: () => rm(path, { recursive: true }) }
    },
  ],
  [
    'in memory',
    async () => {
      const disk = createMemoryDisk()
      return { open: () => createMemoryStore(disk), destroy: async () => undefined }
    },
  ],
]

describe.each(worlds)('the store %s', (_, createWorld) => {
  let world: World
  let store: Store
  beforeEach(async () => {
    world = await createWorld()
    store = await world.open()
  })
  afterEach(async () => {
    await store.close()
    await world.destroy()
  })
  const reopen = async (): Promise<void> => {
    await store.close()
    store = await world.open()
  }

  describe('log', () => {
    test('gives back what was appended, in the order of lives and numbers, after reopening too', async () => {
      const entries = [entry(ANN, 2, 1), entry(ANN, 1, 300), entry(BOB, 1, 1), entry(ANN, 1, 2), entry(ANN, 10, 0)]
      expect(await store.log.append(entries, synced)).toBe(5)
      await reopen()
      expect(places(await store.log.read({ host: ANN }))).toBe('1.2 1.300 2.1 10.0')
      expect(await store.log.read({ host: BOB })).toEqual([entry(BOB, 1, 1)])
      expect(await store.log.read({ host: 'nobody' })).toEqual([])
      expect(await store.log.hosts()).toEqual([ANN, BOB])
    })

    test('reads ranges, forward and backward, with a limit', async () => {
      await store.log.append(
        [1, 2, 3, 4, 5].map((seq) => entry(ANN, 1, seq)),
        unsynced,
      )
      await store.log.append([entry(ANN, 2, 1)], unsynced)
      const host = ANN
      const at = (incarnation: number, seq: number) => ({ incarnation, seq })
      expect(places(await store.log.read({ host, from: at(1, 3) }))).toBe('1.3 1.4 1.5 2.1')
      expect(places(await store.log.read({ host, from: at(1, 2), to: at(1, 4) }))).toBe('1.2 1.3')
      expect(places(await store.log.read({ host, to: at(2, 0), reverse: true, limit: 2 }))).toBe('1.5 1.4')
      expect(places(await store.log.read({ host, from: at(3, 0) }))).toBe('')
      expect(places(await store.log.read({ host, limit: 1 }))).toBe('1.1')
    })

    test('knows the newest entry of each host', async () => {
      expect(await store.log.head(ANN)).toBeUndefined()
      await store.log.append([entry(ANN, 1, 900), entry(ANN, 2, 3), entry(BOB, 7, 7)], unsynced)
      expect(await store.log.head(ANN)).toEqual(entry(ANN, 2, 3))
    })

    test('keeps the first of two entries with one number', async () => {
      const other = { ...entry(ANN, 1, 1), bytes: bytes('other'), cid: 'other' }
      expect(await store.log.append([entry(ANN, 1, 1), other], synced)).toBe(1)
      expect(await store.log.append([other], synced)).toBe(0)
      expect(await store.log.read({ host: ANN })).toEqual([entry(ANN, 1, 1)])
    })

    test('trims what is old, but never the newest entry of a host', async () => {
      await store.log.append(
        [1, 2, 3].map((seq) => entry(ANN, 1, seq, seq * 100)),
        unsynced,
      )
      await store.log.append([entry(BOB, 1, 1, 50), entry(BOB, 1, 2, 60)], unsynced)
      expect(await store.log.trim(50)).toBe(0)
      expect(await store.log.trim(201)).toBe(3)
      expect(places(await store.log.read({ host: ANN }))).toBe('1.3')
      expect(places(await store.log.read({ host: BOB }))).toBe('1.2')
      expect(await store.log.trim(10_000)).toBe(0)
      await store.log.append([entry(BOB, 1, 3, 20_000)], unsynced)
      expect(await store.log.trim(10_000)).toBe(1)
      expect(places(await store.log.read({ host: BOB }))).toBe('1.3')
    })
  })

  describe('records', () => {
    test('are kept by family and key, after reopening too', async () => {
      await store.family('outbox').put('a', bytes('1'), synced)
      await store.family('incidents').put('a', bytes('2'), unsynced)
      await reopen()
      expect(text(await store.family('outbox').get('a'))).toBe('1')
      expect(text(await store.family('incidents').get('a'))).toBe('2')
      expect(await store.family('life').get('a')).toBeUndefined()
      await store.family('outbox').del('a', synced)
      await store.family('outbox').del('never there', synced)
      expect(await store.family('outbox').get('a')).toBeUndefined()
    })

    test('come back as plain bytes of their own', async () => {
      await store.family('life').put('a', Buffer.from('abc'), synced)
      const value = await store.family('life').get('a')
      expect(value).toEqual(bytes('abc'))
      value?.fill(0)
      for await (const [, again] of store.family('life').iterate()) expect(again).toEqual(bytes('abc'))
    })

    test('come in the order of their keys, within bounds, and from their own family only', async () => {
      const members = store.family('members')
      for (const key of ['b', 'a', 'ä', 'c/2', 'c/10', '']) await members.put(key, bytes(`=${key}`), unsynced)
      await store.family('mesh-records').put('b', bytes('x'), unsynced)
      await store.family('life').put('z', bytes('x'), unsynced)
      const keys = async (range?: Parameters<typeof members.iterate>[0]) => {
        const found: string[] = []
        for await (const [key, value] of members.iterate(range)) {
          expect(text(value)).toBe(`=${key}`)
          found.push(key)
        }
        return found
      }
      expect(await keys()).toEqual(['', 'a', 'b', 'c/10', 'c/2', 'ä'])
      expect(await keys({ gte: 'b', lt: 'c/2' })).toEqual(['b', 'c/10'])
      expect(await keys({ reverse: true, limit: 2 })).toEqual(['ä', 'c/2'])
      expect(await keys({ gte: 'x', lt: 'y' })).toEqual([])
    })

    test('iterate over a snapshot, may be left early, and obey a signal', async () => {
      const family = store.family('outbox')
      for (const key of ['a', 'b', 'c']) await family.put(key, bytes(key), unsynced)
      const seen: string[] = []
      for await (const [key] of family.iterate()) {
        seen.push(key)
        await family.put('d', bytes('d'), unsynced)
        await family.del('c', unsynced)
      }
      expect(seen).toEqual(['a', 'b', 'c'])
      for await (const [key] of family.iterate()) {
        expect(key).toBe('a')
        break
      }
      const stop = new AbortController()
      const reading = async () => {
        for await (const _ of family.iterate({ signal: stop.signal })) stop.abort(new Error('enough'))
      }
      await expect(reading()).rejects.toThrow('enough')
    })

    test('change together across families or not at all', async () => {
      await store.family('life').put('x', bytes('old'), synced)
      const tooLarge = { family: 'outbox', type: 'put', key: 'b', value: new Uint8Array(RECORD_BYTES_MAX + 1) } as const
      const change = { family: 'life', type: 'del', key: 'x' } as const
      await expect(store.batch([change, tooLarge], synced)).rejects.toMatchObject({ code: 'too-large' })
      expect(text(await store.family('life').get('x'))).toBe('old')
      await store.batch([change, { ...tooLarge, value: bytes('new') }], synced)
      expect(await store.family('life').get('x')).toBeUndefined()
      expect(text(await store.family('outbox').get('b'))).toBe('new')
    })

    test('have limits', async () => {
      const family = store.family('outbox')
      await family.put('k'.repeat(RECORD_KEY_BYTES_MAX), new Uint8Array(RECORD_BYTES_MAX), synced)
      await expect(family.put('ä'.repeat(RECORD_KEY_BYTES_MAX), bytes(''), synced)).rejects.toMatchObject({
        code: 'too-large',
      })
    })

    test('written at the same time all arrive, the last of one key last', async () => {
      const family = store.family('outbox')
      const writes = Array.from({ length: 200 }, (_, index) =>
        family.put(`${index % 20}`, bytes(`${index}`), { sync: index % 7 === 0 }),
      )
      await Promise.all(writes)
      for (let key = 0; key < 20; key += 1) expect(text(await family.get(`${key}`))).toBe(`${key + 180}`)
    })
  })

  test('each start has its own incarnation, also beyond what the peers know', async () => {
    expect(await store.lastIncarnation()).toBe(0)
    expect(await store.nextIncarnation()).toBe(1)
    expect(await store.lastIncarnation()).toBe(1)
    await reopen()
    expect(await store.nextIncarnation()).toBe(2)
    await reopen()
    expect(await store.nextIncarnation(10)).toBe(10)
    await reopen()
    expect(await store.nextIncarnation(5)).toBe(11)
  })

  test('says so when it is used after it was closed', async () => {
    await store.close()
    await store.close()
    await expect(store.family('life').get('a')).rejects.toMatchObject({ code: 'closed' })
    await expect(store.family('life').put('a', bytes('1'), synced)).rejects.toMatchObject({ code: 'closed' })
    await expect(store.log.hosts()).rejects.toMatchObject({ code: 'closed' })
    store = await world.open()
  })
})

describe('the fake', () => {
  test('loses in a power cut exactly what was not synced', async () => {
    const disk = createMemoryDisk()
    const before = await createMemoryStore(disk)
    await before.family('life').put('a', bytes('1'), unsynced)
    await before.family('life').put('b', bytes('2'), synced)
    await before.family('life').put('c', bytes('3'), unsynced)
    expect(await before.nextIncarnation(4)).toBe(4)
    await before.family('life').del('b', unsynced)
    disk.crash()
    await expect(before.family('life').get('a')).rejects.toMatchObject({ code: 'closed' })
    const store = await createMemoryStore(disk)
    const found: string[] = []
    for await (const [key] of store.family('life').iterate()) found.push(key)
    expect(found).toEqual(['a', 'b', 'c'])
    expect(await store.nextIncarnation()).toBe(5)
  })

  test('fails as it is told, still reads, and heals', async () => {
    const disk = createMemoryDisk()
    const store = await createMemoryStore(disk)
    await store.family('life').put('a', bytes('1'), synced)
    disk.failWrites('disk-full')
    await expect(store.family('life').put('a', bytes('2'), synced)).rejects.toMatchObject({ code: 'disk-full' })
    await expect(store.nextIncarnation()).rejects.toMatchObject({ code: 'disk-full' })
    expect(text(await store.family('life').get('a'))).toBe('1')
    disk.failWrites(undefined)
    await store.family('life').put('a', bytes('2'), synced)
  })
})
