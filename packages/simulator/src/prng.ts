/**
 * Chance from a seed: sfc32, a small fast generator of good quality (PractRand).
 *
 * A world draws from several streams, one for each part, so that what one part draws shifts no other part's luck:
 * the same seed with other wall clocks is the same run.
 */

/** A stream of chance. All draws come from one 128-bit state. */
export interface Prng {
  /** A number in [0, 1). */
  readonly next: () => number
  /** A whole number, both ends included. */
  readonly int: (min: number, max: number) => number
  /** True with this probability. */
  readonly chance: (probability: number) => boolean
  /** One of the items. Throws when there is none. */
  readonly pick: <T>(items: readonly T[]) => T
  /** `count` different items, in drawn order (all of them when there are fewer). */
  readonly sample: <T>(items: readonly T[], count: number) => T[]
}

/** Makes the stream named `stream` of a seed: equal arguments, equal draws. */
export function createPrng(seed: number, stream: string): Prng {
  // FNV-1a over the name spreads the streams; the twelve warm-up draws mix seed and stream through the state.
  let mixed = 0x811c9dc5
  for (let index = 0; index < stream.length; index += 1) {
    mixed = Math.imul(mixed ^ stream.charCodeAt(index), 0x01000193)
  }
  let a = seed | 0
  let b = mixed | 0
  let c = (seed / 0x100000000) | 0
  let counter = 1
  const draw = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
  for (let warmUp = 0; warmUp < 12; warmUp += 1) draw()
  const int = (min: number, max: number): number => min + Math.floor(draw() * (max - min + 1))
  const sample = <T>(items: readonly T[], count: number): T[] => {
    const rest = [...items]
    const taken: T[] = []
    while (taken.length < count && rest.length > 0) taken.push(...rest.splice(int(0, rest.length - 1), 1))
    return taken
  }
  return {
    next: draw,
    int,
    chance: (probability) => draw() < probability,
    pick: (items) => {
      const item = items[int(0, items.length - 1)]
      if (item === undefined) throw new Error('nothing to pick from')
      return item
    },
    sample,
  }
}
