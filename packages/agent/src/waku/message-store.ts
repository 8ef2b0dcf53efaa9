/**
 * The messages that a node keeps, so that a device that was away finds what it missed.
 *
 * The bytes lie in an ordered key-value store; an index of them lies in memory, rebuilt at opening. Pages are sorted by
 * the sender's timestamp, then by hash, so that a cursor means the same on every node. What is kept is bounded by age,
 * count and bytes, and messages on topics that are not the mesh's own share a small part of it: a stranger who floods
 * the node evicts strangers' messages only.
 * Source of the order: 13/WAKU2-STORE, "Sorting messages".
 */
import type { Kv } from './kv.ts'
import { STORE_BYTES_MAX, STORE_FOREIGN_SHARE, STORE_KEEP_MS, STORE_MESSAGES_MAX } from './limits.ts'
import { type Message, parseMessage } from './message.ts'
import { reasonOf, type WakuClock, type WakuLog } from './ports.ts'

/** What to look for. Empty lists mean "any". */
export interface StoreQuery {
  readonly contentTopics: readonly string[]
  /** Hashes to look up; the other conditions do not apply then. */
  readonly hashes: readonly string[]
  /** Bounds of the sender's timestamp, in nanoseconds, both included. */
  readonly startNs?: bigint
  readonly endNs?: bigint
  /** The hash that the last page ended with (began with, when going backward). */
  readonly cursor?: string
  readonly forward: boolean
  readonly limit: number
  /** The page ends before its messages hold more bytes than this, but holds at least one. */
  readonly bytesMax: number
  /** False: hashes only, nothing is read from the disk. */
  readonly includeData: boolean
}

/** One page, from oldest to newest whatever the direction. */
export interface StorePage {
  readonly messages: readonly { readonly hash: string; readonly message?: Message }[]
  /** Present when there is more. */
  readonly cursor?: string
}

/** Where a node keeps messages. One contract for all implementations. */
export interface MessageStore {
  /** Keeps a message until then, by the wall clock. False when it was there already or its time is over. */
  put(message: Message, keep: { readonly isOwn: boolean; readonly untilUnixMs: number }): Promise<boolean>
  has(hash: string): boolean
  /** One page; `undefined` when the cursor names nothing that is kept. */
  query(query: StoreQuery): Promise<StorePage | undefined>
  size(): { readonly messages: number; readonly bytes: number }
}

/** Bounds of a store; the defaults are in `limits.ts`. */
export interface StoreLimits {
  readonly messagesMax: number
  readonly bytesMax: number
  /** Share of both open to topics that are not the mesh's own. */
  readonly foreignShare: number
  readonly keepMs: number
}

const DEFAULTS: StoreLimits = {
  messagesMax: STORE_MESSAGES_MAX,
  bytesMax: STORE_BYTES_MAX,
  foreignShare: STORE_FOREIGN_SHARE,
  keepMs: STORE_KEEP_MS,
}

interface Entry {
  readonly hash: string
  readonly contentTopic: string
  readonly timestampNs: bigint
  readonly byteLength: number
  readonly untilUnixMs: number
  readonly isOwn: boolean
  /** Only while the disk does not hold them: it refused the write, or has not answered yet. */
  bytes?: Uint8Array
}

const PREFIX = 'waku/'
/** The first character after every hex digit: the end of the range of keys. */
const PREFIX_END = 'waku0'
/** Before the message: keep-until in milliseconds (u64 big-endian) and a byte of flags. */
const HEADER_BYTES = 9

/** Opens a store over a key-value store: reads what is there, and forgets what is over or broken. */
export async function openMessageStore(
  kv: Kv,
  deps: { readonly clock: WakuClock; readonly log: WakuLog },
  limits: Partial<StoreLimits> = {},
): Promise<MessageStore> {
  const store = new IndexedStore(kv, deps.clock, deps.log, { ...DEFAULTS, ...limits })
  await store.load()
  return store
}

class IndexedStore implements MessageStore {
  readonly #kv: Kv
  readonly #clock: WakuClock
  readonly #log: WakuLog
  readonly #limits: StoreLimits
  readonly #byHash = new Map<string, Entry>()
  /** By timestamp, then hash. */
  readonly #byTime: Entry[] = []
  /** By end of keeping, one list for the mesh's own topics, one for all others. */
  readonly #expiry: Record<'own' | 'foreign', Entry[]> = { own: [], foreign: [] }
  readonly #bytes = { own: 0, foreign: 0 }

  constructor(kv: Kv, clock: WakuClock, log: WakuLog, limits: StoreLimits) {
    this.#kv = kv
    this.#clock = clock
    this.#log = log
    this.#limits = limits
  }

  async load(): Promise<void> {
    const broken: string[] = []
    for await (const [key, value] of this.#kv.iterate({ gte: PREFIX, lt: PREFIX_END })) {
      const entry = readEntry(key, value)
      if (entry === undefined) broken.push(key)
      else this.#insert(entry)
    }
    for (const key of broken) await this.#kv.del(key)
    if (broken.length > 0) this.#log.warn('forgot broken messages of the store', { count: broken.length })
    await this.#evict()
  }

  async put(message: Message, keep: { isOwn: boolean; untilUnixMs: number }): Promise<boolean> {
    const now = this.#clock.unixMs()
    if (this.#byHash.has(message.hash) || keep.untilUnixMs <= now) return false
    const entry: Entry = {
      hash: message.hash,
      contentTopic: message.contentTopic,
      timestampNs: message.timestampNs,
      byteLength: message.bytes.byteLength,
      untilUnixMs: Math.min(keep.untilUnixMs, now + this.#limits.keepMs),
      isOwn: keep.isOwn,
      bytes: message.bytes,
    }
    this.#insert(entry)
    try {
      await this.#kv.put(PREFIX + entry.hash, writeEntry(entry, message.bytes))
      delete entry.bytes
    } catch (cause) {
      this.#log.warn('a message is kept in memory only, the disk refused it', { reason: reasonOf(cause) })
    }
    await this.#evict()
    return true
  }

  has(hash: string): boolean {
    return this.#byHash.has(hash)
  }

  async query(query: StoreQuery): Promise<StorePage | undefined> {
    await this.#evict()
    const matches = query.hashes.length > 0 ? this.#lookUp(query.hashes) : this.#filter(query)
    const step = query.forward ? 1 : -1
    let index = query.forward ? 0 : matches.length - 1
    if (query.cursor !== undefined) {
      const at = this.#byHash.get(query.cursor)
      if (at === undefined) return undefined
      const after = matches.findIndex((entry) => compareTime(entry, at) >= 0)
      index = after === -1 ? matches.length : after
      if (!query.forward) index -= 1
      else if (matches[index]?.hash === at.hash) index += 1
    }
    const page: { hash: string; message?: Message }[] = []
    let bytes = 0
    for (; index >= 0 && index < matches.length && page.length < query.limit; index += step) {
      const entry = matches[index]
      if (entry === undefined) break
      if (query.includeData) {
        bytes += entry.byteLength
        if (page.length > 0 && bytes > query.bytesMax) break
        const message = await this.#read(entry)
        if (message !== undefined) page.push({ hash: entry.hash, message })
      } else {
        page.push({ hash: entry.hash })
      }
    }
    const last = page.at(-1)
    const isMore = index >= 0 && index < matches.length
    if (!query.forward) page.reverse()
    return last !== undefined && isMore ? { messages: page, cursor: last.hash } : { messages: page }
  }

  size(): { messages: number; bytes: number } {
    return { messages: this.#byHash.size, bytes: this.#bytes.own + this.#bytes.foreign }
  }

  #lookUp(hashes: readonly string[]): Entry[] {
    const found = [...new Set(hashes)].map((hash) => this.#byHash.get(hash)).filter((entry) => entry !== undefined)
    return found.sort(compareTime)
  }

  #filter({ contentTopics, startNs, endNs }: StoreQuery): Entry[] {
    const topics = new Set(contentTopics)
    return this.#byTime.filter(
      (entry) =>
        (topics.size === 0 || topics.has(entry.contentTopic)) &&
        (startNs === undefined || entry.timestampNs >= startNs) &&
        (endNs === undefined || entry.timestampNs <= endNs),
    )
  }

  async #read(entry: Entry): Promise<Message | undefined> {
    try {
      const value = entry.bytes ?? (await this.#kv.get(PREFIX + entry.hash))?.subarray(HEADER_BYTES)
      return value === undefined ? undefined : parseMessage(value)
    } catch (cause) {
      this.#log.warn('a kept message could not be read', { reason: reasonOf(cause) })
      return undefined
    }
  }

  #insert(entry: Entry): void {
    const pool = entry.isOwn ? 'own' : 'foreign'
    this.#byHash.set(entry.hash, entry)
    insertSorted(this.#byTime, entry, compareTime)
    insertSorted(this.#expiry[pool], entry, compareExpiry)
    this.#bytes[pool] += entry.byteLength
  }

  async #evict(): Promise<void> {
    const now = this.#clock.unixMs()
    const { messagesMax, bytesMax, foreignShare } = this.#limits
    const gone: Entry[] = []
    const trim = (pool: 'own' | 'foreign', isOver: (list: readonly Entry[]) => boolean): void => {
      const list = this.#expiry[pool]
      for (let first = list[0]; first !== undefined; first = list[0]) {
        if (first.untilUnixMs > now && !isOver(list)) return
        list.shift()
        this.#bytes[pool] -= first.byteLength
        this.#byHash.delete(first.hash)
        gone.push(first)
      }
    }
    trim('foreign', (list) => list.length > messagesMax * foreignShare || this.#bytes.foreign > bytesMax * foreignShare)
    trim(
      'own',
      (list) =>
        list.length + this.#expiry.foreign.length > messagesMax || this.#bytes.own + this.#bytes.foreign > bytesMax,
    )
    if (gone.length === 0) return
    for (const entry of gone) this.#byTime.splice(lowerBound(this.#byTime, entry, compareTime), 1)
    for (const { hash } of gone) {
      try {
        await this.#kv.del(PREFIX + hash)
      } catch (cause) {
        this.#log.warn('an old message could not be removed from the disk', { reason: reasonOf(cause) })
      }
    }
  }
}

function writeEntry(entry: Entry, bytes: Uint8Array): Uint8Array {
  const value = Buffer.alloc(HEADER_BYTES + bytes.byteLength)
  value.writeBigUInt64BE(BigInt(entry.untilUnixMs))
  value.writeUInt8(entry.isOwn ? 1 : 0, 8)
  value.set(bytes, HEADER_BYTES)
  return value
}

function readEntry(key: string, value: Uint8Array): Entry | undefined {
  try {
    const message = parseMessage(value.subarray(HEADER_BYTES))
    if (PREFIX + message.hash !== key) return undefined
    const header = Buffer.from(value.buffer, value.byteOffset, HEADER_BYTES)
    return {
      hash: message.hash,
      contentTopic: message.contentTopic,
      timestampNs: message.timestampNs,
      byteLength: message.bytes.byteLength,
      untilUnixMs: Number(header.readBigUInt64BE()),
      isOwn: header.readUInt8(8) === 1,
    }
  } catch {
    return undefined
  }
}

function compareTime(a: Entry, b: Entry): number {
  if (a.timestampNs !== b.timestampNs) return a.timestampNs < b.timestampNs ? -1 : 1
  return a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0
}

function compareExpiry(a: Entry, b: Entry): number {
  return a.untilUnixMs - b.untilUnixMs || compareTime(a, b)
}

function lowerBound(list: readonly Entry[], entry: Entry, compare: (a: Entry, b: Entry) => number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const at = list[middle]
    if (at !== undefined && compare(at, entry) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function insertSorted(list: Entry[], entry: Entry, compare: (a: Entry, b: Entry) => number): void {
  list.splice(lowerBound(list, entry, compare), 0, entry)
}
