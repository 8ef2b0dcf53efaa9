/**
 * Bytes by key in memory, in the order of the keys' bytes.
 *
 * Both are held as Latin-1 text, a character for each byte: its order is that of the bytes, and a short string takes less
 * memory than a short array.
 *
 * A sorted list of keys beside a map: looking up is a step, a range is found by halving, and adding moves what lies
 * behind. That is cheap to some hundred thousand keys, most of which come at the end of a range.
 */

/** Ordered bytes, as Latin-1 text. */
export interface OrderedBytes {
  get(key: string): string | undefined
  set(key: string, value: string): void
  delete(key: string): void
  /** Keys and values from `first` up to, and without, `end`: a snapshot. */
  range(first: string, end: string, options: { readonly reverse: boolean; readonly limit: number }): readonly Row[]
  /** Bytes of all keys and values. */
  bytes(): number
}

/** One key and its value. */
export type Row = readonly [key: string, value: string]

/** Nothing yet. */
export function createOrderedBytes(): OrderedBytes {
  const values = new Map<string, string>()
  const keys: string[] = []
  let total = 0

  /** The place of the first key that is not before this one. */
  function placeOf(key: string): number {
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = keys[middle]
      if (at !== undefined && at < key) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    get: (key) => values.get(key),
    set(key, value) {
      const before = values.get(key)
      if (before === undefined) keys.splice(placeOf(key), 0, key)
      total += value.length - (before === undefined ? -key.length : before.length)
      values.set(key, value)
    },
    delete(key) {
      const before = values.get(key)
      if (before === undefined) return
      keys.splice(placeOf(key), 1)
      total -= key.length + before.length
      values.delete(key)
    },
    range(first, end, { reverse, limit }) {
      const from = placeOf(first)
      const to = Math.max(from, placeOf(end))
      const found = reverse
        ? keys.slice(Math.max(from, to - limit), to).reverse()
        : keys.slice(from, Math.min(to, from + limit))
      return found.flatMap((key) => {
        const value = values.get(key)
        return value === undefined ? [] : [[key, value] as const]
      })
    },
    bytes: () => total,
  }
}
