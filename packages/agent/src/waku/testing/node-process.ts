/** A node in a process of its own, to be killed: prints its WebSocket address, and ends with its parent. */
import { createMemoryKv } from '../kv.ts'
import { openMessageStore } from '../message-store.ts'
import { createWakuNode } from '../node.ts'
import { systemClock } from '../ports.ts'
import { memoryLog } from './kit.ts'

const [seed = '1', ...peers] = process.argv.slice(2)
const deps = { clock: systemClock, log: memoryLog() }
const store = await openMessageStore(createMemoryKv(), deps)
const node = await createWakuNode(
  { seed: new Uint8Array(32).fill(Number(seed)), listen: ['/ip4/127.0.0.1/tcp/0/ws'], peers },
  { ...deps, store },
)
await node.start()
process.stdout.write(`${node.multiaddrs()[0]}\n`)
process.stdin.resume().on('end', () => process.exit(0))
