/**
 * One stock light client on one service node, from connecting until the connection ends.
 *
 * What the client needs to be told: no discovery and no retries of its own (a retry after a success makes copies), one
 * peer (two would get two ciphertexts), and a monitor that notices a node which hangs. Its filter keeps timers that
 * only an orderly unsubscribing ends.
 */
import { createDecoder } from '@waku/message-encryption/ecies'
import { WakuMessage } from '@waku/proto'
import { createLightNode, type IDecodedMessage, type IDecoder, Protocols } from '@waku/sdk'
import { createRoutingInfo } from '@waku/utils'
import { unframe } from './framing.ts'
import { STORE_PAGE_MAX } from './limits.ts'
import { toNs } from './message.ts'
import { CLUSTER_ID, CODEC, SHARD } from './network.ts'
import { WakuError } from './ports.ts'
import { within } from './within.ts'

/** A message that opened. */
export interface SessionMessage {
  readonly payload: Uint8Array
  readonly signaturePublicKey?: Uint8Array
  readonly contentTopic: string
  readonly hash: string
  readonly timestampMs: number
}

/** A connection to one node. */
export interface Session {
  readonly node: string
  /** Resolves with the reason when the connection has ended, for whatever cause. */
  readonly ended: Promise<string>
  /** Aborted at that moment. */
  readonly signal: AbortSignal
  end(reason: string): void
  /** Follows a change of topics. Throws a `WakuError`, `refused`. */
  listenTo(contentTopics: readonly string[]): Promise<void>
  /** Reads the store, since a moment of the sender's clock or all of it. Throws when the query fails. */
  look(
    query: { readonly onMessage: (message: SessionMessage) => void; readonly sinceUnixMs?: number },
    signal: AbortSignal,
  ): Promise<void>
  /** The payloads on a topic that the node's store holds, sealed as they are: the oldest, a page at most. Throws when the query fails. */
  held(contentTopic: string, signal: AbortSignal): Promise<readonly Uint8Array[]>
  /** Pushes a sealed payload; true when the node took it. */
  push(
    message: { readonly contentTopic: string; readonly payload: Uint8Array; readonly timestampMs: number },
    signal: AbortSignal,
  ): Promise<boolean>
  close(): Promise<void>
}

/** A node that has not answered by then is given up, in milliseconds. */
const CONNECT_TIMEOUT_MS = 4_000
/** A node that hangs is noticed after about the sum of both, in milliseconds. */
const MONITOR_EVERY_MS = 2_000
const MONITOR_TIMEOUT_MS = 3_000
/** How long the winding up may take, in milliseconds. */
const CLOSE_TIMEOUT_MS = 3_000

const routingInfo = createRoutingInfo({ clusterId: CLUSTER_ID }, { shardId: SHARD })

type Decoder = ReturnType<typeof createDecoder>
type Decoded = Awaited<ReturnType<Decoder['fromProtoObj']>>

/** Connects, checks the cluster and subscribes. Throws a `WakuError`, `unreachable` or `refused`, or the signal's reason. */
export async function openSession(options: {
  readonly node: string
  readonly privateKey: Uint8Array
  readonly contentTopics: readonly string[]
  readonly onMessage: (message: SessionMessage) => void
  readonly signal: AbortSignal
}): Promise<Session> {
  const client = await createLightNode({
    networkConfig: { clusterId: CLUSTER_ID },
    defaultBootstrap: false,
    numPeersToUse: 1,
    filter: { numPeersToUse: 1, keepAliveIntervalMs: 30_000 },
    lightPush: { autoRetry: false },
    connectionManager: { enableAutoRecovery: false },
    libp2p: {
      filterMultiaddrs: false,
      hideWebSocketInfo: true,
      connectionMonitor: {
        pingInterval: MONITOR_EVERY_MS,
        pingTimeout: { minTimeout: MONITOR_TIMEOUT_MS, maxTimeout: MONITOR_TIMEOUT_MS },
      },
    },
  })
  const over = new AbortController()
  const ended = Promise.withResolvers<string>()
  const end = (reason: string): void => {
    ended.resolve(reason)
    over.abort(new Error(reason))
  }
  client.libp2p.addEventListener('peer:disconnect', () => end('the node has gone'))
  options.signal.addEventListener('abort', () => end('stopped'), { once: true, signal: over.signal })

  const decoders = new Map<string, Decoder>()
  const onDecoded = (message: Decoded): void => {
    const opened = openedOf(message)
    if (opened !== undefined && !over.signal.aborted) options.onMessage(opened)
  }
  const listenTo = async (contentTopics: readonly string[]): Promise<void> => {
    const fresh = contentTopics.filter((topic) => !decoders.has(topic)).map(decoderOf)
    for (const [topic, decoder] of decoders) {
      if (contentTopics.includes(topic)) continue
      decoders.delete(topic)
      await client.filter.unsubscribe([decoder])
    }
    for (const decoder of fresh) decoders.set(decoder.contentTopic, decoder)
    if (fresh.length > 0 && !(await client.filter.subscribe(fresh, onDecoded))) {
      throw new WakuError('refused', 'the node did not take the subscription')
    }
  }
  const decoderOf = (topic: string): Decoder => createDecoder(topic, routingInfo, options.privateKey)

  const close = async (): Promise<void> => {
    end('closed')
    const orderly = async (): Promise<void> => {
      if (decoders.size > 0) await client.filter.unsubscribe([...decoders.values()])
      await client.stop()
    }
    await within(orderly(), { limitMs: CLOSE_TIMEOUT_MS }).catch(() => undefined)
  }

  try {
    await within(connect(client, options.node), { signal: over.signal, limitMs: CONNECT_TIMEOUT_MS })
    await within(listenTo(options.contentTopics), { signal: over.signal, limitMs: CONNECT_TIMEOUT_MS })
  } catch (cause) {
    await close()
    if (cause instanceof WakuError) throw cause
    throw new WakuError('unreachable', `no use of the Waku node at ${options.node}`, { cause })
  }

  return {
    node: options.node,
    ended: ended.promise,
    signal: over.signal,
    end,
    listenTo,
    async look({ onMessage, sinceUnixMs }, signal) {
      const pages = client.store.queryGenerator([...decoders.values()], {
        paginationLimit: STORE_PAGE_MAX,
        ...(sinceUnixMs === undefined ? {} : { timeStart: new Date(sinceUnixMs) }),
      })
      const limited = AbortSignal.any([signal, over.signal])
      for (;;) {
        const page = await within(pages.next(), { signal: limited })
        if (page.done === true) return
        // One message that does not open must not hide the others.
        for (const message of await Promise.allSettled(page.value)) {
          const opened = message.status === 'fulfilled' ? openedOf(message.value) : undefined
          if (opened !== undefined) onMessage(opened)
        }
      }
    },
    async held(contentTopic, signal) {
      const payloads: Uint8Array[] = []
      const decoder = takingDecoder(contentTopic, (payload) => payloads.push(payload))
      const pages = client.store.queryGenerator([decoder], { paginationLimit: STORE_PAGE_MAX })
      await within(pages.next(), { signal: AbortSignal.any([signal, over.signal]) })
      return payloads
    },
    async push(message, signal) {
      const sending = client.lightPush.send(rawEncoder(message), { payload: message.payload }, { autoRetry: false })
      const { successes } = await within(sending, { signal: AbortSignal.any([signal, over.signal]) })
      return successes.length > 0
    },
    close,
  }
}

type Client = Awaited<ReturnType<typeof createLightNode>>

/** Dials and waits until the client knows what the node offers; a subscription made earlier finds no peer. */
async function connect(client: Client, node: string): Promise<void> {
  const identified = new Promise<void>((resolve) => {
    client.libp2p.addEventListener('peer:identify', ({ detail }) => {
      if (detail.protocols.includes(CODEC.filterSubscribe)) resolve()
    })
  })
  await client.dial(node, [Protocols.Filter])
  await identified
  const [peer] = client.libp2p.getPeers()
  const handshake =
    peer === undefined ? undefined : await client.libp2p.services.metadata?.confirmOrAttemptHandshake(peer)
  const cluster = handshake?.shardInfo?.clusterId
  if (cluster !== CLUSTER_ID) throw new WakuError('refused', `the node is on Waku cluster ${cluster ?? 'unknown'}`)
}

/** What a decoded message holds, or `undefined` when it was not for us, is altered or is no frame. */
function openedOf(message: Decoded): SessionMessage | undefined {
  if (message === undefined) return undefined
  const { signaturePublicKey } = message as { signaturePublicKey?: Uint8Array }
  try {
    return {
      payload: unframe(message.payload),
      ...(signaturePublicKey === undefined ? {} : { signaturePublicKey }),
      contentTopic: message.contentTopic,
      hash: message.hashStr,
      timestampMs: message.timestamp?.getTime() ?? 0,
    }
  } catch {
    return undefined
  }
}

/** A decoder that opens nothing, and gives the payloads as they come. The library's own such refuses what is sealed. */
function takingDecoder(contentTopic: string, take: (payload: Uint8Array) => void): IDecoder<IDecodedMessage> {
  return {
    contentTopic,
    pubsubTopic: routingInfo.pubsubTopic,
    fromWireToProtoObj: async () => undefined,
    async fromProtoObj(_, { payload }) {
      take(payload)
      return undefined
    },
  }
}

/** An encoder for bytes that are sealed already. */
function rawEncoder(message: { contentTopic: string; payload: Uint8Array; timestampMs: number }) {
  const { payload, contentTopic, timestampMs } = message
  const wire = { payload, contentTopic, version: 1, timestamp: toNs(timestampMs), ephemeral: false }
  const proto = { ...wire, meta: undefined, rateLimitProof: undefined }
  return {
    contentTopic,
    ephemeral: false,
    routingInfo,
    pubsubTopic: routingInfo.pubsubTopic,
    toProtoObj: async () => proto,
    toWire: async () => WakuMessage.encode(wire),
  }
}
