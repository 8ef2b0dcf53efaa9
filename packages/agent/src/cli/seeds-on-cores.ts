/** Many seeds on all cores of this machine: each core gets a range of them, in a process of its own. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { addSums, type Sums } from '@muster/simulator'
import { CliError, EXIT } from './cli-error.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/muster.js', import.meta.url))
/** A process needs seconds to get up to speed: fewer seeds are done sooner in this one. */
const RANGE_LEAST = 200
/** Every broken seed is listed. */
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

/** Which seeds, on how many cores, and the options of `muster simulate` that go with them. */
export interface SeedsOnCores {
  readonly from: number
  readonly count: number
  readonly cores: number
  readonly args: readonly string[]
  readonly signal: AbortSignal
}

/** How many processes are worth it; with one, the seeds are run in this process. */
export function rangesOf(count: number, cores: number): number {
  return Math.max(1, Math.min(cores, Math.floor(count / RANGE_LEAST)))
}

/** Runs the seeds, and adds up what came of them. Throws a `CliError` when one of the processes ends without a result. */
export async function runSeedsOnCores({ from, count, cores, args, signal }: SeedsOnCores): Promise<Sums> {
  const ranges = rangesOf(count, cores)
  const startOf = (range: number): number => from + Math.floor((count * range) / ranges)
  const failing = new AbortController()
  const either = AbortSignal.any([signal, failing.signal])
  const runs = Array.from({ length: ranges }, (_, range) => {
    const [first, next] = [startOf(range), startOf(range + 1)]
    return runRange([...args, '--from', String(first), '--seeds', String(next - first)], either)
  })
  try {
    return addSums(await Promise.all(runs))
  } catch (error) {
    failing.abort()
    await Promise.allSettled(runs)
    throw error
  }
}

function runRange(args: readonly string[], signal: AbortSignal): Promise<Sums> {
  return new Promise((resolve, reject) => {
    const all = [LAUNCHER, 'simulate', ...args, '--cores', '1', '--json']
    // Exit code 1 says that something broke, which the sums say as well.
    execFile(process.execPath, all, { signal, maxBuffer: OUTPUT_BYTES_MAX }, (error, out, err) => {
      if (out.trimEnd().endsWith('}')) resolve(JSON.parse(out) as Sums)
      else if (signal.aborted) reject(new CliError('interrupted', EXIT.bad, 'the simulation was interrupted'))
      else reject(new CliError('failed', EXIT.bad, `a range of seeds failed: ${reasonOf(error, err)}`))
    })
  })
}

function reasonOf(error: Error | null, err: string): string {
  return (err.trim().split('\n').at(-1) || (error?.message ?? 'no result')).slice(0, 200)
}
