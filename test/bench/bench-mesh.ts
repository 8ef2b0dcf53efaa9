/** A mesh of real agents in the places of a benchmark, with every verdict as its agent logs it. */
import type { StatusView } from '../../packages/agent/src/api/shapes.ts'
import { limits } from '../../packages/protocol/src/index.ts'
import { type Host, type HostSettings, until } from '../e2e/host.ts'
import { createMesh, type Mesh } from '../e2e/mesh.ts'
import type { Running } from '../e2e/processes.ts'
import type { Cluster, Verdict } from './cluster.ts'
import type { Victim } from './faults.ts'
import type { Ground, Spot } from './ground.ts'

/** Far above what is measured. Milliseconds. */
const SETTLED_MS = 90_000
/** Between two questions to all agents: an agent that is asked all the time is not what a user runs. Milliseconds. */
const ASK_EVERY_MS = 1_000

/** A host that faults can be done to. */
export interface BenchHost extends Victim {
  readonly host: Host
}

/** A mesh as a cluster. */
export interface BenchMesh extends Cluster {
  readonly mesh: Mesh
  readonly nodes: readonly BenchHost[]
  /** Waits until all but these see each other, may judge, and have a working road to a recipient. */
  settled(without?: readonly string[]): Promise<void>
}

/** Which host a line of an agent's log declares silent; null when it says something else. */
export function parseVerdictLine(line: string): string | null {
  return /^\S+ warn +a host is silent .*?\bhost=(\S+)/u.exec(line)?.[1] ?? null
}

/**
 * Starts a mesh of these names with the presence class and the checks that `init` writes, where the settings do not say
 * otherwise. Does not wait until it has settled.
 *
 * With `atOnce` only so many hosts start at the same time, and the next ones when these are seen: of a fast class more
 * than the machine has cores for would be late at the roll from the start.
 */
export async function createBenchMesh(
  ground: Ground,
  names: readonly string[],
  settings: HostSettings & { readonly of?: Readonly<Record<string, HostSettings>>; readonly atOnce?: number },
): Promise<BenchMesh> {
  const { of: ofEach = {}, atOnce, ...common } = settings
  const spots = new Map<string, Spot>(names.map((name) => [name, ground.take()]))
  const of: Record<string, HostSettings> = {}
  for (const [name, { address, prefix }] of spots) of[name] = { ...ofEach[name], address, prefix }
  const mesh = await createMesh(names.slice(0, 1), { presence: undefined, checks: undefined, ...common, of })
  const group = atOnce ?? names.length
  try {
    for (let next = 1; next < names.length; next += group) {
      await Promise.all(names.slice(next, next + group).map((name) => mesh.join(name)))
      if (atOnce === undefined) continue
      await until('the newcomers to be seen', SETTLED_MS, () => areSettled(mesh.hosts), ASK_EVERY_MS)
    }
  } catch (error) {
    const said = mesh.processes.lastWords()
    await mesh.end()
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`)
  }
  const verdicts: Verdict[] = []
  const nodes = mesh.hosts.map((host) => nodeOf(host, spots.get(host.name) as Spot, verdicts))
  return {
    name: 'muster',
    mesh,
    nodes,
    verdicts,
    async settled(without = []) {
      const hosts = mesh.hosts.filter(({ name }) => !without.includes(name))
      await until(`${hosts.length} agents to see each other`, SETTLED_MS, () => areSettled(hosts), ASK_EVERY_MS)
    },
    end: () => mesh.end(),
  }
}

async function areSettled(hosts: readonly Host[]): Promise<boolean> {
  return seeEachOther(await Promise.all(hosts.map((host) => host.status())))
}

/**
 * Whether hosts with these views see each other, may judge, and have a working road to a recipient. In a larger mesh only
 * a host's observers hear it straight; the others know of it from them.
 */
export function seeEachOther(views: readonly StatusView[]): boolean {
  const names = views.map(({ name }) => name)
  const enough = Math.min(views.length - 1, limits.observers)
  return (
    // A lone node has nobody to confirm that its Waku works.
    views.every(({ quiet, isolated, waku }) => !quiet && !isolated && (waku.works || views.length === 1)) &&
    names.every((name) => {
      const others = views
        .filter((view) => view.name !== name)
        .map(({ hosts }) => hosts.find((host) => host.name === name))
      const heard = others.filter((host) => host?.reach === 'direct')
      return others.every((host) => host?.state === 'alive') && heard.length >= enough
    })
  )
}

function nodeOf(host: Host, spot: Spot, verdicts: Verdict[]): BenchHost {
  const listenTo = (agent: Running): void => {
    agent.onErrorLine((line) => {
      const about = parseVerdictLine(line)
      if (about !== null) verdicts.push({ by: host.name, about, atMs: performance.now() })
    })
  }
  listenTo(host.agent())
  return {
    name: host.name,
    host,
    spot,
    port: host.ports.swarm,
    process: () => host.agent(),
    restart: () => listenTo(host.start()),
  }
}

/** So many names: `host-1`, `host-2` and so on. */
export function namesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `host-${index + 1}`)
}
