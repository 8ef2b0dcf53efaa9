import { describe, expect, test } from 'vitest'
import { createMemoryKv, type Kv } from './kv.ts'
import { type Message, makeMessage } from './message.ts'
import { type MessageStore, openMessageStore, type StoreLimits, type StoreQuery } from './message-store.ts'
import { memoryLog } from './testing/kit.ts'

const HOUR_MS = 3_600_000

interface World {
  readonly store: MessageStore
  readonly clock: { nowMs: number }
  put(message: Message, isOwn?: boolean): Promise<boolean>
}

async function open(kv: Kv, limits: Partial<StoreLimits> = {}, nowMs = 1_000_000): Promise<World> {
  const clock = { nowMs }
  const deps = { clock: { unixMs: () => clock.nowMs, monotonicMs: () => 0 }, log: memoryLog() }
  const store = await openMessageStore(kv, deps, limits)
  const put = (message: Message, isOwn = true): Promise<boolean> =>
    store.put(message, { isOwn, untilUnixMs: clock.nowMs + 48 * HOUR_MS })
  return { store, clock, put }
}

const message = (timestampMs: number, contentTopic = '/t', bytes = 10): Message =>
  makeMessage({ contentTopic, payload: new Uint8Array(bytes).fill(timestampMs % 251), timestampMs })

const ALL: StoreQuery = {
  contentTopics: [],
  hashes: [],
  forward: true,
  limit: 100,
  bytesMax: 1_000_000,
  includeData: false,
}

async function hashes(store: MessageStore, query: Partial<StoreQuery> = {}): Promise<string[]> {
  return ((await store.query({ ...ALL, ...query }))?.messages ?? []).map(({ hash }) => hash)
}

/** What every message store holds to. */
describe.each([['over memory', async () => createMemoryKv()]])('a message store %s', (_name, makeKv) => {
  test('keeps each message once and gives it back whole', async () => {
    const { store, put } = await open(await makeKv())
    const kept = message(5)
    expect(await put(kept)).toBe(true)
    expect(await put(kept)).toBe(false)
    expect(store.has(kept.hash)).toBe(true)
    const page = await store.query({ ...ALL, includeData: true })
    expect(page?.messages.map(({ message }) => message && Buffer.from(message.bytes).toString('hex'))).toEqual([
      Buffer.from(kept.bytes).toString('hex'),
    ])
    expect(store.size()).toEqual({ messages: 1, bytes: kept.bytes.byteLength })
  })

  test('pages through everything in the order of the sender’s time, both ways', async () => {
    const { store, put } = await open(await makeKv())
    const all = Array.from({ length: 23 }, (_, index) => message(1000 + index))
    for (const one of [...all].reverse()) await put(one)
    for (const forward of [true, false]) {
      const walked: string[][] = []
      let cursor: string | undefined
      do {
        const page = await store.query({ ...ALL, forward, limit: 5, ...(cursor === undefined ? {} : { cursor }) })
        walked.push((page?.messages ?? []).map(({ hash }) => hash))
        cursor = page?.cursor
      } while (cursor !== undefined)
      expect(walked.map((page) => page.length)).toEqual([5, 5, 5, 5, 3])
      if (!forward) walked.reverse()
      expect(walked.flat()).toEqual(all.map(({ hash }) => hash))
    }
  })

  test('takes the cursor of a stock client, which names the last message of a page that had no more', async () => {
    const { store, put } = await open(await makeKv())
    const [a, b] = [message(1), message(2)]
    await put(a)
    await put(b)
    expect(await hashes(store, { cursor: a.hash })).toEqual([b.hash])
    expect(await hashes(store, { cursor: b.hash })).toEqual([])
    expect(await hashes(store, { cursor: a.hash, forward: false })).toEqual([])
    expect(await store.query({ ...ALL, cursor: 'ff'.repeat(32) })).toBeUndefined()
  })

  test('finds by topic, time and hash', async () => {
    const { store, put } = await open(await makeKv())
    const [a, b, c] = [message(1, '/a'), message(2, '/b'), message(3, '/a')]
    for (const one of [a, b, c]) await put(one)
    expect(await hashes(store, { contentTopics: ['/a'] })).toEqual([a.hash, c.hash])
    expect(await hashes(store, { contentTopics: ['/a'], cursor: b.hash })).toEqual([c.hash])
    expect(await hashes(store, { startNs: 2_000_000n })).toEqual([b.hash, c.hash])
    expect(await hashes(store, { endNs: 2_000_000n })).toEqual([a.hash, b.hash])
    expect(await hashes(store, { hashes: [c.hash, 'ab'.repeat(32), a.hash, a.hash] })).toEqual([a.hash, c.hash])
  })

  test('ends a page by its bytes, but never gives an empty one', async () => {
    const { store, put } = await open(await makeKv())
    for (let index = 0; index < 4; index += 1) await put(message(index + 1, '/t', 1000))
    expect(await hashes(store, { includeData: true, bytesMax: 2_200 })).toHaveLength(2)
    expect(await hashes(store, { includeData: true, bytesMax: 1 })).toHaveLength(1)
  })

  test('forgets by age, and lets no clock of a sender keep a message longer', async () => {
    const { store, clock, put } = await open(await makeKv())
    await put(message(9_999_999_999_999))
    clock.nowMs += 47 * HOUR_MS
    const later = message(5)
    await put(later)
    clock.nowMs += 2 * HOUR_MS
    expect(await hashes(store)).toEqual([later.hash])
  })

  test.each([
    ['count', { messagesMax: 8 }],
    ['bytes', { bytesMax: 8 * message(100).bytes.byteLength }],
  ])('keeps the newest within its bound of %s', async (_name2, limits) => {
    const { store, clock, put } = await open(await makeKv(), limits)
    const all = Array.from({ length: 12 }, (_, index) => message(100 - index))
    for (const one of all) {
      clock.nowMs += 1
      await put(one)
    }
    expect(new Set(await hashes(store))).toEqual(new Set(all.slice(4).map(({ hash }) => hash)))
  })

  test('lets a flood of strangers evict only strangers', async () => {
    const { store, clock, put } = await open(await makeKv(), { messagesMax: 20, foreignShare: 0.25 })
    const own = Array.from({ length: 15 }, (_, index) => message(index + 1))
    for (const one of own) await put(one)
    for (let index = 0; index < 50; index += 1) {
      clock.nowMs += 1
      await put(message(1000 + index, '/stranger'), false)
    }
    expect(store.size().messages).toBe(20)
    expect(own.every(({ hash }) => store.has(hash))).toBe(true)
  })

  test('survives a restart, and sets broken entries aside', async () => {
    const kv = await makeKv()
    const first = await open(kv)
    const [a, b] = [message(1), message(2)]
    await first.put(a)
    await first.put(b)
    await kv.put('waku/00', Buffer.from('garbage'))
    await kv.put(`waku/${'ab'.repeat(32)}`, Buffer.alloc(50, 1))
    const { store } = await open(kv)
    expect(await hashes(store)).toEqual([a.hash, b.hash])
    expect(await kv.get('waku/00')).toBeUndefined()
    const { store: muchLater } = await open(kv, {}, 1_000_000 + 49 * HOUR_MS)
    expect(muchLater.size()).toEqual({ messages: 0, bytes: 0 })
    expect(await kv.get(`waku/${a.hash}`)).toBeUndefined()
  })

  test('goes on in memory when the disk refuses', async () => {
    const full: Kv = { ...(await makeKv()), put: () => Promise.reject(new Error('no space left')) }
    const { store, put } = await open(full)
    const kept = message(5)
    expect(await put(kept)).toBe(true)
    const page = await store.query({ ...ALL, includeData: true })
    expect(page?.messages.map(({ message }) => message?.hash)).toEqual([kept.hash])
  })
})
