/**
 * `npm run bench`: measures, prints a table, and says which targets are met.
 *
 *   --only NAME     one benchmark
 *   --part NAME     one part of it: fast or default of detection, copies or delays of takeover, frozen, cut or loss of faults,
 *                   agent or peer of store, agents, mesh, seeds or noisy of scale
 *   --runs N        so many runs of each figure; fewer than its target is promised for never meet it
 *   --limit M       no run of a benchmark begins when it could end later than M minutes after its start (18)
 *   --minutes M     how long footprint measures (5)
 *   --json          the rows as JSON on stdout, and nothing else there
 *
 * Exit code 0 when every target is met, 1 when one is missed, 2 on wrong usage.
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { detection } from './detection.ts'
import { faults } from './fault-rows.ts'
import { footprint } from './footprint.ts'
import type { Given } from './given.ts'
import { watchOtherWork } from './other-work.ts'
import { withDescendants } from './process-readings.ts'
import { type Row, tableLines } from './row.ts'
import { scale } from './scale.ts'
import { store } from './store.ts'
import { takeover } from './takeover.ts'

type Benchmark = (given: Given) => Promise<readonly Row[]>

/** Every benchmark by its name. */
const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  detection,
  takeover,
  faults,
  footprint,
  store,
  scale,
}
/** Benchmarks that can be run in part. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  detection: ['fast', 'default'],
  takeover: ['copies', 'delays'],
  faults: ['frozen', 'cut', 'loss'],
  store: ['agent', 'peer'],
  scale: ['agents', 'mesh', 'seeds', 'noisy'],
}
const MINUTES_MAX = 20
/** When the last run of a benchmark must have ended: of 20 minutes the rest is for tidying up. */
const LIMIT_MINUTES = 18
const RUNS_MAX = 100

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      part: { type: 'string' },
      runs: { type: 'string' },
      limit: { type: 'string', default: String(LIMIT_MINUTES) },
      minutes: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
    },
  })
  const names = values.only === undefined ? Object.keys(BENCHMARKS) : [values.only]
  const unknown = names.find((name) => BENCHMARKS[name] === undefined)
  if (unknown !== undefined) {
    return usage(`there is no benchmark ${unknown.slice(0, 40)}; there are ${Object.keys(BENCHMARKS).join(', ')}`)
  }
  const minutes = Number(values.minutes)
  if (!(minutes > 0 && minutes <= MINUTES_MAX)) return usage(`--minutes is a number up to ${MINUTES_MAX}`)
  const limit = Number(values.limit)
  if (!(limit > 0 && limit <= LIMIT_MINUTES)) return usage(`--limit is a number up to ${LIMIT_MINUTES}`)
  const runs = values.runs === undefined ? null : Number(values.runs)
  if (runs !== null && !(Number.isInteger(runs) && runs > 0 && runs <= RUNS_MAX)) {
    return usage(`--runs is a whole number from 1 to ${RUNS_MAX}`)
  }
  if (values.part !== undefined && !PARTS[values.only ?? '']?.includes(values.part)) {
    const parts = Object.entries(PARTS).map(([name, those]) => `${those.join(' or ')} with --only ${name}`)
    return usage(`--part is ${parts.join(', ')}`)
  }

  // Each mesh ends its processes when this one ends.
  process.setMaxListeners(0)
  const folder = await useFolderOfOurOwn()
  const stopping = new AbortController()
  const stop = (): void => {
    stopping.abort(new Error('interrupted'))
    // What waits for a condition does not hear of it. Its network is removed when this process ends.
    void killAll().finally(() => {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
      process.exit(1)
    })
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  const rows: Row[] = []
  try {
    for (const name of names) {
      const endsAtMs = performance.now() + limit * 60_000
      const given = { minutes, runs, part: values.part ?? null, say, signal: stopping.signal, endsAtMs }
      const others = watchOtherWork()
      rows.push(...((await BENCHMARKS[name]?.(given)) ?? []))
      const busy = others.stop()
      if (busy !== null) say(`${name}: ${busy}`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : `${tableLines(rows).join('\n')}\n`)
  return rows.every(({ met }) => met !== false) ? 0 : 1
}

/** Kills all that was started: on a machine that is busy with it nothing else may get its turn. */
async function killAll(): Promise<void> {
  for (const pid of await withDescendants(process.pid)) {
    if (pid === process.pid) continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
  }
}

/** All that is written goes into one folder, which is gone when this process ends, also by Ctrl-C. */
async function useFolderOfOurOwn(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'))
  process.env.TMPDIR = folder
  return folder
}

function usage(what: string): number {
  process.stderr.write(`bench: ${what}\n`)
  return 2
}

try {
  process.exitCode = await main()
} catch (error) {
  const isUsage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  process.exitCode = isUsage ? usage(error.message) : 1
  if (!isUsage) process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
}
