/**
 * A map for large meshes, whose copies share their keys.
 *
 * Every step copies the maps that it writes to. In a mesh of a thousand hosts that was most of what a core did: somebody
 * speaks all the time, and one value of a thousand changes, but hardly ever a key. So the keys and their places are kept
 * once, and a copy copies a plain list of values, which is forty times as fast. It behaves as a `Map` does, the order of its
 * keys included.
 */

interface Keys<K> {
  readonly list: K[]
  readonly places: Map<K, number>
}

/** A map that is cheap to copy. Only who has just copied it may write to it. */
export class SharedKeyMap<K, V> implements ReadonlyMap<K, V> {
  #keys: Keys<K>
  #values: V[]
  /** Whether no other map shares the keys. */
  #hasOwnKeys = false

  private constructor(keys: Keys<K>, values: V[]) {
    this.#keys = keys
    this.#values = values
  }

  /** A copy of any map, to be written to. */
  static copyOf<K, V>(map: ReadonlyMap<K, V>): SharedKeyMap<K, V> {
    if (map instanceof SharedKeyMap) return new SharedKeyMap<K, V>(map.#keys, map.#values.slice())
    return new SharedKeyMap<K, V>(keysOf([...map.keys()]), [...map.values()])
  }

  /** Whether a test holds for every value that a later copy has changed; undefined when their keys are not shared. */
  everyChange(after: ReadonlyMap<K, V>, test: (before: V, after: V) => boolean): boolean | undefined {
    if (!(after instanceof SharedKeyMap) || after.#keys !== this.#keys) return undefined
    const [old, values]: readonly [readonly V[], readonly V[]] = [this.#values, after.#values]
    for (let place = 0; place < values.length; place += 1) {
      if (old[place] !== values[place] && !test(old[place] as V, values[place] as V)) return false
    }
    return true
  }

  get size(): number {
    return this.#values.length
  }

  get(key: K): V | undefined {
    const place = this.#keys.places.get(key)
    return place === undefined ? undefined : this.#values[place]
  }

  has(key: K): boolean {
    return this.#keys.places.has(key)
  }

  set(key: K, value: V): this {
    const place = this.#keys.places.get(key)
    if (place !== undefined) {
      this.#values[place] = value
      return this
    }
    if (!this.#hasOwnKeys) this.#ownKeys([...this.#keys.list])
    this.#keys.places.set(key, this.#values.length)
    this.#keys.list.push(key)
    this.#values.push(value)
    return this
  }

  delete(key: K): boolean {
    const place = this.#keys.places.get(key)
    if (place === undefined) return false
    this.#ownKeys(this.#keys.list.toSpliced(place, 1))
    this.#values.splice(place, 1)
    return true
  }

  forEach(run: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) run(value, key, this)
  }

  keys(): MapIterator<K> {
    return this.#keys.list[Symbol.iterator]()
  }

  values(): MapIterator<V> {
    return this.#walk((_, value) => value)
  }

  entries(): MapIterator<[K, V]> {
    return this.#walk((key, value) => [key, value])
  }

  /**
   * Written by hand: a generator takes twice as long, and large maps are walked all the time. A key that is deleted
   * meanwhile is passed over, and no other one.
   */
  #walk<T>(give: (key: K, value: V) => T): MapIterator<T> {
    const { list } = this.#keys
    let place = 0
    const iterator: MapIterator<T> = {
      next: () => {
        while (place < list.length) {
          const key = list[place] as K
          const now = this.#keys.list === list ? place : this.#keys.places.get(key)
          place += 1
          if (now !== undefined) return { done: false, value: give(key, this.#values[now] as V) }
        }
        return { done: true, value: undefined }
      },
      [Symbol.iterator]: () => iterator,
    }
    return iterator
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries()
  }

  #ownKeys(list: K[]): void {
    this.#keys = keysOf(list)
    this.#hasOwnKeys = true
  }
}

function keysOf<K>(list: K[]): Keys<K> {
  return { list, places: new Map(list.map((key, place) => [key, place])) }
}

/** Whether both maps have the same keys, and a test holds for every value that differs. */
export function everyChange<K, V>(
  before: ReadonlyMap<K, V>,
  after: ReadonlyMap<K, V>,
  test: (before: V, after: V) => boolean,
): boolean {
  const quick = before instanceof SharedKeyMap ? before.everyChange(after, test) : undefined
  if (quick !== undefined) return quick
  if (before.size !== after.size) return false
  for (const [key, value] of after) {
    const known = before.get(key)
    if (known !== value && (known === undefined || !test(known, value))) return false
  }
  return true
}
