/** The peer of `detection`: a cluster of `serf agent`, with the defaults for a local network. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../e2e/host.ts'
import { freePorts } from '../e2e/ports.ts'
import { createProcesses, type Processes, type Running } from '../e2e/processes.ts'
import type { Cluster, Verdict } from './cluster.ts'
import type { Victim } from './faults.ts'
import { reasonOf } from './given.ts'
import type { Ground } from './ground.ts'
import { findProgram } from './installed.ts'

/** Serf takes a failed node back at its next try, which may be half a minute off. Milliseconds. */
const SETTLED_MS = 90_000
const LOOK_EVERY_MS = 100

/** What a line of serf's log says of another node; null when nothing. */
export function parseSerfLine(line: string): { readonly about: string; readonly isAlive: boolean } | null {
  const [, event, about] = /serf: EventMember(Join|Failed|Leave): (\S+)/u.exec(line) ?? []
  return about === undefined ? null : { about, isAlive: event === 'Join' }
}

/** Starts so many agents and waits until they see each other; null where that cannot be, and `without` is told why. */
export async function startSerf(
  ground: Ground,
  count: number,
  without: (why: string) => void,
): Promise<Cluster | null> {
  const program = await findProgram('serf')
  if (program === null) {
    without('serf is not installed (Debian: serf)')
    return null
  }
  const processes = createProcesses(await mkdtemp(join(tmpdir(), 'muster-serf-')))
  try {
    const serf = await createSerfCluster(program, processes, ground, count)
    await serf.settled()
    return serf
  } catch (error) {
    await processes.end()
    without(`serf did not start: ${reasonOf(error)}`)
    return null
  }
}

async function createSerfCluster(
  program: string,
  processes: Processes,
  ground: Ground,
  count: number,
): Promise<Cluster> {
  const verdicts: Verdict[] = []
  const nodes: Victim[] = []
  /** What each node thinks of each. */
  const alive = new Map<string, Map<string, boolean>>()
  let first: string | undefined

  for (let index = 0; index < count; index += 1) {
    const name = `serf-${index + 1}`
    const spot = ground.take()
    const { swarm: port, api: rpcPort } = await freePorts()
    const bind = `${spot.address}:${port}`
    const join = first
    first ??= bind
    const start = (): Running => {
      const seen = new Map<string, boolean>()
      alive.set(name, seen)
      const args = ['agent', `-node=${name}`, `-bind=${bind}`, `-rpc-addr=${spot.address}:${rpcPort}`]
      // The first one, started again, joins the second.
      const others = [join, nodes[0]?.name === name ? bindOf(nodes[1]) : undefined].filter((each) => each !== undefined)
      const running = processes.start([...args, ...others.map((each) => `-retry-join=${each}`), '-retry-interval=1s'], {
        program: [program],
        prefix: spot.prefix,
      })
      const take = (line: string): void => {
        const said = parseSerfLine(line)
        if (said === null) return
        seen.set(said.about, said.isAlive)
        if (!said.isAlive) verdicts.push({ by: name, about: said.about, atMs: performance.now() })
      }
      running.onLine(take)
      running.onErrorLine(take)
      return running
    }
    let running = start()
    nodes.push({
      name,
      spot,
      port,
      process: () => running,
      restart() {
        running = start()
      },
    })
  }

  const isSettled = (): boolean =>
    nodes.every(({ name: by }) => nodes.every(({ name }) => name === by || alive.get(by)?.get(name) === true))
  return {
    name: 'serf',
    nodes,
    verdicts,
    settled: async () => void (await until('serf to see all its nodes', SETTLED_MS, isSettled, LOOK_EVERY_MS)),
    end: () => processes.end(),
  }
}

function bindOf(node: Victim | undefined): string | undefined {
  return node === undefined ? undefined : `${node.spot.address}:${node.port}`
}
