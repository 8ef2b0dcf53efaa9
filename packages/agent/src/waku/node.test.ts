import { createRoutingInfo } from '@waku/utils'
import { createDecoder, createEncoder } from '@waku/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import { CLUSTER_ID, SHARD } from './network.ts'
import { createCleanup, startNode, startStockClient, until } from './testing/kit.ts'

const cleanup = createCleanup()
afterEach(() => cleanup.run())

const routingInfo = createRoutingInfo({ clusterId: CLUSTER_ID }, { shardId: SHARD })
const TOPIC = '/muster/1/test/proto'
const never = new AbortController().signal
const text = (payload: Uint8Array | undefined): string => Buffer.from(payload ?? []).toString()

describe('an unmodified client', () => {
  test('pushes, hears what others push, and finds it in the store', async () => {
    const { ws, node } = await startNode(cleanup, 1)
    const alice = await startStockClient(cleanup, ws)
    const bob = await startStockClient(cleanup, ws)
    const heard: string[] = []
    const agentHeard: string[] = []
    node.subscribe([TOPIC], ({ payload }) => agentHeard.push(text(payload)))
    const decoder = createDecoder(TOPIC, routingInfo)
    expect(await bob.filter.subscribe([decoder], (message) => void heard.push(text(message.payload)))).toBe(true)
    const encoder = createEncoder({ contentTopic: TOPIC, routingInfo })
    for (let index = 0; index < 30; index += 1) {
      const { successes } = await alice.lightPush.send(encoder, { payload: Buffer.from(`message ${index}`) })
      expect(successes).toHaveLength(1)
    }
    await until(() => heard.length === 30)
    expect(agentHeard).toEqual(heard)
    const stored: string[] = []
    for await (const page of bob.store.queryGenerator([decoder], { paginationLimit: 7 })) {
      for (const message of await Promise.all(page)) stored.push(text(message?.payload))
    }
    expect(stored.sort()).toEqual([...heard].sort())
    expect(node.status()).toMatchObject({ peers: 0, subscribers: 1 })
  })
})

describe('publishing', () => {
  test('is not accepted when nobody is there', async () => {
    const { node } = await startNode(cleanup, 1)
    const outcome = await node.publish({ contentTopic: TOPIC, payload: Buffer.of(1), timestampMs: 1 }, never)
    expect(outcome).toMatchObject({ accepted: false, reason: 'nobody-took-it' })
    expect(node.status().workedAtMonotonicMs).toBeUndefined()
  })

  test('is accepted by nodes and devices, and the same bytes again are the same message', async () => {
    const a = await startNode(cleanup, 1)
    const b = await startNode(cleanup, 2, { peers: [a.tcp] })
    const bob = await startStockClient(cleanup, a.ws)
    const heard: string[] = []
    await bob.filter.subscribe([createDecoder(TOPIC, routingInfo)], (message) => void heard.push(message.hashStr))
    await until(() => a.node.status().peers === 1 && b.node.status().peers === 1)
    const message = { contentTopic: TOPIC, payload: Buffer.from('hello'), timestampMs: 1_790_000_000_123 }
    const first = await a.node.publish(message, never)
    expect(first).toMatchObject({ accepted: true, by: 2, stored: 1 })
    const again = await a.node.publish(message, never)
    expect(again).toEqual(first)
    await until(() => heard.length > 0)
    expect(heard).toEqual([first.hash])
    expect(a.node.status().workedAtMonotonicMs).toBeTypeOf('number')
  })
})
