/**
 * What an idle agent costs: memory, processor time and bytes sent.
 *
 * Three agents with the checks that `muster init` writes, each a process of its own with a folder of its own, on
 * loopback. Measuring begins when each sees the other two and none is in its quiet time.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDemoHost, type DemoHost, until } from '../../packages/agent/src/demo/demo-host.ts'
import { createProcesses, type Processes } from '../../packages/agent/src/demo/processes.ts'
import { createSentCounter, readConnections, readCpuSeconds, readMemory, withDescendants } from './process-readings.ts'
import { type Row, rowOf } from './row.ts'

const NAMES = ['vps-1', 'laptop', 'home-server'] as const
/** Between two readings, milliseconds: long enough that reading costs nothing. */
const READ_EVERY_MS = 5_000
/** Between two questions whether the mesh has settled, milliseconds. */
const ASK_EVERY_MS = 500
/** Bounds of waits, milliseconds: a slow machine is no failure. */
const START_LIMIT_MS = 60_000
const QUIET_LIMIT_MS = 120_000

/** Promised for an idle agent with the default checks. */
const RSS_MB_MAX = 130
const CPU_PERCENT_MAX = 1

/** How the benchmark is run. */
export interface FootprintOptions {
  /** How long is measured. */
  readonly minutes: number
  /** Told what goes on. */
  readonly say: (line: string) => void
  /** Ends it early; what was started is ended all the same. */
  readonly signal: AbortSignal
}

/** Runs the benchmark and leaves nothing running and nothing on disk. */
export async function footprint({ minutes, say, signal }: FootprintOptions): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'))
  const processes = createProcesses({ keep: false })
  try {
    const hosts = await startMesh(processes, folder, say)
    await Promise.all(hosts.map((host) => settle(host, hosts.length)))
    say(`three agents are meshed; measuring for ${minutes} min`)
    return await measure(hosts, minutes * 60_000, signal)
  } finally {
    await processes.end()
    await rm(folder, { recursive: true, force: true })
  }
}

async function startMesh(processes: Processes, folder: string, say: (line: string) => void): Promise<DemoHost[]> {
  const hosts: DemoHost[] = []
  for (const name of NAMES) {
    const dir = join(folder, name)
    const [first] = hosts
    if (first === undefined) await processes.run(['init', '--name', name, '--dir', dir])
    else {
      const peer = await until('the first agent to listen', START_LIMIT_MS, () => first.peerAddress())
      const key = join(first.dir, 'swarm.key')
      await processes.run(['join', '--name', name, '--dir', dir, '--key', key, '--peer', peer])
    }
    const host = await createDemoHost(processes, name, dir)
    host.start()
    hosts.push(host)
    say(`${name} runs as process ${host.agent().pid}`)
  }
  return hosts
}

/** Waits until a host hears all others and judges again; asks seldom, for an agent that is asked all the time is not idle. */
async function settle(host: DemoHost, size: number): Promise<void> {
  await until(`${host.name} to hear everybody`, QUIET_LIMIT_MS, async () => {
    const { hosts, quiet } = await host.status()
    if (!quiet && hosts.length === size && hosts.every(({ ageMs }) => ageMs !== null)) return true
    await sleep(ASK_EVERY_MS)
    return null
  })
}

interface Measured {
  readonly host: DemoHost
  readonly pids: readonly number[]
  readonly ports: { readonly swarm: number; readonly waku: number }
  readonly rssMb: number[]
  peakMb: number
  readonly cpuSecondsBefore: number
}

async function measure(hosts: readonly DemoHost[], forMs: number, signal: AbortSignal): Promise<readonly Row[]> {
  const agents: Measured[] = []
  for (const host of hosts) {
    const pids = await withDescendants(host.agent().pid)
    const cpuSecondsBefore = await cpuSecondsOf(pids)
    agents.push({ host, pids, ports: await portsOf(host), rssMb: [], peakMb: 0, cpuSecondsBefore })
  }
  const sent = createSentCounter()
  let canCountBytes = true
  const beganMs = performance.now()
  const read = async (): Promise<void> => {
    for (const agent of agents) await readMemoryOf(agent)
    const connections = await readConnections()
    if (connections === null) canCountBytes = false
    else sent.read(connections)
  }
  await read()
  while (performance.now() - beganMs < forMs) {
    const left = forMs - (performance.now() - beganMs)
    await sleep(Math.min(READ_EVERY_MS, left), undefined, { signal })
    await read()
  }
  const seconds = (performance.now() - beganMs) / 1_000
  const cpuPercent: number[] = []
  for (const { pids, cpuSecondsBefore } of agents) {
    cpuPercent.push((100 * ((await cpuSecondsOf(pids)) - cpuSecondsBefore)) / seconds)
  }
  /** kB/s that each agent sent over connections of which one end is a port of this kind. */
  const sentOver = (kind: keyof Measured['ports']): number[] => {
    const ports = new Set(agents.map((agent) => agent.ports[kind]))
    return agents.map(
      ({ pids }) =>
        sent.sum(
          ({ pid, localPort, remotePort }) => pids.includes(pid) && (ports.has(localPort) || ports.has(remotePort)),
        ) /
        seconds /
        1_000,
    )
  }
  const common = { better: 'less', runs: agents.length } as const
  const bytes = (name: string, kind: keyof Measured['ports']): Row =>
    rowOf({
      ...common,
      name,
      unit: 'kB/s',
      values: canCountBytes ? sentOver(kind) : [],
      target: null,
      ...(canCountBytes ? {} : { note: 'left out, ss is not installed (Debian: iproute2)' }),
    })
  return [
    rowOf({
      ...common,
      name: 'footprint: RSS',
      unit: 'MB',
      values: agents.flatMap(({ rssMb }) => rssMb),
      target: { max: RSS_MB_MAX },
    }),
    rowOf({
      ...common,
      name: 'footprint: peak RSS since the start',
      unit: 'MB',
      values: agents.map(({ peakMb }) => peakMb),
      target: null,
    }),
    rowOf({
      ...common,
      name: 'footprint: CPU of one core',
      unit: '%',
      values: cpuPercent,
      target: { max: CPU_PERCENT_MAX },
    }),
    bytes('footprint: sent in the swarm, N = 3', 'swarm'),
    bytes('footprint: sent over Waku, N = 3', 'waku'),
  ]
}

async function readMemoryOf(agent: Measured): Promise<void> {
  const all = await Promise.all(agent.pids.map(readMemory))
  agent.rssMb.push(all.reduce((sum, { rssMb }) => sum + rssMb, 0))
  agent.peakMb = all.reduce((sum, { peakMb }) => sum + peakMb, 0)
}

async function cpuSecondsOf(pids: readonly number[]): Promise<number> {
  let seconds = 0
  for (const pid of pids) seconds += await readCpuSeconds(pid)
  return seconds
}

/** The ports that the config of a host listens on. */
async function portsOf({ dir }: DemoHost): Promise<Measured['ports']> {
  const text = await readFile(join(dir, 'muster.yaml'), 'utf8')
  const port = (pattern: RegExp): number => Number(pattern.exec(text)?.[1])
  return { swarm: port(/\/tcp\/(\d+)\]/), waku: port(/\/tcp\/(\d+)\/ws\]/) }
}
