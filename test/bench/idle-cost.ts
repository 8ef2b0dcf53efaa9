/** What agents cost when nothing happens: memory, processor time and bytes sent. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchMesh } from './bench-mesh.ts'
import type { Cluster } from './cluster.ts'
import {
  createSentCounter,
  readConnections,
  readCpuSeconds,
  readMemory,
  readSentOnWire,
  withDescendants,
} from './process-readings.ts'

/** Between two readings: of a connection that ends in between, what it sent since the last one is missed. Milliseconds. */
const READ_EVERY_MS = 5_000
/** Headers of a datagram: Ethernet, IPv4 and UDP. Bytes. */
const UDP_HEADERS_BYTES = 14 + 20 + 8

/** One value for each node, where nothing else is said. Bytes are in kB/s. */
export interface IdleCost {
  /** Resident memory, MB, of each node at each reading. */
  readonly rssMb: readonly number[]
  /** The most that it ever was. */
  readonly peakMb: readonly number[]
  /** Processor time, in hundredths of a core. */
  readonly cpuPercent: readonly number[]
  /** TCP payload over connections of which one end is a swarm port. Null without `ss`. */
  readonly swarm: readonly number[] | null
  /** TCP payload over connections of which one end is a Waku port. Null without `ss`. */
  readonly waku: readonly number[] | null
  /** With all headers and acknowledgements, as its network card counts it. Empty on loopback. */
  readonly onWire: readonly number[]
  readonly peer: {
    readonly rssMb: readonly number[]
    /** UDP payload, nearly: its few TCP packets are taken for datagrams. Empty on loopback. */
    readonly bytes: readonly number[]
  }
}

/** Measures a settled mesh, and the peer's cluster beside it, for so long. */
export async function measureIdleCost(
  mesh: BenchMesh,
  peer: Cluster | null,
  forMs: number,
  signal: AbortSignal,
): Promise<IdleCost> {
  const agents = await Promise.all(
    mesh.nodes.map(async ({ host, spot }) => {
      const { pid } = host.agent()
      const cpuBefore = await readCpuSeconds(pid)
      return { host, spot, pid, pids: await withDescendants(pid), sent: createSentCounter(), cpuBefore }
    }),
  )
  const peerPids = (peer?.nodes ?? []).map((node) => node.process().pid)
  const wirePids = [...agents.map(({ pid }) => pid), ...peerPids]
  const wireBefore = await Promise.all(wirePids.map(readSentOnWire))
  const rssMb: number[] = []
  const peerRssMb: number[] = []
  let canCount = true
  const read = async (): Promise<void> => {
    for (const { sent, spot, pid } of agents) {
      rssMb.push((await readMemory(pid)).rssMb)
      const connections = await readConnections(spot.prefix)
      if (connections === null) canCount = false
      else sent.read(connections)
    }
    for (const pid of peerPids) peerRssMb.push((await readMemory(pid)).rssMb)
  }
  const startMs = performance.now()
  await read()
  while (performance.now() - startMs < forMs) {
    await sleep(Math.min(READ_EVERY_MS, forMs - (performance.now() - startMs)), undefined, { signal })
    await read()
  }
  const seconds = (performance.now() - startMs) / 1_000
  const cpuAfter = await Promise.all(agents.map(({ pid }) => readCpuSeconds(pid)))
  const wireAfter = await Promise.all(wirePids.map(readSentOnWire))

  const sentOver = (kind: 'swarm' | 'waku'): readonly number[] | null => {
    const ports = new Set(agents.map(({ host }) => host.ports[kind]))
    const bytesOf = ({ pids, sent }: (typeof agents)[number]): number =>
      sent.sum(
        ({ pid, localPort, remotePort }) => pids.includes(pid) && (ports.has(localPort) || ports.has(remotePort)),
      )
    return canCount ? agents.map((agent) => bytesOf(agent) / seconds / 1_000) : null
  }
  const isOnWire = agents.every(({ spot }) => spot.cable !== null)
  const onWire = wirePids.map((_, index) => {
    const bytes = (wireAfter[index]?.bytes ?? 0) - (wireBefore[index]?.bytes ?? 0)
    const packets = (wireAfter[index]?.packets ?? 0) - (wireBefore[index]?.packets ?? 0)
    return { all: bytes / seconds / 1_000, payload: (bytes - packets * UDP_HEADERS_BYTES) / seconds / 1_000 }
  })
  return {
    rssMb,
    peakMb: (await Promise.all(agents.map(({ pid }) => readMemory(pid)))).map(({ peakMb }) => peakMb),
    cpuPercent: cpuAfter.map((used, index) => (100 * (used - (agents[index]?.cpuBefore ?? 0))) / seconds),
    swarm: sentOver('swarm'),
    waku: sentOver('waku'),
    onWire: isOnWire ? onWire.slice(0, agents.length).map(({ all }) => all) : [],
    peer: { rssMb: peerRssMb, bytes: isOnWire ? onWire.slice(agents.length).map(({ payload }) => payload) : [] },
  }
}
