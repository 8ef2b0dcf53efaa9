import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createStore, readLastIncarnation, type Store } from './store.ts'
import { mountSmallDisk, type SmallDisk, whyNoSmallDisk } from './testing/small-disk.ts'

const synced = { sync: true }
/** Bytes that no compression shortens, different for each number. */
const value = (size: number, number = 1): Uint8Array =>
  new Uint8Array(createHash('shake256', { outputLength: size }).update(`${number}`).digest())
const CHILD = fileURLToPath(new URL('./crash-writer.ts', import.meta.url))

let base = ''
let path = ''
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'muster-faults-'))
  path = join(base, 'data')
})
afterEach(() => rm(base, { recursive: true }))

/** Opens, runs, closes, whatever happens. */
async function withStore<Result>(run: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await createStore(path)
  try {
    return await run(store)
  } finally {
    await store.close()
  }
}

describe('a second agent on the same folder', () => {
  test('is told so in one line, with the pid, and the first goes on', async () => {
    await withStore(async (store) => {
      await expect(createStore(path)).rejects.toMatchObject({
        code: 'locked',
        message: `another muster runs on this folder (pid ${process.pid}): ${path}`,
      })
      await store.family('life').put('a', value(1), synced)
    })
    await withStore(async (store) => expect(await store.family('life').get('a')).toEqual(value(1)))
  })

  test('does not disturb the first when the store is marked as damaged', async () => {
    await withStore(async (store) => {
      writeFileSync(join(path, 'damaged'), '')
      await expect(createStore(path)).rejects.toMatchObject({ code: 'locked' })
      await store.family('life').put('a', value(1), synced)
    })
    expect((await withStore(async (store) => store.setAside)) ?? '').toMatch(/store\.damaged-1$/)
  })
})

describe('damage', () => {
  const files = (pattern: RegExp): string[] =>
    readdirSync(join(path, 'store'))
      .filter((file) => pattern.test(file))
      .map((file) => join(path, 'store', file))
  const some = (pattern: RegExp): string => {
    const [file] = files(pattern)
    if (file === undefined) throw new Error(`no ${pattern} in ${readdirSync(join(path, 'store'))}`)
    return file
  }
  /** Fills tables, and closes. LevelDB turns its log into tables when it opens, and only then surely. */
  const fill = async () => {
    await withStore(async (store) => {
      expect(await store.nextIncarnation()).toBe(1)
      for (let key = 0; key < 30; key += 1) {
        await store.family('outbox').put(`${key}`, value(200_000, key), { sync: false })
      }
    })
    await withStore(async (store) => expect(await store.family('outbox').get('1')).toEqual(value(200_000, 1)))
  }

  test.each<[string, () => void]>([
    ['CURRENT is garbage', () => writeFileSync(some(/CURRENT/), 'x')],
    ['CURRENT is gone', () => rmSync(some(/CURRENT/))],
    ['the manifest is gone', () => rmSync(some(/MANIFEST/))],
    ['the manifest is empty', () => writeFileSync(some(/MANIFEST/), '')],
    [
      'the tables are gone',
      () =>
        files(/ldb$/).forEach((file) => {
          rmSync(file)
        }),
    ],
  ])('%s: the store is set aside, said, and a fresh one goes on with the next incarnation', async (_, damage) => {
    await fill()
    damage()
    await withStore(async (store) => {
      expect(store.setAside).toBe(join(path, 'store.damaged-1'))
      expect(readdirSync(join(path, 'store.damaged-1')).length).toBeGreaterThan(0)
      expect(await store.family('outbox').get('1')).toBeUndefined()
      expect(await store.nextIncarnation()).toBe(2)
      await store.family('outbox').put('1', value(1), synced)
    })
    await withStore(async (store) => {
      expect(store.setAside).toBeUndefined()
      expect(await store.family('outbox').get('1')).toEqual(value(1))
    })
  })

  test('flipped bytes are found when they are read, never handed out, and the next start sets the store aside', async () => {
    await fill()
    for (const file of files(/ldb$/)) {
      const bytes = readFileSync(file)
      // Inside the values, where LevelDB itself notices nothing.
      for (let index = 50_000; index < bytes.byteLength - 50_000; index += 50_000) bytes.writeUInt8(0x55, index)
      writeFileSync(file, bytes)
    }
    await withStore(async (store) => {
      const reading = async () => {
        for await (const [key] of store.family('outbox').iterate()) expect(key).toMatch(/\d/)
      }
      await expect(reading()).rejects.toMatchObject({ code: 'corrupt' })
    })
    await withStore(async (store) => {
      expect(store.setAside).toBe(join(path, 'store.damaged-1'))
      expect(await store.nextIncarnation()).toBe(2)
    })
  })

  test('an incarnation file with nonsense does not turn the count back', async () => {
    await fill()
    writeFileSync(join(path, 'incarnation'), 'hello')
    expect(await withStore((store) => store.nextIncarnation())).toBe(2)
    rmSync(join(path, 'incarnation'))
    expect(await withStore((store) => store.nextIncarnation())).toBe(3)
  })

  test('a lock that is damaged is replaced', async () => {
    await fill()
    writeFileSync(join(path, 'lock', 'CURRENT'), 'x')
    await withStore(async (store) => expect(store.setAside).toBeUndefined())
  })
})

const why = whyNoSmallDisk()
describe.skipIf(why !== null)(`a disk that fails${why === null ? '' : ` (${why})`}`, () => {
  let disk: SmallDisk
  beforeEach(() => {
    disk = mountSmallDisk('12m')
    path = join(disk.path, 'data')
  })
  afterEach(() => disk.unmount())

  test('full: writes fail as such, reads go on, and after room was made nothing acknowledged is lost', async () => {
    const acknowledged = new Map<string, Uint8Array>()
    await withStore(async (store) => {
      const family = store.family('outbox')
      const put = async (key: string, size: number, number: number) => {
        await family.put(key, value(size, number), synced)
        acknowledged.set(key, value(size, number))
      }
      const fillUp = async () => {
        for (let key = 0; key < 200; key += 1) await put(`${key}`, 200_000, key)
      }
      await expect(fillUp()).rejects.toMatchObject({ code: 'disk-full' })
      // A small one would fit, but must not be acknowledged behind a half-written one.
      await expect(put('small', 10, 1)).rejects.toMatchObject({ code: 'disk-full' })
      await expect(store.nextIncarnation()).rejects.toMatchObject({ code: 'disk-full' })
      expect(await family.get('0')).toEqual(value(200_000, 0))
      disk.remount('size=64m')
      await put('after', 10, 2)
      expect(await family.get('0')).toEqual(value(200_000, 0))
    })
    await withStore(async (store) => {
      expect(store.setAside).toBeUndefined()
      for (const [key, bytes] of acknowledged) expect(await store.family('outbox').get(key)).toEqual(bytes)
    })
  })

  test('read-only: opening says so', async () => {
    await withStore((store) => store.nextIncarnation())
    disk.remount('ro')
    await expect(createStore(path)).rejects.toMatchObject({ code: 'read-only' })
    expect(await readLastIncarnation(path)).toBe(1)
    disk.remount('rw')
    expect(await withStore((store) => store.nextIncarnation())).toBe(2)
  })
})

test('SIGKILL at any moment loses nothing that was acknowledged, and no incarnation comes twice', async () => {
  const acknowledged = new Set<string>()
  for (const [round, acknowledgements] of [3, 60, 17, 150].entries()) {
    const child: ChildProcess = spawn(process.execPath, [CHILD, path, `${round}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (child.stdout === null) throw new Error('a child that was started has an output')
    let seen = 0
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.add(line)
      seen += 1
      // Not after the line but a part of a write later, so that the kill lands anywhere in one.
      if (seen === acknowledgements) setImmediate(() => child.kill('SIGKILL'))
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
  }
  await withStore(async (store) => {
    expect(store.setAside).toBeUndefined()
    for (const line of acknowledged) {
      const [what = '', incarnation, number] = line.split(' ')
      if (what === 'incarnation') continue
      if (what === 'record') expect(await store.family('outbox').get(`${incarnation}/${number}`), line).toBeDefined()
      else {
        const place = { incarnation: Number(incarnation), seq: Number(number) }
        const [entry] = await store.log.read({ host: 'child', from: place, limit: 1 })
        expect(entry, line).toMatchObject(place)
      }
    }
    const incarnations = [...acknowledged].filter((line) => line.startsWith('incarnation'))
    expect(incarnations).toEqual(['incarnation 1', 'incarnation 2', 'incarnation 3', 'incarnation 4'])
    expect(await store.nextIncarnation()).toBe(5)
  })
})
