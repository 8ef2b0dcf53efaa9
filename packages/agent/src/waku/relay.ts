/**
 * Relay: gossipsub under Waku's name, unsigned, on our one pubsub topic.
 *
 * The validator reads each message within bounds and keeps a bucket per peer, so that a flood is dropped here and
 * passed on to nobody.
 * Source: 11/WAKU2-RELAY.
 */
import { createHash } from 'node:crypto'
import { type GossipSub, gossipsub, TopicValidatorResult } from '@libp2p/gossipsub'
import { MESSAGE_BYTES_MAX, RELAY_BURST, RELAY_REFUSALS_MAX, RELAYED_PER_SECOND } from './limits.ts'
import { type Message, parseMessage } from './message.ts'
import { CODEC, PUBSUB_TOPIC } from './network.ts'
import { reasonOf, type WakuClock, type WakuLog } from './ports.ts'
import { createRateGuard } from './rate.ts'

/** The libp2p service, under Waku's protocol id. */
export function relayService(): (components: Parameters<ReturnType<typeof gossipsub>>[0]) => GossipSub {
  const make = gossipsub({
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: (message) => createHash('sha256').update(message.data).digest(),
    allowedTopics: [PUBSUB_TOPIC],
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    floodPublish: true,
    fallbackToFloodsub: false,
    doPX: false,
    D: 4,
    Dlo: 2,
    Dhi: 8,
    Dscore: 2,
    Dout: 1,
    maxInboundDataLength: MESSAGE_BYTES_MAX,
    maxOutboundBufferSize: 16 * MESSAGE_BYTES_MAX,
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: 128,
      maxIhaveMessageIDs: 2_000,
      maxIwantMessageIDs: 2_000,
      maxIdontwantMessageIDs: 512,
      maxControlMessages: 64,
      maxPeerInfos: 0,
    },
    // Hosts behind one address are the rule here; the default weight silences them.
    scoreParams: { IPColocationFactorWeight: 0 },
  })
  return (components) => {
    const service = make(components)
    // The option of this name is ignored.
    service.protocols = [CODEC.relay]
    return service
  }
}

/** Relay of one node. */
export interface Relay {
  /** Passes a message on; gives the peers that it was handed to, none for bytes that passed a short while ago. */
  publish(message: Message): Promise<readonly string[]>
  /** Peers that take part in our topic. */
  peers(): readonly string[]
  forget(peer: string): void
}

/** Joins the topic. `cutOff` is told of a peer that floods. */
export function joinRelay(
  pubsub: GossipSub,
  deps: {
    readonly clock: WakuClock
    readonly log: WakuLog
    readonly onMessage: (message: Message, from: string) => void
    readonly cutOff: (peer: string) => void
  },
): Relay {
  const guard = createRateGuard({ burst: RELAY_BURST, perSecond: RELAYED_PER_SECOND, clock: deps.clock })
  const refusals = new Map<string, number>()
  const warned = new Set<string>()
  // Read once by the validator, used by the listener right after.
  const read = new WeakMap<Uint8Array, Message>()

  pubsub.topicValidators.set(PUBSUB_TOPIC, (source, { data }) => {
    const peer = source.toString()
    if (!guard.take(peer, 1 + data.byteLength / 16_384)) {
      const count = (refusals.get(peer) ?? 0) + 1
      refusals.set(peer, count)
      if (!warned.has(peer)) deps.log.warn('a Waku peer relays more than is taken', { peer })
      warned.add(peer)
      if (count === RELAY_REFUSALS_MAX) deps.cutOff(peer)
      return TopicValidatorResult.Ignore
    }
    // A peer that is only a little too fast works its refusals off; one that floods does not.
    refusals.set(peer, Math.max(0, (refusals.get(peer) ?? 0) - 1))
    try {
      read.set(data, parseMessage(data))
      return TopicValidatorResult.Accept
    } catch (cause) {
      deps.log.debug('refused a relayed message', { peer, reason: reasonOf(cause) })
      return TopicValidatorResult.Reject
    }
  })
  pubsub.addEventListener('gossipsub:message', ({ detail }) => {
    if (detail.msg.topic !== PUBSUB_TOPIC) return
    const message = read.get(detail.msg.data) ?? parseMessage(detail.msg.data)
    deps.onMessage(message, detail.propagationSource.toString())
  })
  pubsub.subscribe(PUBSUB_TOPIC)

  return {
    async publish(message) {
      const { recipients } = await pubsub.publish(PUBSUB_TOPIC, message.bytes)
      return recipients.map((peer) => peer.toString())
    },
    peers: () => pubsub.getSubscribers(PUBSUB_TOPIC).map((peer) => peer.toString()),
    forget: (peer) => {
      guard.forget(peer)
      refusals.delete(peer)
      warned.delete(peer)
    },
  }
}
