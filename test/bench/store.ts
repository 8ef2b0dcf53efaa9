/**
 * A store as an agent has it after 48 hours of a busy mesh, a million results: how soon its agent is ready again, and how
 * many results of others a core takes in.
 *
 * The store is made once, by the agent's own code, in the folder that all benchmarks write to. Beside it OrbitDB's event
 * log writes and opens the same entries as Muster's does.
 */
import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createHost, type Host } from '../e2e/host.ts'
import { createProcesses, type Processes } from '../e2e/processes.ts'
import { type Given, hasTimeFor, reasonOf } from './given.ts'
import { percentile, type Row } from './row.ts'
import { createReport, type Report } from './series.ts'
import { CHECKS, DAILY, EVERY_MS } from './store-history.ts'
import { installOrbit, type Orbit, type Reopened, type Written } from './store-orbit.ts'
import { measureStart, type Spent } from './store-start.ts'
import { PROMISED, type PromisedName } from './targets.ts'

const READY: PromisedName = 'store: 1,000,000 results: agent ready after its start'
const INGEST: PromisedName = 'store: ingest of verified results'

const HOSTS = 10
/** Entries of each host: with ten results each, a million in all. */
const ENTRIES = 10_000
/** Entries of each other host that are taken in afterwards, so many at a time. */
const FRESH = 2_000
const BATCH = 1_800
const RESULTS_OF_ENTRY = CHECKS.length
/** Starts whose log says how they were spent. */
const SPENT_RUNS = 3
/** Entries that both logs write. */
const SIZES = [10_000, 100_000]
/** How long the peer may write, and then read, so many. Seconds. */
const PEER_SECONDS = 180
const PEER = 'OrbitDB'
/** As the launcher starts an agent. */
const AGENT_FLAGS = ['--max-semi-space-size=1', '--max-old-space-size=256']
const WORKER = fileURLToPath(new URL('./store-worker.ts', import.meta.url))
/** Far above what is measured. Milliseconds. */
const WORK_MS = 400_000

const run = promisify(execFile)

/** Runs the benchmark and leaves nothing running and nothing on disk. */
export async function store(given: Given): Promise<readonly Row[]> {
  const report = createReport('store')
  const folder = await mkdtemp(join(tmpdir(), 'muster-store-'))
  const processes = createProcesses(folder)
  try {
    if (given.part !== 'peer') await measureAgent(processes, folder, given, report)
    else report.leaveOut([READY, INGEST], 'only the part peer was asked for')
    if (given.part !== 'agent') await comparePeer(processes, folder, given, report)
  } catch (error) {
    given.signal.throwIfAborted()
    given.say(`store: ${error instanceof Error ? error.message : String(error)}`)
    report.leaveOut([READY, INGEST], reasonOf(error))
  } finally {
    await processes.end()
  }
  return report.rows()
}

async function measureAgent(processes: Processes, folder: string, given: Given, report: Report): Promise<void> {
  const full = await makeHost(processes, folder, 'host-1')
  const bare = await makeHost(processes, folder, 'bare')
  given.say(`making a store of ${HOSTS * ENTRIES} entries: two to four minutes`)
  const [made] = await work<{ results: number; seconds: number }>(
    given,
    'fill',
    full.dir,
    ...[HOSTS, ENTRIES, FRESH].map(String),
  )
  given.say(`${made?.results} results are in it after ${made?.seconds.toFixed(0)} s`)
  await measureReady(processes, full, bare, given, report)
  await measureIngest(full, given, report)
}

/** A host with the checks that its history is of. */
async function makeHost(processes: Processes, folder: string, name: string): Promise<Host> {
  const dir = join(folder, name)
  const { code, err } = await processes.run(['init', '--dir', dir, '--name', name])
  if (code !== 0) throw new Error(`muster init ended with ${code}: ${err}`)
  const checks = CHECKS.map((check) => `{name: ${check}, kind: disk, path: /, every: ${EVERY_MS / 1_000}s, grace: 30s}`)
  const daily = `{name: ${DAILY}, kind: push, every: 1d, grace: 1h, heartbeat: always}`
  return await createHost(processes, name, dir, { checks: [...checks, daily] })
}

/** Lets the worker work, with an agent's flags, and gives what it printed. */
async function work<T>({ signal }: Given, ...args: readonly string[]): Promise<readonly T[]> {
  const options = { signal, timeout: WORK_MS, killSignal: 'SIGKILL' } as const
  const { stdout } = await run(process.execPath, [...AGENT_FLAGS, WORKER, ...args], options)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

/** Starts the agent on the full store and on an empty one by turns; every second one ends as by a power cut. */
async function measureReady(processes: Processes, full: Host, bare: Host, given: Given, report: Report): Promise<void> {
  const ready = report.of(READY)
  const empty: number[] = []
  // The first makes the agent's one file, when a source has changed since the last: once after an update.
  const first = await measureStart(processes, bare, 'SIGTERM')
  given.say(`a first start, which may have to make the agent's one file: ${first.seconds.toFixed(2)} s`)
  for (let index = 0; index < (given.runs ?? PROMISED[READY].runsMin); index += 1) {
    given.signal.throwIfAborted()
    const ending = index % 2 === 0 ? 'SIGTERM' : 'SIGKILL'
    const { seconds, status } = await measureStart(processes, full, ending)
    ready.add(seconds)
    const whole = status.hosts.filter(({ checks }) => checks.length > CHECKS.length).length
    if (whole !== HOSTS) ready.fail(`${whole} of ${HOSTS} hosts had all their checks`)
    empty.push((await measureStart(processes, bare, ending)).seconds)
    given.say(
      `start ${index + 1}: ready after ${seconds.toFixed(3)} s, with an empty store ${empty.at(-1)?.toFixed(3)} s`,
    )
  }
  ready.note(`with an empty store: median ${percentile(empty, 0.5)?.toFixed(3)}, most ${Math.max(...empty).toFixed(3)}`)
  for (const [what, host] of [
    ['full', full],
    ['empty', bare],
  ] as const) {
    const spent: Spent[] = []
    for (let index = 0; index < SPENT_RUNS; index += 1) {
      const { seconds, spent: its } = await measureStart(processes, host, 'SIGTERM', true)
      if (its !== null) spent.push(its)
      given.say(`${what} store, spent: ${seconds.toFixed(3)} s of which ${JSON.stringify(its)}`)
    }
    const of = (name: keyof Spent): number =>
      percentile(
        spent.map((its) => its[name]),
        0.5,
      ) ?? 0
    ready.note(
      `${what}: ms for loading ${of('loadingMs')}, opening ${of('openingMs')}, reading ${of('readingMs')}, starting ${of('startingMs')}`,
    )
  }
}

async function measureIngest(full: Host, given: Given, report: Report): Promise<void> {
  const batches = await work<{ entries: number; cpuSeconds: number; seconds: number }>(
    given,
    'ingest',
    full.dir,
    String(BATCH),
  )
  for (const { entries, cpuSeconds } of batches) report.of(INGEST).add((entries * RESULTS_OF_ENTRY) / cpuSeconds)
  const seconds = batches.reduce((sum, batch) => sum + batch.seconds, 0)
  const results = batches.reduce((sum, { entries }) => sum + entries, 0) * RESULTS_OF_ENTRY
  report
    .of(INGEST)
    .note(
      `${results} results in entries of ${RESULTS_OF_ENTRY}; by the clock ${Math.round(results / seconds)} a second`,
    )
}

/** Both logs write the same entries and open them again. A peer that is too slow is cut off. */
async function comparePeer(processes: Processes, folder: string, given: Given, report: Report): Promise<void> {
  given.say(`installing ${PEER}: about a minute`)
  let orbit: Orbit | null = null
  try {
    orbit = await installOrbit(join(folder, 'orbit'), given.signal)
  } catch (error) {
    given.signal.throwIfAborted()
    for (const name of [READY, INGEST] as const) report.of(name).note(`without ${PEER}: ${reasonOf(error)}`)
  }
  for (const size of SIZES) {
    const { dir } = await makeHost(processes, folder, `log-${size}`)
    const file = join(folder, `entries-${size}`)
    const [written] = await work<Written>(given, 'write', dir, String(size), file)
    const [reopened] = await work<Reopened>(given, 'reopen', dir)
    if (written === undefined || reopened === undefined) throw new Error('the worker said nothing')
    given.say(`Muster, ${size} entries: ${textOf(size, written, reopened)}`)
    report.of(READY).note(`Muster, ${size} entries: ${textOf(size, written, reopened)}`)
    const isTime = hasTimeFor((2 * PEER_SECONDS + 60) * 1_000, given)
    if (orbit === null || !isTime) {
      if (!isTime) report.of(READY).note(`no time for ${PEER} with ${size}`)
      continue
    }
    const peer = await orbit.measure(file, size, PEER_SECONDS)
    const said = textOf(size, peer.written, peer.reopened)
    given.say(`${PEER}, ${size} entries: ${said}`)
    report.of(READY).note(`${PEER}, ${size} entries: ${said}`)
    report
      .of(INGEST)
      .addPeer(`${PEER}, own entries`, (peer.written.written * RESULTS_OF_ENTRY) / peer.written.cpuSeconds)
    if (peer.reopened !== null) report.of(READY).addPeer(`${PEER}, opened`, peer.reopened.openSeconds)
  }
}

function textOf(size: number, { written, seconds }: Written, reopened: Reopened | null): string {
  const pace = `${Math.round(written / seconds)} a second`
  const isWhole = written === size
  const wrote = isWhole
    ? `written in ${seconds.toFixed(1)} s (${pace})`
    : `more than ${seconds.toFixed(0)} s: ${written} were written (${pace})`
  if (reopened === null) return `${wrote}, not opened and read within ${PEER_SECONDS} s`
  const { openSeconds, readSeconds, entries } = reopened
  return `${wrote}, opened in ${openSeconds.toFixed(2)} s, ${entries} read in ${readSeconds.toFixed(1)} s more`
}
