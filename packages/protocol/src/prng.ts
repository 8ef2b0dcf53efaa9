/**
 * Chance, kept in the state: the same seed and the same events give the same effects.
 *
 * The generator is mulberry32 on one 32-bit word: enough to spread timers and pick peers, never used for secrets.
 * Source: https://github.com/bryc/code/blob/master/jshash/PRNGs.md
 */

/** One 32-bit word of generator state. */
export type Prng = number

/** The next value in [0, 1) and the generator after it. */
export function nextRandom(prng: Prng): readonly [value: number, next: Prng] {
  const next = (prng + 0x6d2b79f5) | 0
  let mixed = Math.imul(next ^ (next >>> 15), 1 | next)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return [((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296, next]
}
