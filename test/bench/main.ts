/**
 * `npm run bench`: measures, prints a table, and says which targets are met.
 *
 *   --only NAME     one benchmark
 *   --minutes M     how long footprint measures (5)
 *   --json          the rows as JSON on stdout, and nothing else there
 *
 * Exit code 0 when every target is met, 1 when one is missed, 2 on wrong usage.
 */
import { parseArgs } from 'node:util'
import { footprint } from './footprint.ts'
import { type Row, tableLines } from './row.ts'

interface Given {
  readonly minutes: number
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** Every benchmark by its name. */
const BENCHMARKS: Readonly<Record<string, (given: Given) => Promise<readonly Row[]>>> = { footprint }
const MINUTES_MAX = 20

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
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

  const stopping = new AbortController()
  const stop = (): void => stopping.abort(new Error('interrupted'))
  process.once('SIGINT', stop).once('SIGTERM', stop)
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  const rows: Row[] = []
  for (const name of names) rows.push(...((await BENCHMARKS[name]?.({ minutes, say, signal: stopping.signal })) ?? []))
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : `${tableLines(rows).join('\n')}\n`)
  return rows.every(({ met }) => met !== false) ? 0 : 1
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
