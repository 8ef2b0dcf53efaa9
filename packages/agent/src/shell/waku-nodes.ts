/** Where a device can reach the mesh. */
import { hasLeft, meshRecords, type State } from '@muster/protocol'
import type { Config } from '../config/load.ts'
import type { WakuNode } from '../waku/node.ts'
import { worthTelling } from './network-facts.ts'

/**
 * Waku addresses of the mesh, this host's own first, then its members', then those of the config. Only WebSocket ones:
 * the stock client takes no others.
 */
export function wakuNodesOf(state: State, node: WakuNode | null, { waku }: Config): readonly string[] {
  const own = waku.serve ? worthTelling(node?.multiaddrs() ?? []) : []
  const others = meshRecords(state, 'member')
    .filter(({ signer }) => signer !== state.options.self && !hasLeft(state.members.get(signer)?.state))
    .flatMap(({ body }) => body.wakuAddresses)
  return [...new Set([...own, ...others, ...waku.nodes])].filter((address) => /\/wss?(\/|$)/.test(address))
}
