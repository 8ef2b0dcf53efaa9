/**
 * A map whose copies share their keys.
 *
 * Every step copies the maps that it writes to. In a mesh of a thousand hosts that was most of what a core did: somebody
 * speaks all the time, and one value of a thousand changes, but hardly ever a key. So the keys and their places are kept
 * once, and a copy copies a plain list of values, which is forty times as fast. It behaves as a `Map` does, the order of its
 * keys included.
 *
 * A key that is new is added to the shared ones: who has fewer values than there are keys does not see the last of them.
 * Only a copy that has all of them may add to them; any other makes keys of its own first, as does whoever deletes one.
 */

interface Keys<K> {
  readonly list: K[]
  readonly places: Map<K, number>
}

/** A map that is cheap to copy. Only who has just copied it may write to it. */
export class SharedKeyMap<K, V> implements ReadonlyMap<K, V> {
  #keys: Keys<K>
  #values: V[]

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
    if (!(after instanceof SharedKeyMap) || after.#keys !== this.#keys || after.size !== this.size) return undefined
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
    return place === undefined || place >= this.#values.length ? undefined : this.#values[place]
  }

  has(key: K): boolean {
    const place = this.#keys.places.get(key)
    return place !== undefined && place < this.#values.length
  }

  set(key: K, value: V): this {
    const place = this.#keys.places.get(key)
    if (place !== undefined && place < this.#values.length) {
      this.#values[place] = value
      return this
    }
    if (this.#keys.list.length > this.#values.length) this.#keys = keysOf(this.#keys.list.slice(0, this.#values.length))
    this.#keys.places.set(key, this.#values.length)
    this.#keys.list.push(key)
    this.#values.push(value)
    return this
  }

  delete(key: K): boolean {
    const place = this.#keys.places.get(key)
    if (place === undefined || place >= this.#values.length) return false
    const list = this.#keys.list.slice(0, this.#values.length)
    list.splice(place, 1)
    this.#keys = keysOf(list)
    this.#values.splice(place, 1)
    return true
  }

  forEach(run: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) run(value, key, this)
  }

  keys(): MapIterator<K> {
    return new Walk<K, V, K>(this, (key) => key)
  }

  values(): MapIterator<V> {
    return new Walk<K, V, V>(this, (_, value) => value)
  }

  entries(): MapIterator<[K, V]> {
    return new Walk<K, V, [K, V]>(this, (key, value) => [key, value])
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries()
  }

  /** The keys as they are shared, those that this map does not see included. */
  get keyList(): readonly K[] {
    return this.#keys.list
  }

  /** What is kept at a place of its keys. */
  valueAt(place: number): V {
    return this.#values[place] as V
  }
}

/**
 * Walks a map as the iterators of a `Map` do: a key that is deleted meanwhile is passed over, and no other one.
 *
 * Written by hand, and its own answer to each `next`, because maps are walked all the time: a generator takes twice as
 * long, and an answer made for each value is one object more for each value.
 */
class Walk<K, V, T> implements MapIterator<T> {
  done = false
  value: T | undefined = undefined
  readonly #map: SharedKeyMap<K, V>
  readonly #give: (key: K, value: V) => T
  readonly #list: readonly K[]
  #length = 0
  #place = 0

  constructor(map: SharedKeyMap<K, V>, give: (key: K, value: V) => T) {
    this.#map = map
    this.#give = give
    this.#list = map.keyList
  }

  next(): IteratorResult<T, undefined> {
    const isSame = this.#map.keyList === this.#list
    if (isSame) this.#length = this.#map.size
    while (this.#place < this.#length) {
      const place = this.#place
      const key = this.#list[place] as K
      this.#place += 1
      if (!isSame && !this.#map.has(key)) continue
      this.value = this.#give(key, isSame ? this.#map.valueAt(place) : (this.#map.get(key) as V))
      return this as IteratorResult<T, undefined>
    }
    this.done = true
    this.value = undefined
    return this as IteratorResult<T, undefined>
  }

  [Symbol.iterator](): MapIterator<T> {
    return this
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
