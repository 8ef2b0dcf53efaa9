/** The libp2p node of the private swarm, with every default that a stranger could use against us set by hand. */
import { createHash } from 'node:crypto'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { GossipSub } from '@libp2p/gossipsub'
import { gossipsub } from '@libp2p/gossipsub'
import type { Identify } from '@libp2p/identify'
import { identify } from '@libp2p/identify'
import type { Libp2p, StreamHandler } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import type { Ping } from '@libp2p/ping'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import {
  CONNECTIONS_MAX,
  DIAL_TIMEOUT_MS,
  GOSSIP_REFUSED_FROM_BYTES,
  GOSSIP_RPC_BYTES_MAX,
  GOSSIP_UNSENT_BYTES_MAX,
  INBOUND_CONNECTIONS_PER_SECOND,
  PENDING_CONNECTIONS_MAX,
  STREAM_OPEN_TIMEOUT_MS,
  STREAM_WINDOW_BYTES,
  STREAMS_PER_CONNECTION_MAX,
  UPGRADE_TIMEOUT_MS,
} from './limits.ts'
import { type Sockets, sockets } from './node-health.ts'
import { quietLogger } from './quiet-logger.ts'
import { splitListen } from './relay-listener.ts'
import type { SwarmOptions } from './swarm.ts'
import { swarmKeyProtector } from './swarm-key-protector.ts'
import { thriftyYamux } from './thrifty-yamux.ts'

/** The one topic of the swarm. Its number rises with the way in which frames are packed. */
export const GOSSIP_TOPIC = '/muster/gossip/2'

/** A node of the private swarm. */
export type SwarmNode = Libp2p<{
  gossip: GossipSub
  identify: Identify
  ping: Ping
  relay: unknown
  listener: Listener
  sockets: Sockets
}>

/** Listens on one address more, while the node runs. */
export interface Listener {
  listenOn(address: string): Promise<void>
}

/** What stands between a node's own protocols and those who are not let in. */
export interface Guard {
  guard(handler: StreamHandler): StreamHandler
  /** Slows a stream whose sender brings too many bytes. */
  throttle(stream: Parameters<StreamHandler>[0], connection: Parameters<StreamHandler>[1]): void
}

/** Makes a node, not started. `seedAndPublicKey`: the 64 bytes of an Ed25519 key. */
export async function createNode(options: SwarmOptions, seedAndPublicKey: Uint8Array, door: Guard): Promise<SwarmNode> {
  return await createLibp2p({
    start: false,
    ...quietLogger(),
    privateKey: privateKeyFromRaw(seedAndPublicKey),
    nodeInfo: { name: 'muster', version: '1', userAgent: 'muster' },
    addresses: { listen: splitListen(options.listen).own, appendAnnounce: [...(options.announce ?? [])] },
    connectionProtector: swarmKeyProtector(options.swarmKeys),
    transports: [tcp(), webSockets(), (components) => circuitRelayTransport()(behind(door, components))],
    connectionEncrypters: [noise()],
    streamMuxers: [
      thriftyYamux({
        maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
        maxOutboundStreams: STREAMS_PER_CONNECTION_MAX,
        streamOptions: {
          initialStreamWindowSize: STREAM_WINDOW_BYTES,
          maxStreamWindowSize: STREAM_WINDOW_BYTES,
          maxReadBufferLength: 2 * STREAM_WINDOW_BYTES,
        },
      }),
    ],
    connectionManager: {
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
      inboundStreamProtocolNegotiationTimeout: STREAM_OPEN_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: STREAM_OPEN_TIMEOUT_MS,
      maxIncomingPendingConnections: PENDING_CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND,
      maxConnections: CONNECTIONS_MAX,
      addressDialTimeout: DIAL_TIMEOUT_MS,
      dialTimeout: DIAL_TIMEOUT_MS,
      reconnectRetries: 0,
    },
    // It asks everybody for an echo again and again; `quiet-peers.ts` asks those of whom nothing comes.
    connectionMonitor: { enabled: false },
    // Private addresses are what a home network is made of.
    connectionGater: { denyDialMultiaddr: () => false },
    services: {
      // The door runs it, once somebody is in.
      identify: (components) => identify({ runOnConnectionOpen: false })(behind(door, components)),
      ping: (components) => ping()(behind(door, components)),
      listener: ({ transportManager }) => ({
        listenOn: (address: string) => transportManager.listen([multiaddr(address)]),
      }),
      sockets: (components) => sockets(components),
      relay: (components) =>
        circuitRelayServer({ reservations: { applyDefaultLimit: false } })(behind(door, components)),
      gossip: (components) =>
        gossipsub({
          // Our frames carry their own Ed25519; the validator hands them to the agent.
          globalSignaturePolicy: 'StrictNoSign',
          msgIdFn: (message) => createHash('sha256').update(message.data).digest(),
          D: 3,
          Dlo: 2,
          Dhi: 4,
          Dscore: 1,
          Dout: 1,
          // "I have" each second to one of the others, not to a share of all: what is lost comes by catch-up as well, and
          // in a mesh of ten these were half of all that an idle agent sent.
          Dlazy: 1,
          gossipFactor: 0,
          // "I have it already" to each in the mesh costs more than now and then a second copy of a small frame.
          idontwantMinDataSize: GOSSIP_REFUSED_FROM_BYTES,
          // In a small mesh one hop is cheaper than being late.
          floodPublish: true,
          doPX: false,
          fallbackToFloodsub: false,
          allowedTopics: [GOSSIP_TOPIC],
          maxInboundDataLength: GOSSIP_RPC_BYTES_MAX,
          maxOutboundBufferSize: GOSSIP_UNSENT_BYTES_MAX,
          allowPublishToZeroTopicPeers: true,
          ignoreDuplicatePublishError: true,
          runOnLimitedConnection: true,
          tagMeshPeers: false,
          // By default many members behind one address are taken for an attack, and nothing is delivered.
          scoreParams: { IPColocationFactorWeight: 0 },
        })(behind(door, components, true)),
    },
  })
}

/** The same components, but every protocol that is registered through them waits for the door. */
function behind<C extends { registrar: { handle: (...args: never[]) => unknown } }>(
  door: Guard,
  components: C,
  isThrottled = false,
): C {
  const { registrar } = components
  const handle = (protocol: string, handler: StreamHandler, options: unknown): unknown => {
    const guarded = door.guard(async (stream, connection) => {
      await handler(stream, connection)
      if (isThrottled) door.throttle(stream, connection)
    })
    return Reflect.apply(registrar.handle, registrar, [protocol, guarded, options])
  }
  const guardedRegistrar = new Proxy(registrar, {
    get(target, property) {
      if (property === 'handle') return handle
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return new Proxy(components, {
    get: (target, property) => (property === 'registrar' ? guardedRegistrar : Reflect.get(target, property)),
  })
}
