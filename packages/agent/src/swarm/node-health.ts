/**
 * Whether a libp2p node that was started still works: it tells nobody when it stops, when a socket no longer listens, or
 * when gossipsub has ended.
 *
 * A wildcard address has no addresses to show while the machine has no network, which is no fault of the node; so the
 * sockets themselves are looked at.
 */
import type { Libp2p, Listener } from '@libp2p/interface'

/** What a node listens with, as a libp2p service: it does not show that by itself. */
export interface Sockets {
  /** Remembers what listens now. Called once the node has started: not every address must have come about (IPv6). */
  remember(): void
  /** The first address that was listened on and is no longer. */
  lost(): string | undefined
  /** Closes them, with the connections that came in by them: for a node that hangs in its stop. */
  close(): Promise<unknown>
}

/** What the service needs of libp2p. */
interface Components {
  readonly transportManager: { getListeners(): Listener[] }
}

/** A listener, with what TCP and WebSocket keep to themselves: Node's server. */
type WithServer = Listener & { readonly server?: { readonly listening: boolean } }

/** The service of a node. */
export function sockets({ transportManager }: Components): Sockets {
  let remembered: readonly { readonly listener: WithServer; readonly address: string }[] = []
  return {
    remember() {
      remembered = transportManager
        .getListeners()
        .filter((listener: WithServer) => listener.server?.listening === true)
        .map((listener) => ({ listener, address: listener.getAddrs()[0]?.toString() ?? 'an address' }))
    },
    close: () => Promise.allSettled(transportManager.getListeners().map((listener) => listener.close())),
    lost: () => remembered.find(({ listener }) => listener.server?.listening !== true)?.address,
  }
}

/** Why the node no longer works, in one line; null while it does. `gossip` must take part in `topic`. */
export function nodeTrouble(
  node: Pick<Libp2p<{ sockets: Sockets }>, 'status' | 'services'>,
  gossip: { getTopics(): string[] },
  topic: string,
): string | null {
  if (node.status !== 'started') return 'its libp2p node has stopped'
  const address = node.services.sockets.lost()
  if (address !== undefined) return `it no longer listens on ${address}`
  // Gossipsub leaves its topics when it stops.
  return gossip.getTopics().includes(topic) ? null : 'gossip has stopped'
}
