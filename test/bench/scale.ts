/**
 * What a mesh of 1,000 hosts costs and how soon it knows of a death, simulated, what twenty real agents do; and how fast and
 * how truly seeds run.
 *
 * `muster simulate` runs in a process of its own: it takes minutes in which it hears of nothing else.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { formatScale, type ScaleResult } from '@muster/simulator'
import { type Given, reasonOf } from './given.ts'
import { measureRealMesh } from './real-mesh.ts'
import type { Row } from './row.ts'
import { judgeNoisy, timeSeeds } from './seeds.ts'
import { createReport, type Report } from './series.ts'
import type { PromisedName } from './targets.ts'

const LAUNCHER = fileURLToPath(new URL('../../packages/agent/bin/muster.js', import.meta.url))
const HOSTS = 1_000
const SENT: PromisedName = 'scale: 1,000 simulated hosts: bytes sent by an agent'
const KNOWN: PromisedName = 'scale: 1,000 simulated hosts: the last survivor knows'
/** The JSON lists what each agent sends. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024

/** Runs the benchmark and leaves nothing running. */
export async function scale(given: Given): Promise<readonly Row[]> {
  const report = createReport('scale')
  const { part } = given
  // Alone: it shows how twenty agents do on these cores, not how they do beside a simulation.
  if (part === null || part === 'agents') await showRealMesh(given)
  if (part === null || part === 'seeds') await timeSeeds(report, given)
  // Side by side: what they report is virtual, and the large mesh takes one core only.
  await Promise.all([
    part === null || part === 'mesh' ? measureMesh(report, given) : null,
    part === null || part === 'noisy' ? judgeNoisy(report, given) : null,
  ])
  return report.rows()
}

async function showRealMesh(given: Given): Promise<void> {
  try {
    await measureRealMesh(given)
  } catch (error) {
    given.signal.throwIfAborted()
    given.say(`twenty agents: ${reasonOf(error)}`)
  }
}

async function measureMesh(report: Report, { say, signal, endsAtMs }: Given): Promise<void> {
  try {
    const limit = AbortSignal.timeout(Math.max(1, Math.floor(endsAtMs - performance.now())))
    const result = await simulate(AbortSignal.any([signal, limit]))
    for (const line of formatScale(result)) say(line)
    for (const bytes of result.agentBytes) report.of(SENT).add(bytes / 1_000)
    report.of(SENT).note(`of one settled mesh, an agent each; costliest: ${costliest(result)}`)
    if (!result.settled) report.of(SENT).fail('the mesh had not settled')
    for (const { lastMs, knowing, survivors, notices } of result.deaths) {
      if (lastMs === null) report.of(KNOWN).fail(`${survivors - knowing} of ${survivors} never knew`)
      else report.of(KNOWN).add(lastMs / 1_000)
      if (notices !== 1) report.of(KNOWN).fail(`${notices} notices of one death`)
    }
    if (result.falseVerdicts > 0) report.of(KNOWN).fail(`${result.falseVerdicts} verdicts on hosts that lived`)
  } catch (error) {
    signal.throwIfAborted()
    report.leaveOut([SENT, KNOWN], reasonOf(error))
  }
}

/** Exit code 1 says that the result is bad, which its figures say as well. */
function simulate(signal: AbortSignal): Promise<ScaleResult> {
  return new Promise((resolve, reject) => {
    const args = ['--max-old-space-size=6144', LAUNCHER, 'simulate', '--hosts', String(HOSTS), '--json']
    execFile(process.execPath, args, { signal, maxBuffer: OUTPUT_BYTES_MAX }, (error, out, err) => {
      if (out.trimEnd().endsWith('}')) resolve(JSON.parse(out) as ScaleResult)
      else if (signal.aborted) reject(new Error('it did not end in time', { cause: error }))
      else reject(new Error(err.trim().split('\n').at(-1) ?? 'no result', { cause: error }))
    })
  })
}

/** The three kinds of traffic that cost most, with their kB a second. */
function costliest({ steady }: ScaleResult): string {
  return Object.entries(steady.byKind)
    .toSorted(([, a], [, b]) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(([kind, { bytes }]) => `${kind} ${(bytes / 1_000).toFixed(1)}`)
    .join(', ')
}
