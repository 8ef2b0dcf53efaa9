/**
 * What an idle agent costs: memory, processor time and bytes sent.
 *
 * Ten agents with what `muster init` writes, each a process of its own, and ten of serf beside them. Measuring begins when
 * each sees the others and none is in its quiet time.
 */
import { createBenchMesh, namesOf } from './bench-mesh.ts'
import type { Cluster } from './cluster.ts'
import { type Given, reasonOf } from './given.ts'
import { createGround } from './ground.ts'
import { measureIdleCost } from './idle-cost.ts'
import type { Row } from './row.ts'
import { startSerf } from './serf.ts'
import { createReport } from './series.ts'
import { type PromisedName, promisedOf } from './targets.ts'

const HOSTS = 10
const RSS: PromisedName = 'footprint: N = 10: RSS'
const CPU: PromisedName = 'footprint: N = 10: CPU of one core'
const SENT: PromisedName = 'footprint: N = 10: sent in the swarm'

/** Runs the benchmark and leaves nothing running and nothing on disk. */
export async function footprint({ minutes, say, signal }: Given): Promise<readonly Row[]> {
  const report = createReport('footprint')
  const ground = await createGround(2 * HOSTS)
  const clusters: Cluster[] = []
  try {
    const mesh = await createBenchMesh(ground, namesOf(HOSTS), {})
    clusters.push(mesh)
    await mesh.settled()
    const serf = await startSerf(ground, HOSTS, (why) => {
      for (const name of [RSS, SENT] as const) report.of(name).note(why)
    })
    if (serf !== null) clusters.push(serf)
    say(`${HOSTS} agents are meshed; measuring for ${minutes} min`)
    const cost = await measureIdleCost(mesh, serf, minutes * 60_000, signal)
    for (const value of cost.rssMb) report.of(RSS).add(value)
    report.of(RSS).note(`at the most since the start: ${Math.max(...cost.peakMb).toFixed(0)} MB`)
    for (const value of cost.cpuPercent) report.of(CPU).add(value)
    for (const value of cost.peer.rssMb) report.of(RSS).addPeer('serf', value)
    if (cost.swarm === null) report.leaveOut([SENT], 'ss is not installed (Debian: iproute2)')
    for (const value of cost.swarm ?? []) report.of(SENT).add(value)
    for (const value of cost.peer.bytes) report.of(SENT).addPeer('serf', value)
    report.of(SENT).note(`TCP payload; over Waku besides: ${meanOf(cost.waku ?? [])} kB/s`)
    if (cost.onWire.length > 0) {
      report.of(SENT).note(`all of it with headers and acknowledgements: ${meanOf(cost.onWire)} kB/s`)
    }
  } catch (error) {
    signal.throwIfAborted()
    say(`footprint: ${error instanceof Error ? error.message : String(error)}`)
    report.leaveOut(promisedOf('footprint'), reasonOf(error))
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.end()))
    await ground.end()
  }
  return report.rows()
}

/** The mean, as text. */
export function meanOf(values: readonly number[]): string {
  return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2)
}
