/** The store of an agent that is started on a real disk which is full, read-only or damaged. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { diskOf, type FallbackStore, openFallbackStore } from './fallback-store.ts'
import { StorageError } from './storage-error.ts'
import { createStore, type Store } from './store.ts'
import { SET_ASIDE_MAX } from './store-folder.ts'
import { lookIntoStore } from './store-look.ts'
import { mountSmallDisk, type SmallDisk, whyNoSmallDisk } from './testing/small-disk.ts'

const synced = { sync: true }
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined }
const value = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const entry = (incarnation: number, seq: number) => ({
  host: 'me',
  incarnation,
  seq,
  cid: `${incarnation}-${seq}`,
  bytes: new Uint8Array(500).fill(seq),
  storedAtUnixMs: seq,
})

const open = (path: string, retryMinMs = 3_600_000): Promise<FallbackStore> =>
  openFallbackStore(diskOf(path), { clock: { unixMs: () => 1 }, log: SILENT, retryMinMs })

/** A folder in which an agent ran for two starts. */
async function fillFolder(path: string): Promise<void> {
  for (const incarnation of [1, 2]) {
    const store = await createStore(path)
    expect(await store.nextIncarnation()).toBe(incarnation)
    await store.log.append([entry(incarnation, 1), entry(incarnation, 2)], synced)
    await store.family('mesh-records').put(`of-${incarnation}`, value('1'), synced)
    await store.close()
  }
}

async function whatIsIn(store: Store): Promise<readonly string[]> {
  const found = (await store.log.read({ host: 'me' })).map(({ incarnation, seq }) => `${incarnation}.${seq}`)
  for await (const [key] of store.family('mesh-records').iterate()) found.push(key)
  return found
}

const BEFORE = ['1.1', '1.2', '2.1', '2.2', 'of-1', 'of-2']
const AFTER = ['1.1', '1.2', '2.1', '2.2', '3.1', 'of-2', 'of-3']

/** What an agent does: a number, an entry, a record more and one less. */
async function work(store: FallbackStore): Promise<void> {
  expect(await store.nextIncarnation()).toBe(3)
  expect(await whatIsIn(store)).toEqual(BEFORE)
  await store.log.append([entry(3, 1)], synced)
  await store.family('mesh-records').put('of-3', value('1'), synced)
  await store.family('mesh-records').del('of-1', synced)
  expect(await whatIsIn(store)).toEqual(AFTER)
}

async function expectOnDisk(path: string): Promise<void> {
  const after = await createStore(path)
  expect(await whatIsIn(after)).toEqual(AFTER)
  expect(await after.nextIncarnation()).toBe(4)
  await after.close()
}

const why = whyNoSmallDisk()
describe.skipIf(why !== null)(`a disk of its own${why === null ? '' : ` (${why})`}`, () => {
  let disk: SmallDisk
  let path: string
  beforeEach(async () => {
    disk = mountSmallDisk('24m')
    path = join(disk.path, 'data')
    await fillFolder(path)
  })
  afterEach(() => disk.unmount())

  test('that is read-only: all is known, all goes on, and it is on the disk when that is back', async () => {
    disk.remount('ro')
    const store = await open(path, 10)
    expect(store.trouble()).toMatchObject({ reason: 'the disk takes no writes' })
    await work(store)
    disk.remount('rw')
    await vi.waitFor(() => expect(store.trouble()).toBeNull(), { timeout: 20_000 })
    await expect(createStore(path)).rejects.toMatchObject({ code: 'locked' })
    await store.close()
    await expectOnDisk(path)
  })

  test('that is full: all is known, all goes on, and it is on the disk when that has room', async () => {
    disk.fill()
    const store = await open(path, 10)
    expect(store.trouble()).toMatchObject({ reason: 'no space left on the disk' })
    await work(store)
    disk.makeRoom()
    await vi.waitFor(() => expect(store.trouble()).toBeNull(), { timeout: 20_000 })
    await store.close()
    await expectOnDisk(path)
  })

  test('that is full does not let a second agent onto the folder of one that has its lock', async () => {
    const first = await createStore(path)
    disk.fill()
    await expect(open(path)).rejects.toMatchObject({ code: 'locked' })
    await first.close()
  })

  test('that was empty and read-only: there is nothing to know, and it begins with the first number', async () => {
    const folder = join(disk.path, 'other')
    disk.remount('ro')
    const store = await open(folder)
    expect(await store.nextIncarnation()).toBe(1)
    disk.remount('rw')
    await store.close()
    const after = await createStore(folder)
    expect(await after.lastIncarnation()).toBe(1)
    await after.close()
  })

  test('is looked into without a trace on it', async () => {
    const files = (): readonly string[] => readdirSync(join(path, 'store')).sort()
    const before = files()
    const bytes = before.map((file) => readFileSync(join(path, 'store', file)))
    disk.remount('ro')
    const places = [join(disk.path, 'not-there'), disk.path, tmpdir()]
    const look = await lookIntoStore(path, places)
    if (look === null) throw new Error('it can be read')
    expect(await whatIsIn(look)).toEqual(BEFORE)
    expect(await look.lastIncarnation()).toBe(2)
    await look.close()
    expect(files()).toEqual(before)
    expect(before.map((file) => readFileSync(join(path, 'store', file)))).toEqual(bytes)
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('muster-look-'))).toEqual([])
  })
})

describe('a database that is damaged', () => {
  let base: string
  let path: string
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'muster-fallback-'))
    path = join(base, 'data')
    await fillFolder(path)
  })
  afterEach(() => rm(base, { recursive: true }))

  test('where too many are set aside already does not keep the agent from running, until some are moved away', async () => {
    for (let number = 1; number <= SET_ASIDE_MAX; number += 1) mkdirSync(join(path, `store.damaged-${number}`))
    writeFileSync(join(path, 'damaged'), '')
    const store = await open(path, 10)
    expect(store.trouble()?.reason).toMatch(/8 damaged ones are there already: move them away$/)
    await work(store)
    await rm(join(path, 'store.damaged-4'), { recursive: true })
    await vi.waitFor(() => expect(store.trouble()).toBeNull(), { timeout: 20_000 })
    expect(store.setAside).toBe(join(path, 'store.damaged-4'))
    await store.close()
    await expectOnDisk(path)
  })

  test('is set aside in the same start that finds it so, and what could be read goes on', async () => {
    const store = await open(path)
    expect(await store.nextIncarnation()).toBe(3)
    let reads = 0
    const read = async (): Promise<readonly string[]> => {
      reads += 1
      if (reads > 1) return await whatIsIn(store)
      // As a read that finds a wrong sum does.
      writeFileSync(join(path, 'damaged'), '')
      throw new StorageError('corrupt', 'a value in the store is not what was written')
    }
    expect(await store.readBack(read)).toEqual(BEFORE)
    expect(store.trouble()).toBeNull()
    expect(store.setAside).toBe(join(path, 'store.damaged-1'))
    await store.close()
    const after = await createStore(path)
    expect(await whatIsIn(after)).toEqual(BEFORE)
    expect(await after.nextIncarnation()).toBe(4)
    await after.close()
  })
})
