/** What strangers do to a node, and that it serves everybody else meanwhile. */
import type { Connection } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { proto_filter_v2, proto_lightpush, proto_store, WakuMessage } from '@waku/proto'
import { afterEach, describe, expect, test } from 'vitest'
import { MESSAGE_BYTES_MAX, MPLEX_STREAMS_PER_SECOND_MAX, REQUEST_BYTES_MAX, REQUEST_TOPICS_MAX } from './limits.ts'
import { CODEC, PUBSUB_TOPIC } from './network.ts'
import { createCleanup, startNode, type TestNode, until } from './testing/kit.ts'
import { startStranger } from './testing/stranger.ts'

const cleanup = createCleanup()
afterEach(() => cleanup.run())

const never = new AbortController().signal
const TOPIC = '/muster/1/test/proto'
const codecs = [CODEC.metadata, CODEC.lightPush, CODEC.filterSubscribe, CODEC.store]

/** Sends one frame and gives the answer, or `undefined` when the node closed without one. */
async function ask(connection: Connection, codec: string, request: Uint8Array): Promise<Uint8Array | undefined> {
  const stream = await connection.newStream(codec)
  try {
    const frames = lpStream(stream)
    await frames.write(request)
    return (await frames.read()).subarray()
  } catch {
    return undefined
  }
}

/** A second node still meshes with it and its messages still arrive. */
async function expectServing(victim: TestNode, seed = 50): Promise<void> {
  const other = await startNode(cleanup, seed, { peers: [victim.tcp] })
  await until(() => other.node.status().peers > 0)
  const message = { contentTopic: TOPIC, payload: Buffer.from('still here'), timestampMs: Date.now() }
  expect(await other.node.publish(message, never)).toMatchObject({ accepted: true, stored: 1 })
}

describe('a stranger', () => {
  test.each(codecs)('that sends garbage on %s gets a refusal or nothing', async (codec) => {
    const victim = await startNode(cleanup, 1)
    const connection = await (await startStranger(cleanup)).connect(victim.tcp)
    for (const request of [Buffer.of(), Buffer.of(255), Buffer.alloc(5000, 0xff), Buffer.alloc(5000, 0x0a)]) {
      const answer = await ask(connection, codec, request)
      if (codec === CODEC.lightPush && answer)
        expect(proto_lightpush.LightPushResponseV3.decode(answer).statusCode).toBe(400)
      if (codec === CODEC.filterSubscribe && answer) {
        // An empty request is a ping without a subscription.
        const expected = request.byteLength === 0 ? 404 : 400
        expect(proto_filter_v2.FilterSubscribeResponse.decode(answer).statusCode).toBe(expected)
      }
    }
    await expectServing(victim)
  })

  test.each(codecs)('that announces or sends too much on %s loses the stream', async (codec) => {
    const victim = await startNode(cleanup, 1)
    const connection = await (await startStranger(cleanup)).connect(victim.tcp)
    expect(await ask(connection, codec, new Uint8Array(REQUEST_BYTES_MAX + 1))).toBeUndefined()
    const endless = await connection.newStream(codec)
    endless.send(Buffer.alloc(64, 0xff))
    await until(() => endless.status !== 'open')
    await expectServing(victim)
  })

  test('gets the codes of the protocols for requests out of bounds', async () => {
    const victim = await startNode(cleanup, 1)
    const connection = await (await startStranger(cleanup)).connect(victim.tcp)
    const push = async (payload: Uint8Array, pubsubTopic = PUBSUB_TOPIC): Promise<number> => {
      const message = { payload, contentTopic: TOPIC }
      const request = proto_lightpush.LightPushRequestV3.encode({ requestId: 'x', pubsubTopic, message })
      const answer = await ask(connection, CODEC.lightPush, request)
      return proto_lightpush.LightPushResponseV3.decode(answer ?? new Uint8Array()).statusCode
    }
    expect(await push(Buffer.of(1))).toBe(200)
    expect(await push(new Uint8Array())).toBe(400)
    expect(await push(new Uint8Array(MESSAGE_BYTES_MAX))).toBe(413)
    expect(await push(Buffer.of(1), '/waku/2/rs/1/0')).toBe(421)

    const { SUBSCRIBE } = proto_filter_v2.FilterSubscribeRequest.FilterSubscribeType
    const subscribe = async (contentTopics: string[], pubsubTopic = PUBSUB_TOPIC): Promise<number> => {
      const fields = { requestId: 'x', filterSubscribeType: SUBSCRIBE, pubsubTopic, contentTopics }
      const request = proto_filter_v2.FilterSubscribeRequest.encode(fields)
      const answer = await ask(connection, CODEC.filterSubscribe, request)
      return proto_filter_v2.FilterSubscribeResponse.decode(answer ?? new Uint8Array()).statusCode
    }
    const topics = (count: number, from = 0): string[] =>
      Array.from({ length: count }, (_, index) => `/t/${from + index}`)
    expect(await subscribe([])).toBe(400)
    expect(await subscribe(['x'.repeat(300)])).toBe(400)
    expect(await subscribe(topics(1), '/waku/2/rs/1/0')).toBe(400)
    expect(await subscribe(topics(REQUEST_TOPICS_MAX + 1))).toBe(400)
    expect(await subscribe(topics(100))).toBe(200)
    expect(await subscribe(topics(100, 100))).toBe(200)
    expect(await subscribe(topics(1, 200))).toBe(503)

    const query = { requestId: 'x', includeData: true, contentTopics: [], messageHashes: [], paginationForward: true }
    const cursor = { ...query, paginationCursor: Buffer.alloc(32, 7) }
    const answer = await ask(connection, CODEC.store, proto_store.StoreQueryRequest.encode(cursor))
    expect(proto_store.StoreQueryResponse.decode(answer ?? new Uint8Array()).statusCode).toBe(400)
    const negative = { ...query, paginationLimit: 2n ** 64n - 1n }
    const page = await ask(connection, CODEC.store, proto_store.StoreQueryRequest.encode(negative))
    expect(proto_store.StoreQueryResponse.decode(page ?? new Uint8Array()).messages).toHaveLength(1)
    await expectServing(victim)
  })

  test('that asks without end is told to slow down', async () => {
    const victim = await startNode(cleanup, 1)
    const connection = await (await startStranger(cleanup)).connect(victim.tcp)
    const codes: number[] = []
    const message = { payload: new Uint8Array(100_000), contentTopic: TOPIC }
    const request = proto_lightpush.LightPushRequestV3.encode({ requestId: 'x', pubsubTopic: PUBSUB_TOPIC, message })
    while (!codes.includes(429) && codes.length < 200) {
      const answer = await ask(connection, CODEC.lightPush, request)
      codes.push(proto_lightpush.LightPushResponseV3.decode(answer ?? new Uint8Array()).statusCode)
    }
    expect(codes.at(-1)).toBe(429)
    await expectServing(victim)
  })

  test('that opens streams without end loses the connection', async () => {
    const victim = await startNode(cleanup, 1)
    const connection = await (await startStranger(cleanup)).connect(victim.tcp)
    for (let index = 0; index < 2 * MPLEX_STREAMS_PER_SECOND_MAX; index += 1) {
      connection.newStream(CODEC.store, { maxOutboundStreams: 10_000 }).catch(() => undefined)
    }
    await until(() => connection.status !== 'open')
    await expectServing(victim)
  })

  test('that relays garbage and floods is passed on to nobody, and cut off', async () => {
    const victim = await startNode(cleanup, 1)
    const other = await startNode(cleanup, 2, { peers: [victim.tcp] })
    await until(() => other.node.status().peers === 1)
    const heard: string[] = []
    other.node.subscribe([TOPIC], ({ hash }) => heard.push(hash))
    const stranger = await startStranger(cleanup)
    const connection = await stranger.connect(victim.tcp)
    await until(async () => (await stranger.gossip(Buffer.from(`garbage ${Math.random()}`))) > 0)
    const flood = (index: number): Uint8Array =>
      WakuMessage.encode({ payload: Buffer.alloc(200, index), contentTopic: TOPIC, timestamp: BigInt(index) })
    for (let index = 1; index < 4000 && connection.status === 'open'; index += 1) {
      await stranger.gossip(flood(index))
      if (index % 200 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await until(() => connection.status !== 'open')
    expect(victim.log.lines.some((line) => line.includes('that floods'))).toBe(true)
    expect(heard.length).toBeLessThan(1_000)
    await expectServing(victim)
  })
})
