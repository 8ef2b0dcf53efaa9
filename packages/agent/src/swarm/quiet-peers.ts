/**
 * Finds peers that hang. A stopped process still acknowledges TCP, so a connection to it looks well for hours: a peer of
 * whom nothing has come for a while is asked for an echo, and its connections are closed when that does not come.
 *
 * libp2p's own monitor asks on every connection, however much comes over it. Each echo is a stream of its own, and at ten
 * hosts they were half of all that an idle agent wrote.
 */
import type { HostId } from '@muster/protocol'
import type { SwarmNode } from './node.ts'
import type { SwarmDeps } from './swarm.ts'

/** A little more than the period of the usual class: who answers the roll is never asked. Milliseconds. */
const QUIET_MS = 12_000
const LOOK_EVERY_MS = 5_000
/** A machine that is busy for seconds is no dead one. Milliseconds. */
const ECHO_MS = 10_000

/** The watch over quiet peers. */
export interface QuietPeers {
  /** Watches the peers of a node until `life` ends. */
  begin(node: SwarmNode, life: AbortSignal): void
}

/** Makes the watch. `heardMs` tells when a frame of a peer last came, monotonic; undefined when none ever did. */
export function createQuietPeers(
  heardMs: (peer: HostId) => number | undefined,
  { clock, log }: Pick<SwarmDeps, 'clock' | 'log'>,
): QuietPeers {
  async function ask(node: SwarmNode, peer: HostId, life: AbortSignal): Promise<void> {
    const connections = node.getConnections().filter(({ remotePeer }) => remotePeer.toString() === peer)
    const [first] = connections
    if (first === undefined) return
    try {
      await node.services.ping.ping(first.remotePeer, { signal: AbortSignal.any([life, AbortSignal.timeout(ECHO_MS)]) })
    } catch (error) {
      if (life.aborted) return
      log.debug('peer does not answer', { host: peer })
      const reason = error instanceof Error ? error : new Error(String(error))
      for (const connection of connections) connection.abort(reason)
    }
  }

  return {
    begin(node, life) {
      const asked = new Set<HostId>()
      /** When a peer was first seen or last answered: a newcomer has its time as well. */
      const fineMs = new Map<HostId, number>()
      const look = (): void => {
        const nowMs = clock.monotonicMs()
        const peers = new Set(node.getConnections().map(({ remotePeer }) => remotePeer.toString()))
        for (const peer of fineMs.keys()) if (!peers.has(peer)) fineMs.delete(peer)
        for (const peer of peers) {
          const sinceMs = Math.max(heardMs(peer) ?? Number.NEGATIVE_INFINITY, fineMs.get(peer) ?? nowMs)
          fineMs.set(peer, sinceMs)
          if (nowMs - sinceMs < QUIET_MS || asked.has(peer)) continue
          asked.add(peer)
          void ask(node, peer, life).finally(() => {
            asked.delete(peer)
            fineMs.set(peer, clock.monotonicMs())
          })
        }
      }
      const timer = setInterval(look, LOOK_EVERY_MS)
      life.addEventListener('abort', () => clearInterval(timer), { once: true })
    },
  }
}
