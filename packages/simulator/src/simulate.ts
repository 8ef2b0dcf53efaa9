/**
 * Runs seeds and says what held: the simulator's face to tests and to `muster simulate`.
 */
import type { Rule } from '@muster/protocol'
import { createWatch, type Exercised, noneExercised } from './checkers/all.ts'
import { type Broken, INVARIANTS } from './checkers/checker.ts'
import type { Verdicts } from './checkers/verdicts.ts'
import type { Core } from './core.ts'
import { FAULT_KINDS } from './faults/fault.ts'
import type { Happening } from './happening.ts'
import { createPrng } from './prng.ts'
import { realCore } from './real-core.ts'
import { drawScenario } from './scenarios/draw.ts'
import { HISTORY_MS } from './scenarios/hosts.ts'
import { drawNoisy } from './scenarios/noisy.ts'
import { runScenario } from './scenarios/run-scenario.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { tell } from './story.ts'
import { createTranscript, differenceOf } from './wall-twin.ts'

/** How a seed is run. */
export interface RunOptions {
  /** Fixes the number of hosts. */
  readonly hosts?: number
  /** Draws noisy worlds in which nobody dies, of `hosts` hosts each (5, unless given). */
  readonly noisy?: boolean
  /** Rules that the cores do without, to show that the checkers notice. */
  readonly without?: readonly Rule[]
  /** Collects the story's lines. */
  readonly story?: boolean
  /** Runs the seed a second time with other wall clocks (I11). By default a share of the seeds. */
  readonly wallTwin?: boolean
  readonly core?: Core
}

/** What came of one run. */
export interface RunResult {
  readonly title: string
  readonly seed: number
  readonly hosts: number
  readonly story: readonly string[]
  readonly broken: readonly Broken[]
  readonly exercised: Exercised
  readonly faults: Readonly<Record<string, number>>
  readonly virtualMs: number
  readonly verdicts: Readonly<Verdicts>
  /** What the recipients' devices showed, in order: `name/check fired`, or `name fired` for a host. */
  readonly shown: readonly string[]
}

/** One in so many seeds is run twice for I11. */
const TWIN_EVERY = 16
const NOISY_HOSTS = 5

/** Runs one seed to its end. */
export function runSeed(seed: number, options: RunOptions = {}): RunResult {
  const isTwin = options.wallTwin ?? (seed % TWIN_EVERY === 0 && (options.without ?? []).length === 0)
  const { hosts } = options
  const draw = (wallSeed: number): Scenario =>
    options.noisy === true ? drawNoisy(seed, hosts ?? NOISY_HOSTS, wallSeed) : drawScenario(seed, hosts, wallSeed)
  const scenario = draw(seed)
  const twin = isTwin ? draw(seed + 1_000_003) : null
  return run(scenario, twin, options)
}

/** Plays a scenario that has a name instead of a seed. */
export function runNamed(scenario: Scenario, options: RunOptions = {}): RunResult {
  return run(scenario, null, options)
}

function run(scenario: Scenario, twin: Scenario | null, options: RunOptions): RunResult {
  const watch = createWatch(scenario.hosts)
  const names = new Map(scenario.hosts.map(({ id, name }) => [id, name]))
  const nameOf = (host: string): string => names.get(host) ?? host
  const story: string[] = options.story === true ? [scenario.title] : []
  const faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0]))
  const transcript = createTranscript()
  const shown: string[] = []
  const hear = (happening: Happening): void => {
    watch.see(happening)
    if (twin !== null) transcript.see(happening)
    if (happening.kind === 'fault') faults[happening.fault] = (faults[happening.fault] ?? 0) + 1
    if (happening.kind === 'shown' && happening.shown !== null) {
      const { host, check } = happening
      shown.push(`${nameOf(host)}${check === '' ? '' : `/${check}`} ${happening.shown}`)
    }
    if (options.story !== true) return
    const line = tell(happening, nameOf)
    if (line !== null) story.push(line)
  }
  runScenario(scenario, options.core ?? realCore, options.without ?? [], hear)
  const broken = [...watch.broken]
  if (twin !== null) {
    watch.exercised.I11 += 1
    const other = createTranscript()
    runScenario(twin, options.core ?? realCore, options.without ?? [], other.see)
    const difference = differenceOf(transcript, other)
    if (difference !== null) {
      broken.push({ invariant: 'I11', atMs: 0, hosts: [], text: `with other wall clocks ${difference}` })
    }
  }
  for (const { invariant, atMs, hosts, text } of broken) {
    if (options.story === true)
      story.push(`BROKEN ${invariant} at ${atMs} ms (${hosts.map(nameOf).join(', ')}): ${text}`)
  }
  return {
    title: scenario.title,
    seed: scenario.seed,
    hosts: scenario.hosts.length,
    story,
    broken,
    exercised: watch.exercised,
    faults: { ...faults, ...ofTheirMaking(scenario) },
    virtualMs: scenario.endMs,
    verdicts: watch.verdicts,
    shown,
  }
}

/** Faults that a host is born with. */
function ofTheirMaking(scenario: Scenario): Record<string, number> {
  const specs = scenario.hosts.flatMap(({ checks }) => checks.map(({ spec }) => spec))
  return {
    'clock-skew': scenario.hosts.filter(({ skewMs }) => skewMs !== 0).length,
    'disk-loses-unsynced': scenario.hosts.filter(({ losesUnsynced }) => losesUnsynced).length,
    'short-history': scenario.hosts.filter(({ historyMs }) => historyMs < HISTORY_MS).length,
    'check-always': specs.filter(({ heartbeat }) => heartbeat === 'always').length,
    'check-promises-nothing': specs.filter(({ heartbeat }) => heartbeat === 'never').length,
    'check-counts-runs': specs.filter(({ after, recover, forMs }) => after + recover > 2 || forMs > 0).length,
  }
}

/** Tells the story of a seed, line by line, in virtual time. */
export function tellStory(seed: number, options: RunOptions = {}): readonly string[] {
  return runSeed(seed, { ...options, story: true, wallTwin: options.wallTwin ?? false }).story
}

/** Which seeds to run. */
export interface RunsOptions extends RunOptions {
  readonly from: number
  readonly count: number
  /** Told of each broken seed as it is found; returning false ends the run. */
  readonly onBroken?: (result: RunResult) => boolean
}

/** Sums over many seeds. */
export interface Sums {
  readonly seeds: number
  readonly virtualMs: number
  readonly brokenSeeds: readonly number[]
  readonly broken: readonly (Broken & { readonly seed: number })[]
  readonly exercised: Exercised
  readonly faults: Readonly<Record<string, number>>
  readonly verdicts: Readonly<Verdicts>
  /** Seeds with a false verdict. */
  readonly falseSeeds: readonly number[]
}

/** Runs many seeds. */
export function runSeeds({ from, count, onBroken, ...options }: RunsOptions): Sums {
  const exercised = noneExercised()
  const faults: Record<string, number> = {}
  const broken: (Broken & { readonly seed: number })[] = []
  const brokenSeeds: number[] = []
  let seeds = 0
  let virtualMs = 0
  const verdicts: Verdicts = { all: 0, false: 0 }
  const falseSeeds: number[] = []
  for (let seed = from; seed < from + count; seed += 1) {
    const result = runSeed(seed, options)
    seeds += 1
    virtualMs += result.virtualMs
    verdicts.all += result.verdicts.all
    verdicts.false += result.verdicts.false
    if (result.verdicts.false > 0) falseSeeds.push(seed)
    for (const [kind, times] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + times
    for (const invariant of Object.keys(exercised) as (keyof Exercised)[]) {
      exercised[invariant] += result.exercised[invariant]
    }
    if (result.broken.length === 0) continue
    brokenSeeds.push(seed)
    for (const one of result.broken) broken.push({ ...one, seed })
    if (onBroken !== undefined && !onBroken(result)) break
  }
  return { seeds, virtualMs, brokenSeeds, broken, exercised, faults, verdicts, falseSeeds }
}

/** The sums over all of several ranges of seeds, in their order. */
export function addSums(parts: readonly Sums[]): Sums {
  const exercised = noneExercised()
  const faults: Record<string, number> = {}
  for (const part of parts) {
    for (const [kind, times] of Object.entries(part.faults)) faults[kind] = (faults[kind] ?? 0) + times
    for (const invariant of INVARIANTS) exercised[invariant] += part.exercised[invariant]
  }
  const sum = (of: (part: Sums) => number): number => parts.reduce((total, part) => total + of(part), 0)
  return {
    seeds: sum(({ seeds }) => seeds),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    brokenSeeds: parts.flatMap(({ brokenSeeds }) => brokenSeeds),
    broken: parts.flatMap(({ broken }) => broken),
    exercised,
    faults,
    verdicts: { all: sum(({ verdicts }) => verdicts.all), false: sum(({ verdicts }) => verdicts.false) },
    falseSeeds: parts.flatMap(({ falseSeeds }) => falseSeeds),
  }
}

/** A seed from outside, for runs that should differ each time. Any whole number gives one below 2^31. */
export function seedFrom(number: number): number {
  return createPrng(number, 'seed').int(0, 2 ** 31 - 1)
}
