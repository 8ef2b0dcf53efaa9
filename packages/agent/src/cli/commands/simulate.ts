/** `muster simulate`: the protocol core in a deterministic, faulty world; above twelve hosts, what a large mesh costs. */
import { availableParallelism } from 'node:os'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { limits, RULES, type Rule } from '@muster/protocol'
import { formatReport, formatScale, runScale, runSeed, runSeeds } from '@muster/simulator'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import { wholeNumber } from '../options.ts'
import { rangesOf, runSeedsOnCores } from '../seeds-on-cores.ts'
import type { Context } from '../surroundings.ts'

const SEEDS_MAX = 10_000_000
const CORES_MAX = 256
const SEED_MAX = 2 ** 31 - 1
const HOSTS_LEAST = 2
const HOSTS_MOST = limits.members
/** Up to here worlds are drawn from seeds; with more hosts there is one large mesh, which is measured. */
const DRAWN_HOSTS_MOST = 12
const SEEDS_DEFAULT = '100'
/** Heap that a large mesh takes for each pair of hosts, bytes: each core knows each other host. Measured at 1,000. */
const PAIR_BYTES = 1_500

/** Options of `muster simulate`. */
interface SimulateOptions {
  readonly seeds?: string
  readonly seed?: string
  readonly hosts?: string
  readonly without?: string
  readonly noisy?: boolean
  readonly from?: string
  readonly cores?: string
}

/** Runs worlds. Exit code 1 when an invariant breaks, or a verdict in a noisy world is false. */
export async function simulate(context: Context, options: SimulateOptions): Promise<number> {
  const count = options.hosts === undefined ? null : wholeNumber(options.hosts, '--hosts', HOSTS_LEAST, HOSTS_MOST)
  if (count !== null && count > DRAWN_HOSTS_MOST) return simulateScale(context, count, options)
  const hosts = count === null ? {} : { hosts: count }
  const noisy = options.noisy === true
  const shape = { ...hosts, noisy, ...(options.without === undefined ? {} : { without: [readRule(options.without)] }) }
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
  const worlds = wholeNumber(options.seeds ?? SEEDS_DEFAULT, '--seeds', 1, SEEDS_MAX)
  const from = wholeNumber(options.from ?? '1', '--from', 0, SEED_MAX - worlds)
  const cores = wholeNumber(options.cores ?? String(availableParallelism()), '--cores', 1, CORES_MAX)
  const isSpread = options.without === undefined && rangesOf(worlds, cores) > 1
  const args = [...(count === null ? [] : ['--hosts', String(count)]), ...(noisy ? ['--noisy'] : [])]
  const sums = isSpread
    ? await runSeedsOnCores({ from, count: worlds, cores, args, signal: context.interrupted() })
    : runSeeds({ ...shape, from, count: worlds, onBroken })
  if (context.json) context.print(sums)
  else for (const line of formatReport(sums, args)) context.line(context.typed(line))
  return sums.brokenSeeds.length === 0 && !(noisy && sums.verdicts.false > 0) ? EXIT.done : EXIT.bad
}

/** Measures one large mesh. Exit code 1 when somebody never knew, when a host that lived was given up, or a notice was not told once. */
function simulateScale(context: Context, hosts: number, options: SimulateOptions): number {
  const { seeds, without, noisy, from, cores } = options
  if ([seeds, without, noisy, from, cores].some((option) => option !== undefined)) {
    throw usageError(
      `with more than ${DRAWN_HOSTS_MOST} hosts one large mesh is measured, without any option but --seed`,
      'choose another run of it with --seed',
    )
  }
  const seed = options.seed === undefined ? 1 : wholeNumber(options.seed, '--seed', 0, SEED_MAX)
  const neededMb = Math.ceil((hosts * hosts * PAIR_BYTES) / 1e6)
  if (getHeapStatistics().heap_size_limit < neededMb * 1e6) {
    throw new CliError(
      'too-large',
      EXIT.bad,
      `${hosts} hosts take ${neededMb} MB of memory, more than Node may use here`,
      `with NODE_OPTIONS=--max-old-space-size=${2 * neededMb} in the environment: muster simulate --hosts ${hosts}`,
    )
  }
  const result = runScale({
    hosts,
    seed,
    stopwatch: () => performance.now(),
    heapBytes: createHeapGauge(),
    say: (line) => context.err(`${line}\n`),
  })
  if (context.json) context.print(result)
  else for (const line of formatScale(result)) context.line(line)
  const isSound = result.deaths.every(({ survivors, knowing, notices }) => knowing === survivors && notices === 1)
  return result.settled && isSound && result.falseVerdicts === 0 ? EXIT.done : EXIT.bad
}

/** Reads the heap in use, garbage left out: collecting it must be allowed first. */
function createHeapGauge(): () => number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  return () => {
    if (typeof collect === 'function') collect()
    return process.memoryUsage().heapUsed
  }
}

function readRule(text: string): Rule {
  const rule = RULES.find((each) => each === text)
  if (rule !== undefined) return rule
  throw usageError(`there is no rule ${text.slice(0, 40)}; there are ${RULES.join(', ')}`)
}
