/** An ordered key-value store of bytes: what the message store asks of a disk. */

/** Which keys to walk, in order of their UTF-16 code units; keys here are ASCII. */
export interface KvRange {
  readonly gte?: string
  readonly lt?: string
  readonly reverse?: boolean
  readonly limit?: number
}

/** The agent puts a database behind it. A missing key is `undefined`. */
export interface Kv {
  get(key: string): Promise<Uint8Array | undefined>
  put(key: string, value: Uint8Array): Promise<void>
  del(key: string): Promise<void>
  iterate(range: KvRange): AsyncIterable<readonly [key: string, value: Uint8Array]>
}

/** A `Kv` in memory, for tests and for a node without a disk. */
export function createMemoryKv(): Kv {
  const entries = new Map<string, Uint8Array>()
  return {
    get: async (key) => entries.get(key),
    put: async (key, value) => {
      entries.set(key, value)
    },
    del: async (key) => {
      entries.delete(key)
    },
    async *iterate({ gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY }) {
      const keys = [...entries.keys()].filter(
        (key) => (gte === undefined || key >= gte) && (lt === undefined || key < lt),
      )
      keys.sort()
      if (reverse) keys.reverse()
      for (const key of keys.slice(0, limit)) {
        const value = entries.get(key)
        if (value !== undefined) yield [key, value]
      }
    },
  }
}
