/** A libp2p node of nobody, for hostile tests: it speaks whatever bytes it is told. */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { type GossipSub, type GossipSubComponents, gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'
import { mplex } from '@libp2p/mplex'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { proto_filter_v2 } from '@waku/proto'
import { createLibp2p } from 'libp2p'
import { CODEC, PUBSUB_TOPIC } from '../network.ts'
import type { Cleanup } from './kit.ts'

/**
 * A running stranger. `peer` is its peer id, `address` where it can be dialled; `gossip` resolves with the number of
 * peers that it sent to.
 */
export interface Stranger {
  readonly peer: string
  connect(address: string): Promise<Connection>
  /** Subscribes by filter and takes pushes, but answers no ping. Gives the pushes so far. */
  subscribe(connection: Connection, contentTopic: string): Promise<() => number>
  /** Answers a protocol, as an external node would. */
  serve(codec: string, answer: (request: Uint8Array) => Uint8Array): Promise<void>
  address(): string
  /** Publishes raw bytes on the relay topic. */
  gossip(data: Uint8Array): Promise<number>
}

/** Starts a stranger on a free port of the loopback. Equal seeds (0 to 255) give equal peer ids. */
export async function startStranger(cleanup: Cleanup, seed = 99): Promise<Stranger> {
  const host = await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed)),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [mplex({ disconnectThreshold: 10_000 })],
    connectionMonitor: { enabled: false },
    services: {
      identify: identify(),
      pubsub: (components: GossipSubComponents): GossipSub => {
        const service = gossipsub({
          globalSignaturePolicy: 'StrictNoSign',
          allowPublishToZeroTopicPeers: true,
          scoreParams: { IPColocationFactorWeight: 0 },
          maxOutboundBufferSize: 100_000_000,
        })(components)
        service.protocols = [CODEC.relay]
        return service
      },
    },
  })
  cleanup.add(() => Promise.resolve(host.stop()))
  const { pubsub } = host.services
  pubsub.subscribe(PUBSUB_TOPIC)
  return {
    peer: host.peerId.toString(),
    connect: (address) => host.dial(multiaddr(address)),
    async subscribe(connection, contentTopic) {
      let pushes = 0
      await host.handle(CODEC.filterPush, async (stream) => {
        const frames = lpStream(stream)
        for (;;) {
          await frames.read()
          pushes += 1
        }
      })
      const { FilterSubscribeRequest } = proto_filter_v2
      const stream = await connection.newStream(CODEC.filterSubscribe)
      const frames = lpStream(stream)
      const request = FilterSubscribeRequest.encode({
        requestId: 'x',
        filterSubscribeType: FilterSubscribeRequest.FilterSubscribeType.SUBSCRIBE,
        pubsubTopic: PUBSUB_TOPIC,
        contentTopics: [contentTopic],
      })
      await frames.write(request)
      await frames.read()
      return () => pushes
    },
    serve: (codec, answer) =>
      host.handle(codec, async (stream) => {
        const frames = lpStream(stream)
        await frames.write(answer((await frames.read()).subarray()))
        await stream.close()
      }),
    address: () => host.getMultiaddrs()[0]?.toString() ?? '',
    gossip: async (data) => (await pubsub.publish(PUBSUB_TOPIC, data)).recipients.length,
  }
}
