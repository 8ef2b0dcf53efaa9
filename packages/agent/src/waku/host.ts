/**
 * The libp2p node under a Waku node: open to strangers, and bounded on every side.
 *
 * Its identity is not the host's: the private swarm and Waku are two nodes that know nothing of each other.
 */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { mplex } from '@libp2p/mplex'
import { noise } from '@libp2p/noise'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { listenFailureOf } from '../swarm/listen-failure.ts'
import { type Sockets, sockets } from '../swarm/node-health.ts'
import { quietLogger } from '../swarm/quiet-logger.ts'
import { thriftyYamux } from '../swarm/thrifty-yamux.ts'
import {
  CONNECTIONS_MAX,
  CONNECTIONS_PENDING_MAX,
  CONNECTIONS_PER_SECOND_MAX,
  MPLEX_STREAMS_PER_SECOND_MAX,
  UPGRADE_TIMEOUT_MS,
} from './limits.ts'
import { reasonOf, WakuError } from './ports.ts'
import { relayService } from './relay.ts'
import { webSocketTransport } from './ws-transport.ts'

/** The node with its services. */
export type WakuHost = Libp2p<{ pubsub: GossipSub; ping: Ping; sockets: Sockets }>

/** Makes a stopped node. `seed` is 32 bytes, kept by the caller: the same seed is the same peer id. Throws a `WakuError`, `bad-key` or `bad-address`. */
export async function createHost(options: {
  readonly seed: Uint8Array
  readonly listen: readonly string[]
  readonly announce: readonly string[]
}): Promise<WakuHost> {
  if (options.seed.byteLength !== 32) throw new WakuError('bad-key', 'the seed of a Waku node has 32 bytes')
  for (const address of [...options.listen, ...options.announce]) {
    try {
      multiaddr(address)
    } catch (cause) {
      throw new WakuError('bad-address', `"${address}" is no multiaddr such as /ip4/0.0.0.0/tcp/4652/ws`, { cause })
    }
  }
  return createLibp2p({
    start: false,
    ...quietLogger(),
    nodeInfo: { userAgent: 'muster' },
    privateKey: await generateKeyPairFromSeed('Ed25519', options.seed),
    addresses: { listen: [...options.listen], appendAnnounce: [...options.announce] },
    transports: [tcp(), webSocketTransport()],
    connectionEncrypters: [noise()],
    // Stock light clients speak mplex only.
    streamMuxers: [thriftyYamux(), mplex({ disconnectThreshold: MPLEX_STREAMS_PER_SECOND_MAX })],
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      maxIncomingPendingConnections: CONNECTIONS_PENDING_MAX,
      inboundConnectionThreshold: CONNECTIONS_PER_SECOND_MAX,
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
      dialTimeout: 5_000,
      reconnectRetries: 0,
    },
    // A peer that hangs keeps its sockets open: only this notices. Each ping is a stream of its own and costs more than all
    // else on an idle node; nothing waits for it, since what is published asks for its own confirmation.
    connectionMonitor: { pingInterval: 15_000, pingTimeout: { minTimeout: 5_000, maxTimeout: 10_000 } },
    services: {
      identify: identify({ maxInboundStreams: 4 }),
      ping: ping({ maxInboundStreams: 8, maxOutboundStreams: 4 }),
      pubsub: relayService(),
      sockets,
    },
  })
}

/**
 * Starts it, or leaves nothing behind.
 *
 * Throws a `WakuError`: `port-in-use`, or `bad-address` when this host cannot listen there.
 */
export async function startHost(host: WakuHost): Promise<void> {
  try {
    await host.start()
    host.services.sockets.remember()
  } catch (cause) {
    await host.stop()
    const { address, code } = listenFailureOf(cause) ?? { address: '', code: reasonOf(cause) }
    if (code === 'EADDRINUSE') throw new WakuError('port-in-use', `${address} is in use by another program`, { cause })
    throw new WakuError('bad-address', `the Waku node cannot listen: ${address} ${code}`, { cause })
  }
}
