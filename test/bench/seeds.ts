/**
 * How fast seeds are simulated, and how many verdicts are false in noisy worlds.
 *
 * `muster simulate` runs them on all cores, in processes of its own.
 */
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Sums } from '@muster/simulator'
import { type Given, hasTimeFor, reasonOf } from './given.ts'
import type { Report } from './series.ts'
import type { PromisedName } from './targets.ts'

const LAUNCHER = fileURLToPath(new URL('../../packages/agent/bin/muster.js', import.meta.url))
const NOISY: PromisedName = 'scale: noisy seeds, N = 2 to 10: false verdicts in 10,000 each'
const IN_TWO_MINUTES: PromisedName = 'scale: seeds of npm test in 2 min'
const VIRTUAL_HOURS: PromisedName = 'scale: virtual hours in a minute of a core'
const MILLION: PromisedName = 'scale: 1,000,000 seeds: broken invariants'

/** Seeds that are timed: enough that getting up to speed, which takes seconds, is a small part. */
const TIMED = 2_000
const TIMED_MS_MAX = 4 * 60_000
const SIZES = [2, 3, 4, 5, 6, 7, 8, 9, 10] as const
const SEEDS_EACH = 10_000
/** All sizes get on alike, slice after slice, so that a run that is out of time has seen something of each. */
const SLICE = 2_500
/** Every broken seed is listed. */
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024
const LISTED = 5

/** Times seeds: nothing else may run meanwhile. */
export async function timeSeeds(report: Report, { say, signal }: Given): Promise<void> {
  const cores = availableParallelism()
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMED_MS_MAX)])
  try {
    const startedMs = performance.now()
    const sums = await simulate(['--seeds', String(TIMED)], limit)
    const tookMs = performance.now() - startedMs
    const how = `${TIMED} seeds took ${(tookMs / 1_000).toFixed(1)} s on ${cores} cores`
    say(`scale: ${how}`)
    report.of(IN_TWO_MINUTES).add(Math.floor((TIMED / tookMs) * 120_000))
    report.of(IN_TWO_MINUTES).note(`reckoned: ${how}`)
    report.of(VIRTUAL_HOURS).add(sums.virtualMs / 3_600_000 / ((tookMs * cores) / 60_000))
    report.of(VIRTUAL_HOURS).note(how)
    const hours = ((tookMs / TIMED) * 1_000_000) / 3_600_000
    report.leaveOut([MILLION], `it takes ${hours.toFixed(1)} h here: npx muster simulate --seeds 1000000`)
    if (sums.brokenSeeds.length > 0) report.of(IN_TWO_MINUTES).fail(`broken: ${listOf(sums.brokenSeeds)}`)
  } catch (error) {
    signal.throwIfAborted()
    report.leaveOut([IN_TWO_MINUTES, VIRTUAL_HOURS, MILLION], reasonOf(error))
  }
}

interface Tally {
  readonly hosts: number
  seeds: number
  verdicts: number
  wrong: number
  readonly falseSeeds: number[]
  readonly brokenSeeds: number[]
}

/** Runs noisy seeds of each size, as many as there is time for. */
export async function judgeNoisy(report: Report, given: Given): Promise<void> {
  const tallies = SIZES.map((hosts): Tally => {
    return { hosts, seeds: 0, verdicts: 0, wrong: 0, falseSeeds: [], brokenSeeds: [] }
  })
  const limit = AbortSignal.timeout(Math.max(1, Math.floor(given.endsAtMs - performance.now())))
  const signal = AbortSignal.any([given.signal, limit])
  try {
    for (let from = 1; from <= SEEDS_EACH; from += SLICE) {
      const startedMs = performance.now()
      for (const tally of tallies) await runSlice(tally, from, signal)
      given.say(`scale: ${from - 1 + SLICE} noisy seeds of each size`)
      if (from + SLICE <= SEEDS_EACH && !hasTimeFor(performance.now() - startedMs, given)) break
    }
  } catch (error) {
    given.signal.throwIfAborted()
    if (tallies.every(({ seeds }) => seeds === 0)) report.leaveOut([NOISY], reasonOf(error))
  }
  const series = report.of(NOISY)
  for (const { hosts, seeds, verdicts, wrong, falseSeeds, brokenSeeds } of tallies) {
    if (seeds === 0) continue
    series.add(wrong)
    given.say(`scale: N = ${hosts}: ${seeds} noisy seeds, ${verdicts} verdicts, ${wrong} false`)
    if (seeds < SEEDS_EACH) series.fail(`N = ${hosts}: there was time for ${seeds} seeds`)
    if (wrong > 0) series.note(`N = ${hosts}: false in seeds ${listOf(falseSeeds)}`)
    if (brokenSeeds.length > 0) series.fail(`N = ${hosts}: broken: seeds ${listOf(brokenSeeds)}`)
  }
}

async function runSlice(tally: Tally, from: number, signal: AbortSignal): Promise<void> {
  const args = ['--noisy', '--hosts', String(tally.hosts), '--from', String(from), '--seeds', String(SLICE)]
  const sums = await simulate(args, signal)
  tally.seeds += sums.seeds
  tally.verdicts += sums.verdicts.all
  tally.wrong += sums.verdicts.false
  tally.falseSeeds.push(...sums.falseSeeds)
  tally.brokenSeeds.push(...sums.brokenSeeds)
}

function listOf(seeds: readonly number[]): string {
  const rest = seeds.length - LISTED
  return `${seeds.slice(0, LISTED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** Exit code 1 says that something broke, which the sums say as well. */
function simulate(args: readonly string[], signal: AbortSignal): Promise<Sums> {
  return new Promise((resolve, reject) => {
    const all = [LAUNCHER, 'simulate', ...args, '--json']
    execFile(process.execPath, all, { signal, maxBuffer: OUTPUT_BYTES_MAX }, (error, out, err) => {
      if (out.trimEnd().endsWith('}')) resolve(JSON.parse(out) as Sums)
      else if (signal.aborted) reject(new Error('it did not end in time', { cause: error }))
      else reject(new Error(err.trim().split('\n').at(-1) ?? 'no result', { cause: error }))
    })
  })
}
