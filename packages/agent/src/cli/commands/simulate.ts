/** `muster simulate`: the protocol core in a deterministic, faulty world. */
import { RULES, type Rule } from '@muster/protocol'
import { formatReport, runSeed, runSeeds } from '@muster/simulator'
import { EXIT, usageError } from '../cli-error.ts'
import { wholeNumber } from '../options.ts'
import type { Context } from '../surroundings.ts'

const SEEDS_MAX = 10_000_000
const SEED_MAX = 2 ** 31 - 1
const HOSTS_LEAST = 2
const HOSTS_MOST = 12

/** Options of `muster simulate`. */
interface SimulateOptions {
  readonly seeds: string
  readonly seed?: string
  readonly hosts?: string
  readonly without?: string
}

/** Runs worlds. Exit code 1 when an invariant breaks. */
export async function simulate(context: Context, options: SimulateOptions): Promise<number> {
  const hosts =
    options.hosts === undefined ? {} : { hosts: wholeNumber(options.hosts, '--hosts', HOSTS_LEAST, HOSTS_MOST) }
  const shape = { ...hosts, ...(options.without === undefined ? {} : { without: [readRule(options.without)] }) }
  if (options.seed !== undefined) {
    const result = runSeed(wholeNumber(options.seed, '--seed', 0, SEED_MAX), { ...shape, story: true })
    if (context.json) context.print(result)
    else {
      for (const line of result.story) context.line(line)
      context.line(result.broken.length === 0 ? 'every invariant held' : `${result.broken.length} broken`)
    }
    return result.broken.length === 0 ? EXIT.done : EXIT.bad
  }
  // Without a rule one broken seed says enough.
  const onBroken = (): boolean => options.without === undefined
  const count = wholeNumber(options.seeds, '--seeds', 1, SEEDS_MAX)
  const sums = runSeeds({ ...shape, from: 1, count, onBroken })
  if (context.json) context.print(sums)
  else for (const line of formatReport(sums)) context.line(line)
  return sums.brokenSeeds.length === 0 ? EXIT.done : EXIT.bad
}

function readRule(text: string): Rule {
  const rule = RULES.find((each) => each === text)
  if (rule !== undefined) return rule
  throw usageError(`there is no rule ${text.slice(0, 40)}; there are ${RULES.join(', ')}`)
}
