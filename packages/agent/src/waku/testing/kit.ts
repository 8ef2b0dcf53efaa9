/** What the tests of this folder share: nodes on free ports of the loopback, a stock client, and waiting for conditions. */
import { createLightNode } from '@waku/sdk'
import { createMemoryKv, type Kv } from '../kv.ts'
import { openMessageStore } from '../message-store.ts'
import { CLUSTER_ID } from '../network.ts'
import { createWakuNode, type WakuNode } from '../node.ts'
import { systemClock, type WakuLog } from '../ports.ts'

/** A log that keeps its lines, so that a failing test can show them. */
export interface MemoryLog extends WakuLog {
  readonly lines: string[]
}

/** A log without lines yet. Each line is its level, its phrase and its fields as JSON. */
export function memoryLog(): MemoryLog {
  const lines: string[] = []
  const write =
    (level: string) =>
    (phrase: string, fields: object = {}): void => {
      lines.push(`${level} ${phrase} ${JSON.stringify(fields)}`)
    }
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn') }
}

/** Things to undo after a test, last first. */
export interface Cleanup {
  add(undo: () => Promise<unknown>): void
  run(): Promise<void>
}

/** Nothing to undo yet. `run` undoes each thing once, and may be called again. */
export function createCleanup(): Cleanup {
  const undos: (() => Promise<unknown>)[] = []
  return {
    add: (undo) => undos.push(undo),
    async run() {
      for (const undo of undos.splice(0).reverse()) await undo()
    },
  }
}

/** A running node of a test, with its log and what it has stored. `tcp` is its address for other nodes. */
export interface TestNode {
  readonly node: WakuNode
  readonly log: MemoryLog
  readonly kv: Kv
  /** Its address for stock clients: WebSocket, loopback. */
  readonly ws: string
  readonly tcp: string
}

/** Starts a node with a seed of its own. Free ports, unless `listen` says otherwise. */
export async function startNode(
  cleanup: Cleanup,
  seed: number,
  options: { peers?: readonly string[]; kv?: Kv; listen?: readonly string[] } = {},
): Promise<TestNode> {
  const log = memoryLog()
  const kv = options.kv ?? createMemoryKv()
  const store = await openMessageStore(kv, { clock: systemClock, log })
  const node = await createWakuNode(
    {
      seed: new Uint8Array(32).fill(seed),
      listen: options.listen ?? ['/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/tcp/0'],
      peers: options.peers ?? [],
    },
    { store, clock: systemClock, log },
  )
  cleanup.add(() => node.stop())
  await node.start()
  const addresses = node.multiaddrs()
  const ws = addresses.find((address) => address.includes('/ws')) ?? ''
  const tcp = addresses.find((address) => !address.includes('/ws')) ?? ''
  return { node, log, kv, ws, tcp }
}

/** An unmodified light client, as another program would write it. */
export async function startStockClient(
  cleanup: Cleanup,
  address: string,
): Promise<Awaited<ReturnType<typeof createLightNode>>> {
  const client = await createLightNode({
    networkConfig: { clusterId: CLUSTER_ID },
    defaultBootstrap: false,
    numPeersToUse: 1,
    lightPush: { autoRetry: false },
    libp2p: { filterMultiaddrs: false, hideWebSocketInfo: true },
  })
  cleanup.add(() => client.stop())
  await client.dial(address)
  await client.waitForPeers()
  return client
}

/** Waits until something holds. The runner's own time-out bounds it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}
