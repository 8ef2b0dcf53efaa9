/**
 * What an idle agent costs: memory, processor time and bytes sent.
 *
 * Three agents with what `muster init` writes, each a process of its own, and then ten, with ten of serf beside them.
 * Measuring begins when each sees the others and none is in its quiet time.
 */
import { createBenchMesh, namesOf } from './bench-mesh.ts'
import type { Cluster } from './cluster.ts'
import { type Given, reasonOf } from './given.ts'
import { createGround } from './ground.ts'
import { measureIdleCost } from './idle-cost.ts'
import type { Row } from './row.ts'
import { startSerf } from './serf.ts'
import { createReport, type Report } from './series.ts'
import { type PromisedName, promisedOf } from './targets.ts'

/** Hosts of a mesh, and where the peer stands beside it. */
const SIZES = [
  { hosts: 3, besideSerf: false },
  { hosts: 10, besideSerf: true },
] as const

type Size = (typeof SIZES)[number]

/** Runs the benchmark and leaves nothing running and nothing on disk. */
export async function footprint(given: Given): Promise<readonly Row[]> {
  const report = createReport('footprint')
  for (const size of SIZES) {
    try {
      await measureSize(size, given, report)
    } catch (error) {
      given.signal.throwIfAborted()
      given.say(`footprint, N = ${size.hosts}: ${error instanceof Error ? error.message : String(error)}`)
      report.leaveOut(namesOfSize(size), reasonOf(error))
    }
  }
  return report.rows()
}

const namesOfSize = ({ hosts }: Size): readonly PromisedName[] =>
  promisedOf('footprint').filter((name) => name.includes(`N = ${hosts}:`))

async function measureSize(
  { hosts, besideSerf }: Size,
  { minutes, say, signal }: Given,
  report: Report,
): Promise<void> {
  const rss = `footprint: N = ${hosts}: RSS` as const
  const cpu = `footprint: N = ${hosts}: CPU of one core` as const
  const sent = `footprint: N = ${hosts}: sent in the swarm` as const
  const ground = await createGround(2 * hosts)
  const clusters: Cluster[] = []
  try {
    const mesh = await createBenchMesh(ground, namesOf(hosts), {})
    clusters.push(mesh)
    await mesh.settled()
    const serf = besideSerf
      ? await startSerf(ground, hosts, (why) => {
          for (const name of [rss, sent] as const) report.of(name).note(why)
        })
      : null
    if (serf !== null) clusters.push(serf)
    say(`${hosts} agents are meshed; measuring for ${minutes} min`)
    const cost = await measureIdleCost(mesh, serf, minutes * 60_000, signal)
    for (const value of cost.rssMb) report.of(rss).add(value)
    report.of(rss).note(`at the most since the start: ${Math.max(...cost.peakMb).toFixed(0)} MB`)
    for (const value of cost.cpuPercent) report.of(cpu).add(value)
    for (const value of cost.peer.rssMb) report.of(rss).addPeer('serf', value)
    if (cost.swarm === null) report.leaveOut([sent], 'ss is not installed (Debian: iproute2)')
    for (const value of cost.swarm ?? []) report.of(sent).add(value)
    for (const value of cost.peer.bytes) report.of(sent).addPeer('serf', value)
    report.of(sent).note(`TCP payload; over Waku besides: ${meanOf(cost.waku ?? [])} kB/s`)
    if (cost.onWire.length > 0) {
      report.of(sent).note(`all of it with headers and acknowledgements: ${meanOf(cost.onWire)} kB/s`)
    }
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.end()))
    await ground.end()
  }
}

/** The mean, as text. */
export function meanOf(values: readonly number[]): string {
  return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2)
}
