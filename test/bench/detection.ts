/**
 * How soon a dead host is known, and how soon a person is told.
 *
 * Part `fast`: ten agents of the fast class beside ten of serf, each with faults of three kinds, done by turns to one and
 * to the other. Part `default`: meshes of two, three and ten with the class that `muster init` writes, and the time from
 * a pulled cable to the notice at a stock Waku client.
 */
import { type BenchMesh, createBenchMesh, namesOf } from './bench-mesh.ts'
import { type Cluster, FALSE_VERDICTS, falseVerdicts, measureVerdicts, waitForAnyPhase } from './cluster.ts'
import { FAULTS, type Fault } from './faults.ts'
import { meanOf } from './footprint.ts'
import { type Given, hasTimeFor, reasonOf } from './given.ts'
import { createGround } from './ground.ts'
import { measureIdleCost } from './idle-cost.ts'
import { measureNoticeTimes } from './notice-time.ts'
import type { Row } from './row.ts'
import { startSerf } from './serf.ts'
import { createReport, type Report } from './series.ts'
import { PROMISED, promisedOf } from './targets.ts'

const HOSTS = 10
const FAST = '{every: 1s, grace: 1s}'
const FAST_EVERY_MS = 1_000
/** Serf probes one node each second. */
const SERF_PERIOD_MS = 1_000
/** How long bytes are counted: serf exchanges all it knows every 30 s. Milliseconds. */
const BYTES_MS = 45_000
/** What a pair of runs, ours and serf's, takes at most, with all that is waited for. Milliseconds. */
const PAIR_MS = 60_000

const verdictName = (fault: Fault) => `detection: fast class, N = 10, ${fault}: the last survivor knows` as const
const BYTES_NAME = 'detection: fast class, N = 10: bytes sent by an agent'

/** Runs the benchmark and leaves nothing running and nothing on disk. */
export async function detection(given: Given): Promise<readonly Row[]> {
  const report = createReport('detection')
  const parts = { fast: fastClass, default: measureNoticeTimes }
  for (const [name, measure] of Object.entries(parts)) {
    if (given.part !== null && given.part !== name) {
      report.leaveOut(namesOfPart(name), `only the part ${given.part} was asked for`)
      continue
    }
    try {
      await measure(given, report)
    } catch (error) {
      given.signal.throwIfAborted()
      given.say(`detection, part ${name}: ${error instanceof Error ? error.message : String(error)}`)
      report.leaveOut(namesOfPart(name), reasonOf(error))
    }
  }
  return report.rows()
}

const namesOfPart = (part: string) => promisedOf('detection').filter((name) => name.includes(`: ${part} class`))

async function fastClass(given: Given, report: Report): Promise<void> {
  const { say } = given
  const ground = await createGround(2 * HOSTS)
  const clusters: Cluster[] = []
  try {
    if (ground.whyLoopback !== null) {
      say(`all hosts are on loopback: ${ground.whyLoopback}`)
      report.leaveOut([verdictName('link down')], ground.whyLoopback)
    }
    say(`${HOSTS} agents of the fast class start`)
    const mesh = await createBenchMesh(ground, namesOf(HOSTS), { presence: FAST, atOnce: 2 })
    clusters.push(mesh)
    const serf = await startSerf(ground, HOSTS, (why) => {
      for (const name of [...FAULTS.map(verdictName), BYTES_NAME] as const) report.of(name).note(why)
    })
    if (serf !== null) clusters.push(serf)
    await countBytes(mesh, serf, given, report)
    await countVerdicts(mesh, serf, ground.whyLoopback === null ? FAULTS : FAULTS.slice(1), given, report)
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.end()))
    await ground.end()
  }
}

async function countBytes(mesh: BenchMesh, serf: Cluster | null, given: Given, report: Report): Promise<void> {
  const forMs = given.runs === null ? BYTES_MS : BYTES_MS / 3
  given.say(`bytes are counted for ${forMs / 1_000} s`)
  const series = report.of(BYTES_NAME)
  const { swarm, waku, onWire, cpuPercent, peer } = await measureIdleCost(mesh, serf, forMs, given.signal)
  if (swarm === null) {
    series.note('not measured: ss is not installed (Debian: iproute2)')
    return
  }
  for (const value of swarm) series.add(value)
  for (const value of peer.bytes) series.addPeer('serf', value)
  series.note(
    `TCP payload in the swarm, each agent; over Waku besides ${meanOf(waku ?? [])} kB/s` +
      (onWire.length === 0 ? '' : `, all of it with headers and acknowledgements ${meanOf(onWire)} kB/s`) +
      `; each uses ${meanOf(cpuPercent)} % of a core`,
  )
}

async function countVerdicts(
  mesh: BenchMesh,
  serf: Cluster | null,
  faults: readonly Fault[],
  given: Given,
  report: Report,
): Promise<void> {
  for (let run = 0; run < HOSTS; run += 1) {
    for (const [turn, fault] of faults.entries()) {
      const series = report.of(verdictName(fault))
      if (run >= (given.runs ?? PROMISED[verdictName(fault)].runsMin)) continue
      if (!hasTimeFor(PAIR_MS, given)) {
        series.note('ended early: the time of the benchmark was over')
        continue
      }
      // Another host each time: over all three faults each of the ten has each fault once.
      const index = (run + turn * 3) % HOSTS
      const ours = await verdictOf(mesh, index, fault, FAST_EVERY_MS)
      if (ours.seconds !== null) series.add(ours.seconds)
      if (ours.why !== null) series.fail(ours.why)
      const theirs = serf === null ? null : await verdictOf(serf, index, fault, SERF_PERIOD_MS)
      if (theirs !== null && theirs.seconds !== null) series.addPeer('serf', theirs.seconds)
      if (theirs !== null && theirs.why !== null) series.note(`serf: ${theirs.why}`)
      given.say(`${fault} ${run + 1}: ${shown(ours)}; serf ${theirs === null ? '-' : shown(theirs)}`)
    }
  }
}

/** What one run brought: a figure, or a complaint, or both. */
interface Brought {
  readonly seconds: number | null
  readonly why: string | null
}

const shown = ({ seconds, why }: Brought): string =>
  [...(seconds === null ? [] : [`${seconds.toFixed(2)} s`]), ...(why === null ? [] : [why])].join(', ')

/** One run on a cluster that has settled. */
async function verdictOf(cluster: Cluster, index: number, fault: Fault, periodMs: number): Promise<Brought> {
  const victim = cluster.nodes[index]
  if (victim === undefined) throw new Error(`${cluster.name} has no node ${index}`)
  try {
    await cluster.settled()
    const before = cluster.verdicts.length
    await waitForAnyPhase(periodMs)
    const outcome = await measureVerdicts(cluster, victim, fault)
    const wrong = falseVerdicts(cluster.verdicts.slice(before), [victim.name])
    if (outcome.kind === 'failed') return { seconds: null, why: outcome.why }
    return { seconds: outcome.seconds, why: wrong.length === 0 ? null : FALSE_VERDICTS }
  } catch (error) {
    return { seconds: null, why: reasonOf(error) }
  }
}
