/**
 * Twenty real agents on this machine: more than eight observers, gossip that is passed on, and what that costs.
 *
 * No figure is promised for it: it shows that what the simulator says of large meshes is so of real ones too.
 */
import { createBenchMesh, namesOf } from './bench-mesh.ts'
import { falseVerdicts, measureVerdicts } from './cluster.ts'
import type { Given } from './given.ts'
import { createGround } from './ground.ts'
import { type IdleCost, measureIdleCost } from './idle-cost.ts'
import { percentile } from './row.ts'

const HOSTS = 20
/** So many of them start at a time: each takes a core for half a second. */
const AT_ONCE = 4
const IDLE_MS = 60_000
const DEATHS = 3

/** Starts them with what `init` writes, lets them be for a minute, and cuts three off, one after the other. Prints what it saw. */
export async function measureRealMesh({ say, signal, endsAtMs }: Given): Promise<void> {
  const ground = await createGround(HOSTS)
  const startMs = performance.now()
  const secondsOf = (fromMs: number): string => ((performance.now() - fromMs) / 1_000).toFixed(1)
  let end = (): Promise<void> => Promise.resolve()
  try {
    const mesh = await createBenchMesh(ground, namesOf(HOSTS), { atOnce: AT_ONCE })
    end = () => mesh.end()
    await mesh.settled()
    say(`${HOSTS} agents see each other after ${secondsOf(startMs)} s; ${IDLE_MS / 1_000} s of nothing`)
    for (const line of formatCost(await measureIdleCost(mesh, null, IDLE_MS, signal))) say(line)
    for (const victim of mesh.nodes.slice(0, DEATHS)) {
      if (performance.now() > endsAtMs) break
      signal.throwIfAborted()
      const fault = ground.whyLoopback === null ? 'link down' : 'SIGKILL'
      const before = mesh.verdicts.length
      const outcome = await measureVerdicts(mesh, victim, fault)
      const undoneMs = performance.now()
      const known = outcome.kind === 'known' ? `known to all after ${outcome.seconds.toFixed(2)} s` : outcome.why
      const wrong = falseVerdicts(mesh.verdicts.slice(before), [victim.name]).length
      await mesh.settled()
      say(
        `${victim.name}, ${fault}: ${known}; ${wrong} false verdicts; back with all ${secondsOf(undoneMs)} s after it`,
      )
    }
  } finally {
    await end()
    await ground.end()
  }
}

function formatCost({ rssMb, cpuPercent, swarm, waku, onWire }: IdleCost): readonly string[] {
  const line = (name: string, unit: string, values: readonly number[] | null): string =>
    values === null || values.length === 0
      ? `${name}: not measured`
      : `${name}: median ${percentile(values, 0.5)?.toFixed(2)} ${unit}, most ${Math.max(...values).toFixed(2)}`
  return [
    line('RSS', 'MB', rssMb),
    line('CPU of one core', '%', cpuPercent),
    line('sent in the swarm', 'kB/s', swarm),
    line('sent over Waku', 'kB/s', waku),
    line('sent with headers', 'kB/s', onWire),
  ]
}
