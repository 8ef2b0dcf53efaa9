import { describe, expect, test, vi } from 'vitest'
import type { StoredEntry } from './entry-log.ts'
import { type Disk, type FallbackStore, openFallbackStore, retryDelayMs } from './fallback-store.ts'
import { createMemoryDisk } from './memory-driver.ts'
import { StorageError, type StorageErrorCode } from './storage-error.ts'
import { createMemoryStore, type Store } from './store.ts'

const NOW_UNIX_MS = 1_700_000_000_000
const synced = { sync: true }
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString()
const entry = (host: string, incarnation: number, seq: number, size = 10): StoredEntry => ({
  host,
  incarnation,
  seq,
  cid: `${host}-${incarnation}-${seq}`,
  bytes: new Uint8Array(size).fill(seq),
  storedAtUnixMs: NOW_UNIX_MS + seq,
})

/** A disk of a test, and what was done with it. */
function createTestDisk() {
  const disk = createMemoryDisk()
  const done: string[] = []
  let failure: StorageErrorCode | null = null
  let lockFailure: StorageErrorCode | null = null
  let isReadable = true
  const fail = (code: StorageErrorCode | null): void => {
    if (code !== null) throw new StorageError(code, `told to fail: ${code}`)
  }
  const test: Disk & Record<string, unknown> = {
    async lock() {
      fail(lockFailure)
      done.push('lock')
      return { release: async () => void done.push('release') }
    },
    async open() {
      fail(failure)
      done.push('open')
      return slowed(await createMemoryStore(disk))
    },
    look: async () => (isReadable ? await createMemoryStore(disk) : null),
    lastIncarnation: () => disk.counter.read(),
  }
  return {
    disk: test as Disk,
    done,
    raw: disk,
    /** From now on it cannot be opened (null: it can). */
    failOpening(code: StorageErrorCode | null) {
      failure = code
    },
    failLocking(code: StorageErrorCode | null) {
      lockFailure = code
    },
    hide() {
      isReadable = false
    },
    /** What is on it. */
    store: (): Promise<Store> => createMemoryStore(disk),
  }
}

/** The same store, whose writes take a few turns of the event loop, as those of a disk do. */
function slowed(store: Store): Store {
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return {
    ...store,
    log: { ...store.log, append: (entries, options) => turn().then(() => store.log.append(entries, options)) },
    batch: (operations, options) => turn().then(() => store.batch(operations, options)),
  }
}

function createTestLog() {
  const lines: string[] = []
  const at =
    (level: string) =>
    (phrase: string, fields: object = {}) =>
      void lines.push(`${level} ${phrase} ${JSON.stringify(fields)}`)
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn') } }
}

/** Never tries by itself, unless it is told how soon. */
async function openOn(world: ReturnType<typeof createTestDisk>, retryMinMs = 3_600_000) {
  const { lines, log } = createTestLog()
  const store = await openFallbackStore(world.disk, { clock: { unixMs: () => NOW_UNIX_MS }, log, retryMinMs })
  return { store, lines }
}

async function keysOf(store: Store, family: 'mesh-records' | 'outbox'): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const [key] of store.family(family).iterate()) keys.push(key)
  return keys
}

const isBack = (store: FallbackStore) => vi.waitFor(() => expect(store.trouble()).toBeNull())

test('a disk that works is used, and no word is lost about it', async () => {
  const world = createTestDisk()
  const { store, lines } = await openOn(world)
  expect(await store.nextIncarnation()).toBe(1)
  await store.family('outbox').put('a', bytes('1'), synced)
  expect(store.trouble()).toBeNull()
  await store.close()
  expect(lines).toEqual([])
  expect(world.done).toEqual(['lock', 'open', 'release'])
  expect(text(await (await world.store()).family('outbox').get('a'))).toBe('1')
})

describe('a disk that cannot be opened', () => {
  test.each<StorageErrorCode>(['disk-full', 'read-only', 'io', 'corrupt'])(
    '(%s) does not keep the agent from running, which is said once',
    async (code) => {
      const world = createTestDisk()
      world.failOpening(code)
      const { store, lines } = await openOn(world)
      expect(store.trouble()).toEqual({ sinceUnixMs: NOW_UNIX_MS, reason: `told to fail: ${code}`, inMemory: true })
      expect(await store.nextIncarnation()).toBe(1)
      await store.family('outbox').put('a', bytes('1'), synced)
      await store.log.append([entry('a', 1, 1)], synced)
      expect(text(await store.family('outbox').get('a'))).toBe('1')
      expect(await store.log.head('a')).toEqual(entry('a', 1, 1))
      expect(lines).toEqual([
        `warn the store on the disk cannot be used: muster goes on in memory and tries again {"reason":"told to fail: ${code}"}`,
      ])
      await store.close()
    },
  )

  test.each<StorageErrorCode>(['locked', 'newer-format'])('(%s) is still refused', async (code) => {
    const world = createTestDisk()
    world.failOpening(code)
    await expect(openOn(world)).rejects.toMatchObject({ code })
    expect(world.done).toEqual(['lock', 'release'])
  })

  test('with a lock that is held by another is refused, and with one that cannot be taken is not', async () => {
    const world = createTestDisk()
    world.failLocking('locked')
    await expect(openOn(world)).rejects.toMatchObject({ code: 'locked' })
    world.failLocking('read-only')
    const { store } = await openOn(world)
    expect(world.done).toEqual([])
    world.failLocking(null)
    await store.close()
    expect(world.done).toEqual(['lock', 'open', 'release'])
  })

  test('keeps its lock meanwhile, where it could be taken', async () => {
    const world = createTestDisk()
    world.failOpening('disk-full')
    const { store } = await openOn(world)
    expect(world.done).toEqual(['lock'])
    await store.close()
    expect(world.done).toEqual(['lock', 'release'])
  })

  test('is read all the same: the agent knows what it knew, and starts above its last number', async () => {
    const world = createTestDisk()
    const before = await world.store()
    await before.nextIncarnation(7)
    await before.family('mesh-records').put('r', bytes('1'), synced)
    await before.log.append([entry('a', 6, 1), entry('a', 6, 2), entry('b', 1, 1)], synced)
    await before.close()
    world.failOpening('read-only')
    const { store } = await openOn(world)
    expect(text(await store.family('mesh-records').get('r'))).toBe('1')
    expect((await store.log.read({ host: 'a' })).map(({ seq }) => seq)).toEqual([1, 2])
    expect(await store.log.hosts()).toEqual(['a', 'b'])
    expect(await store.lastIncarnation()).toBe(7)
    expect(await store.nextIncarnation()).toBe(8)
    expect(await store.nextIncarnation(20)).toBe(20)
    await store.close()
  })

  test('and cannot be read either: the number beside the database counts', async () => {
    const world = createTestDisk()
    await world.raw.counter.write(7)
    world.hide()
    world.failOpening('io')
    const { store } = await openOn(world)
    expect(await store.nextIncarnation()).toBe(8)
    await store.close()
  })
})

test('a disk that opens and then takes no number of this start is left, with what it holds', async () => {
  const world = createTestDisk()
  const before = await world.store()
  await before.nextIncarnation(3)
  await before.family('mesh-records').put('r', bytes('1'), synced)
  await before.close()
  const { store } = await openOn(world)
  world.raw.failWrites('disk-full')
  expect(await store.nextIncarnation()).toBe(4)
  expect(store.trouble()).toMatchObject({ reason: 'the disk was told to fail', inMemory: true })
  expect(text(await store.family('mesh-records').get('r'))).toBe('1')
  await store.family('mesh-records').put('s', bytes('2'), synced)
  world.raw.failWrites(undefined)
  await store.close()
  const after = await world.store()
  expect(await keysOf(after, 'mesh-records')).toEqual(['r', 's'])
  expect(await after.lastIncarnation()).toBe(4)
})

test('a disk that fails after the start stays in use: its driver recovers by itself', async () => {
  const world = createTestDisk()
  const { store } = await openOn(world)
  await store.nextIncarnation()
  world.raw.failWrites('disk-full')
  await expect(store.nextIncarnation()).rejects.toMatchObject({ code: 'disk-full' })
  await expect(store.family('outbox').put('a', bytes('1'), synced)).rejects.toMatchObject({ code: 'disk-full' })
  expect(store.trouble()).toBeNull()
  world.raw.failWrites(undefined)
  await store.close()
})

describe('when the disk is back', () => {
  test('all that was kept meanwhile is on it, what was removed is gone, and what comes goes there too', async () => {
    const world = createTestDisk()
    const before = await world.store()
    await before.nextIncarnation(3)
    await before.batch(
      ['stays', 'goes', 'changes'].map((key) => ({ family: 'mesh-records', type: 'put', key, value: bytes('old') })),
      synced,
    )
    await before.log.append([entry('a', 3, 1)], synced)
    await before.close()
    world.failOpening('disk-full')
    const { store, lines } = await openOn(world, 1)
    expect(await store.nextIncarnation()).toBe(4)
    const records = store.family('mesh-records')
    await records.put('changes', bytes('new'), synced)
    await records.put('comes', bytes('new'), synced)
    await records.put('again', bytes('1'), synced)
    await records.del('again', synced)
    await records.del('goes', synced)
    await records.del('stays', synced)
    await records.put('stays', bytes('old'), synced)
    for (let seq = 2; seq <= 350; seq += 1) await store.log.append([entry('a', 4, seq)], synced)
    expect(await store.nextIncarnation(9)).toBe(9)
    world.failOpening(null)
    await isBack(store)
    await store.family('outbox').put('later', bytes('1'), synced)
    await store.close()
    expect(lines.at(-1)).toBe('info the store takes writes again {}')

    const after = await world.store()
    expect(await keysOf(after, 'mesh-records')).toEqual(['changes', 'comes', 'stays'])
    expect(text(await after.family('mesh-records').get('changes'))).toBe('new')
    expect(await keysOf(after, 'outbox')).toEqual(['later'])
    const log = await after.log.read({ host: 'a' })
    expect(log.map(({ incarnation, seq }) => `${incarnation}.${seq}`)).toEqual([
      '3.1',
      ...Array.from({ length: 349 }, (_, index) => `4.${index + 2}`),
    ])
    expect(await after.lastIncarnation()).toBe(9)
  })

  test('and fails while it is handed over, nothing is lost: all is still in memory, and the next try brings it', async () => {
    const world = createTestDisk()
    world.failOpening('disk-full')
    const { store, lines } = await openOn(world, 1)
    for (let seq = 1; seq <= 250; seq += 1) await store.log.append([entry('a', 1, seq)], synced)
    await store.family('mesh-records').put('r', bytes('1'), synced)
    world.raw.failWrites('io')
    world.failOpening(null)
    await vi.waitFor(() => expect(store.trouble()?.reason).toBe('the disk was told to fail'))
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(2)
    expect((await store.log.read({ host: 'a' })).length).toBe(250)
    world.raw.failWrites(undefined)
    await isBack(store)
    await store.close()
    const after = await world.store()
    expect((await after.log.read({ host: 'a' })).length).toBe(250)
    expect(await keysOf(after, 'mesh-records')).toEqual(['r'])
  })

  test('what is written all the while is on it, whenever it was written', async () => {
    const world = createTestDisk()
    world.failOpening('disk-full')
    const { store } = await openOn(world, 1)
    for (let seq = 1; seq <= 500; seq += 1) await store.log.append([entry('a', 1, seq)], synced)
    await store.family('mesh-records').put('never', bytes('1'), synced)
    world.failOpening(null)
    const written: Promise<unknown>[] = []
    let seq = 500
    // Written in every turn, before, while and after it is handed over.
    for (let after = 0; after < 200; after += store.trouble() === null ? 1 : 0) {
      seq += 1
      written.push(store.log.append([entry('a', 1, seq)], synced))
      written.push(store.family('mesh-records').put(`${seq}`, bytes('1'), synced))
      written.push(store.family('mesh-records').put(`gone-${seq}`, bytes('1'), synced))
      written.push(store.family('mesh-records').del(`gone-${seq}`, synced))
      if (seq === 600) written.push(store.family('mesh-records').del('never', synced))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(written)
    await store.close()
    const after = await world.store()
    const log: StoredEntry[] = []
    for (let from = 1; from <= seq; from += 1_000) {
      log.push(...(await after.log.read({ host: 'a', from: { incarnation: 1, seq: from } })))
    }
    expect(log.map(({ seq: each }) => each)).toEqual(Array.from({ length: seq }, (_, index) => index + 1))
    const keys = (await keysOf(after, 'mesh-records')).map(Number).sort((a, b) => a - b)
    expect(keys).toEqual(Array.from({ length: seq - 500 }, (_, index) => index + 501))
  })

  test('a stop hands over too', async () => {
    const world = createTestDisk()
    world.failOpening('read-only')
    const { store } = await openOn(world)
    await store.nextIncarnation()
    await store.family('outbox').put('a', bytes('1'), synced)
    world.failOpening(null)
    await store.close()
    await store.close()
    const after = await world.store()
    expect(await keysOf(after, 'outbox')).toEqual(['a'])
    expect(await after.lastIncarnation()).toBe(1)
  })
})

test('what is in memory is bounded: the oldest entries go, never the newest of a host', async () => {
  const world = createTestDisk()
  world.failOpening('disk-full')
  const { store } = await openOn(world)
  await store.log.append([entry('old', 1, 1)], synced)
  for (let seq = 2; seq <= 700; seq += 1) await store.log.append([entry('a', 1, seq, 100_000)], synced)
  const kept = await store.log.read({ host: 'a' })
  expect(kept.at(-1)?.seq).toBe(700)
  expect(kept.length * 100_000).toBeLessThanOrEqual(48 * 1024 * 1024)
  expect(await store.log.head('old')).toBeDefined()
  await store.close()
})

describe('reading back at a start', () => {
  const failingOnce = (code: StorageErrorCode) => {
    let times = 0
    return async () => {
      times += 1
      if (times === 1) throw new StorageError(code, 'this cannot be read')
      return times
    }
  }

  test('goes on in memory when the disk cannot be read, with what could be', async () => {
    const world = createTestDisk()
    const { store } = await openOn(world)
    await store.nextIncarnation(5)
    await store.family('mesh-records').put('r', bytes('1'), synced)
    expect(await store.readBack(failingOnce('io'))).toBe(2)
    expect(store.trouble()).toMatchObject({ reason: 'this cannot be read' })
    expect(text(await store.family('mesh-records').get('r'))).toBe('1')
    expect(await store.lastIncarnation()).toBe(5)
    await store.close()
  })

  test('opens a damaged disk anew at once', async () => {
    const world = createTestDisk()
    const { store } = await openOn(world)
    await store.nextIncarnation()
    expect(await store.readBack(failingOnce('corrupt'))).toBe(2)
    expect(store.trouble()).toBeNull()
    expect(world.done).toEqual(['lock', 'open', 'open'])
    await store.close()
  })

  test('does not hide what is no fault of the disk', async () => {
    const world = createTestDisk()
    const { store } = await openOn(world)
    await expect(store.readBack(() => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug')
    expect(store.trouble()).toBeNull()
    await store.close()
  })
})

test('the disk is tried again later each time, and every ten minutes in the end', () => {
  expect([1, 2, 3, 4, 5, 6, 50].map((time) => retryDelayMs(time) / 1_000)).toEqual([30, 60, 120, 240, 480, 600, 600])
})
