import { createDecoder as createSealedDecoder } from '@waku/message-encryption/ecies'
import { proto_lightpush, proto_store } from '@waku/proto'
import { createDecoder, createEncoder } from '@waku/sdk'
import { createRoutingInfo } from '@waku/utils'
import { afterEach, describe, expect, test } from 'vitest'
import { createHost, type WakuHost } from './host.ts'
import { createMemoryKv } from './kv.ts'
import { MESSAGE_BYTES_MAX } from './limits.ts'
import { openMessageStore } from './message-store.ts'
import { CLUSTER_ID, CODEC, SHARD } from './network.ts'
import { createWakuNode } from './node.ts'
import { systemClock } from './ports.ts'
import { generateKeyPair, seal } from './seal.ts'
import { createCleanup, memoryLog, startNode, startStockClient, type TestNode, until } from './testing/kit.ts'
import { startStranger } from './testing/stranger.ts'
import { encodeMetadata } from './wire.ts'

const cleanup = createCleanup()
afterEach(() => cleanup.run())

const routingInfo = createRoutingInfo({ clusterId: CLUSTER_ID }, { shardId: SHARD })
const TOPIC = '/muster/1/test/proto'
const never = new AbortController().signal
const text = (payload: Uint8Array | undefined): string => Buffer.from(payload ?? []).toString()
const fields = (words: string, timestampMs = Date.now()) => ({
  contentTopic: TOPIC,
  payload: Buffer.from(words),
  timestampMs,
})
const meshed = (...nodes: readonly TestNode[]): Promise<void> =>
  until(() => nodes.every(({ node }) => node.status().peers === nodes.length - 1))

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
    await bob.filter.unsubscribe(decoder)
    await until(() => node.status().subscribers === 0)
  })

  test('decrypts with its own decoder what the agent seals', async () => {
    const { ws, node } = await startNode(cleanup, 1)
    const device = generateKeyPair()
    const mesh = generateKeyPair()
    const client = await startStockClient(cleanup, ws)
    const heard: (Uint8Array | undefined)[] = []
    const decoder = createSealedDecoder(TOPIC, routingInfo, device.privateKey)
    await client.filter.subscribe([decoder], (message) => {
      heard.push('signaturePublicKey' in message ? (message.signaturePublicKey as Uint8Array) : undefined)
    })
    const payload = await seal({
      content: Buffer.from('news'),
      recipientPublicKey: device.publicKey,
      signingKey: mesh.privateKey,
    })
    expect(await node.publish({ contentTopic: TOPIC, payload, timestampMs: Date.now() }, never)).toMatchObject({
      accepted: true,
      by: 1,
      stored: 0,
    })
    await until(() => heard.length === 1)
    expect(heard).toEqual([mesh.publicKey])
  })
})

describe('publishing', () => {
  test('is not accepted when nobody is there, nor when it is too large', async () => {
    const { node } = await startNode(cleanup, 1)
    expect(await node.publish(fields('hello'), never)).toMatchObject({ accepted: false, reason: 'nobody-took-it' })
    const large = { ...fields(''), payload: new Uint8Array(MESSAGE_BYTES_MAX) }
    expect(await node.publish(large, never)).toEqual({ accepted: false, reason: 'too-large' })
    expect(node.status().workedAtMonotonicMs).toBeUndefined()
  })

  test('reaches all nodes, and the same fields again are the same message', async () => {
    const a = await startNode(cleanup, 1)
    const b = await startNode(cleanup, 2, { peers: [a.tcp] })
    const c = await startNode(cleanup, 3, { peers: [a.ws, b.tcp] })
    a.node.setPeers([b.tcp, c.tcp])
    await meshed(a, b, c)
    const heard: string[] = []
    b.node.subscribe([TOPIC], ({ hash }) => heard.push(hash))
    const message = fields('hello')
    const first = await a.node.publish(message, never)
    expect(first).toMatchObject({ accepted: true, by: 2, stored: 2 })
    expect(await a.node.publish(message, never)).toEqual(first)
    expect(heard).toEqual([first.hash])
    expect(a.node.status().workedAtMonotonicMs).toBeTypeOf('number')
  })

  test('is not accepted by a device that takes bytes and answers nothing, and is pushed again when resent', async () => {
    const a = await startNode(cleanup, 1)
    const stranger = await startStranger(cleanup)
    const pushes = await stranger.subscribe(await stranger.connect(a.tcp), TOPIC)
    const message = fields('hello')
    expect(await a.node.publish(message, never)).toMatchObject({ accepted: false, reason: 'nobody-took-it' })
    await until(() => pushes() === 1)
    await a.node.publish(message, never)
    await until(() => pushes() === 2)
  })

  test('is taken by an external node by light push; stored is only what a store of our list says', async () => {
    const external = await startStranger(cleanup)
    const pushed: string[] = []
    let isKept = false
    await external.serve(CODEC.metadata, encodeMetadata)
    await external.serve(CODEC.lightPush, (request) => {
      const { message, requestId } = proto_lightpush.LightPushRequestV3.decode(request)
      pushed.push(text(message?.payload))
      return proto_lightpush.LightPushResponseV3.encode({ requestId, statusCode: 200 })
    })
    await external.serve(CODEC.store, (request) => {
      const { messageHashes, requestId } = proto_store.StoreQueryRequest.decode(request)
      const messages = isKept ? messageHashes.map((messageHash) => ({ messageHash })) : []
      return proto_store.StoreQueryResponse.encode({ requestId, statusCode: 200, messages })
    })
    const a = await startNode(cleanup, 1, { peers: [external.address()] })
    await until(() => a.node.status().peers === 1)
    expect(await a.node.publish(fields('one'), never)).toMatchObject({ accepted: true, by: 1, stored: 0 })
    expect(pushed).toEqual(['one'])
    isKept = true
    expect(await a.node.publish(fields('two'), never)).toMatchObject({ accepted: true, by: 1, stored: 1 })
    // The same claim by a node that nobody named.
    const b = await startNode(cleanup, 2)
    await external.connect(b.tcp)
    await until(() => b.node.status().peers === 1)
    expect(await b.node.publish(fields('three'), never)).toMatchObject({ accepted: true, by: 1, stored: 0 })
  })

  test('is not accepted any more when the only other node has died', async () => {
    const a = await startNode(cleanup, 1)
    const b = await startNode(cleanup, 2, { peers: [a.tcp] })
    await meshed(a, b)
    expect(await b.node.publish(fields('one'), never)).toMatchObject({ accepted: true })
    await a.node.stop()
    expect(await b.node.publish(fields('two'), never)).toMatchObject({ accepted: false })
  })
})

describe('a node that comes back', () => {
  test('catches up from its peers, and tells its own listeners', async () => {
    const a = await startNode(cleanup, 1)
    const kv = createMemoryKv()
    const first = await startNode(cleanup, 2, { peers: [a.tcp], kv })
    await meshed(a, first)
    await a.node.publish(fields('before'), never)
    await first.node.stop()
    // More than a page of hashes.
    for (let index = 0; index < 130; index += 1) await a.node.publish(fields(`missed ${index}`), AbortSignal.abort())
    const again = await startNode(cleanup, 2, { kv })
    const heard: string[] = []
    again.node.subscribe([TOPIC], ({ payload }) => heard.push(text(payload)))
    again.node.setPeers([a.tcp])
    await until(() => heard.length === 130)
    expect(heard).not.toContain('before')
  })

  test('is redialled by those that want it', async () => {
    const a = await startNode(cleanup, 1)
    const b = await startNode(cleanup, 2, { peers: [a.tcp] })
    await meshed(a, b)
    await a.node.stop()
    await until(() => b.node.status().peers === 0)
    const listen = [a.tcp.replace(/\/p2p\/.*/, '')]
    const again = await startNode(cleanup, 1, { listen })
    b.node.redialNow()
    await meshed(again, b)
    expect(await again.node.publish(fields('back'), never)).toMatchObject({ accepted: true, by: 1 })
  })
})

describe('a node that breaks from within', () => {
  test.each<[string, (host: WakuHost) => unknown, string | null]>([
    ['its libp2p node stops', (host) => host.stop(), 'its libp2p node has stopped'],
    [
      'gossip ends',
      ({ services }) => (services.pubsub as unknown as { stop(): Promise<void> }).stop(),
      'gossip has stopped',
    ],
    [
      'its libp2p node hangs in its stop',
      (host) => {
        host.stop = () => new Promise(() => undefined)
      },
      null,
    ],
  ])('%s: it says so when it is asked, goes on answering, and frees its port', async (_what, breakIt, trouble) => {
    const hosts: WakuHost[] = []
    const log = memoryLog()
    const a = await startNode(cleanup, 1)
    const store = await openMessageStore(createMemoryKv(), { clock: systemClock, log })
    const node = await createWakuNode(
      { seed: new Uint8Array(32).fill(2), listen: ['/ip4/127.0.0.1/tcp/0/ws'], peers: [a.tcp] },
      { store, clock: systemClock, log },
      async (options) => {
        const host = await createHost(options)
        hosts.push(host)
        return host
      },
    )
    cleanup.add(() => node.stop())
    await node.start()
    await until(() => node.status().peers === 1)
    expect(node.health()).toBeNull()
    const [address = ''] = node.multiaddrs()
    const [host] = hosts
    if (host === undefined) throw new Error('the node has a host')
    await breakIt(host)
    expect(node.health()).toBe(trouble)
    node.setPeers([a.tcp])
    node.redialNow()
    node.setOwnTopics([TOPIC])
    node.subscribe([TOPIC], () => undefined)()
    expect(node.status().subscribers).toBe(0)
    expect(node.multiaddrs().length).toBeLessThanOrEqual(1)
    await node.publish(fields('hello'), AbortSignal.timeout(5_000)).catch((error: unknown) => error)
    expect(node.ended.aborted).toBe(false)
    await node.stop()
    expect(node.ended.aborted).toBe(true)
    await until(() => a.node.status().peers === 0)
    await startNode(cleanup, 2, { listen: [address.replace(/\/p2p\/.*/, '')] })
  })
})

describe('the addresses of a node', () => {
  test('of peers that are of no use are left out, said once, and the others are kept', async () => {
    const a = await startNode(cleanup, 1)
    const b = await startNode(cleanup, 2)
    const bad = ['hello', '/ip4/127.0.0.1/tcp/1/p2p/nonsense']
    b.node.setPeers([...bad, a.tcp])
    b.node.setPeers([...bad, a.tcp])
    await meshed(a, b)
    expect(b.log.lines.filter((line) => line.includes('left out'))).toHaveLength(2)
  })

  test('that cannot be listened on are named', async () => {
    const a = await startNode(cleanup, 1)
    const taken = a.ws.replace(/\/p2p\/.*/, '')
    await expect(startNode(cleanup, 2, { listen: [taken] })).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining(taken),
    })
    await expect(startNode(cleanup, 2, { listen: ['/ip4/203.0.113.1/tcp/0'] })).rejects.toMatchObject({
      code: 'bad-address',
    })
    await expect(startNode(cleanup, 2, { listen: ['hello'] })).rejects.toMatchObject({ code: 'bad-address' })
  })
})
