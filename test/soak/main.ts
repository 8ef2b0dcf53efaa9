/**
 * `npm run soak -- --minutes M`: eight agents, one of which dies each minute, and a recipient that counts what it sees.
 *
 *   --minutes M     how long, from when all see each other (60)
 *   --json          the figures as one object of JSON on stdout, and nothing else there
 *
 * Every five minutes the figures so far go to stderr; Ctrl-C ends it early with the figures so far.
 *
 * Exit code 0 when no notice was false, missed or seen twice, each return was seen once and, from 30 minutes on, no agent
 * grew beyond the bound; 1 otherwise; 2 on wrong usage.
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { linesOf } from './lines.ts'
import { soak } from './run.ts'

/** A week. */
const MINUTES_MAX = 10_080

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '60' }, json: { type: 'boolean', default: false } },
  })
  const minutes = Number(values.minutes)
  if (!(minutes >= 1 && minutes <= MINUTES_MAX)) return usage(`--minutes is a number from 1 to ${MINUTES_MAX}`)

  const stopping = new AbortController()
  // Asked again while it tidies up, it goes on tidying up, which takes seconds.
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => stopping.abort(new Error('interrupted before it had begun')))
  }
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  // Whatever is written goes into one folder.
  const folder = await mkdtemp(join(tmpdir(), 'muster-soak-'))
  process.env.TMPDIR = folder
  try {
    const figures = await soak({ minutes, say, signal: stopping.signal })
    process.stdout.write(values.json ? `${JSON.stringify(figures, null, 2)}\n` : `${linesOf(figures).join('\n')}\n`)
    return figures.isWell ? 0 : 1
  } finally {
    // After what still runs is killed at the exit of this process: its mesh, when that was interrupted while it started.
    process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }))
  }
}

function usage(what: string): number {
  process.stderr.write(`soak: ${what}\n`)
  return 2
}

try {
  // What was interrupted is left behind, and must not keep this process.
  process.exit(await main())
} catch (error) {
  const isUsage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  if (!isUsage) process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(isUsage ? usage(error.message) : 1)
}
