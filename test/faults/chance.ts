/** Chance in a fault test: seeded, and the seed is printed, so that a failure can be run again. */
import { nextRandom } from '../../packages/protocol/src/prng.ts'

/** The environment variable that gives the seed. */
export const SEED = 'MUSTER_FAULTS_SEED'

/** Numbers in [0, 1) for one test, from the seed given or from the time. Prints which. */
export function createChance(test: string): () => number {
  const seed = Number(process.env[SEED] ?? Date.now() % 1_000_000)
  process.stdout.write(`${test}: seed ${seed} (${SEED}=${seed} runs it again)\n`)
  let prng = seed
  return () => {
    const [value, next] = nextRandom(prng)
    prng = next
    return value
  }
}
