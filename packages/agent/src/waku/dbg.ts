import { createDecoder } from '@waku/sdk'
import { createRoutingInfo } from '@waku/utils'
import { createCleanup, startNode, startStockClient, until } from './testing/kit.ts'
import { CLUSTER_ID, SHARD } from './network.ts'
const c = createCleanup()
const a = await startNode(c, 1)
const b = await startNode(c, 2, { peers: [a.tcp] })
console.log('client')
const bob = await startStockClient(c, a.ws)
console.log('subscribe')
const heard = []
const ri = createRoutingInfo({ clusterId: CLUSTER_ID }, { shardId: SHARD })
console.log(await bob.filter.subscribe([createDecoder('/muster/1/test/proto', ri)], (m) => void heard.push(m.hashStr)))
await until(() => a.node.status().peers === 1 && b.node.status().peers === 1)
console.log('publish')
const message = { contentTopic: '/muster/1/test/proto', payload: Buffer.from('hello'), timestampMs: 1_790_000_000_123 }
console.time()
console.log(await a.node.publish(message, new AbortController().signal))
console.timeEnd()
console.log(await a.node.publish(message, new AbortController().signal))
await new Promise(r => setTimeout(r, 300))
console.log(heard)
console.log(a.log.lines, b.log.lines)
await c.run()
