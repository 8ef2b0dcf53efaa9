/** The Waku node as a part under the supervisor: made anew at each start, for a libp2p node that failed is not reused. */
import { hkdfSync } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Config } from '../config/load.ts'
import type { Log } from '../log.ts'
import type { Store } from '../storage/index.ts'
import type { Part } from '../supervisor.ts'
import type { Kv } from '../waku/kv.ts'
import { openMessageStore } from '../waku/message-store.ts'
import { createWakuNode, type WakuNode } from '../waku/node.ts'

/** Makes the part. `use` is told of the node that runs, and of null when none does. */
export function wakuPart(deps: {
  readonly config: () => Config
  readonly hostSeed: Uint8Array
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly use: (node: WakuNode | null) => void
}): Part {
  const { config, store, clock, log, use } = deps
  // A seed of its own, so that the two nodes of a host are not one identity, and the address in a link stays valid.
  const seed = new Uint8Array(hkdfSync('sha256', deps.hostSeed, '', 'muster waku node', 32))
  let node: WakuNode | null = null
  return {
    name: 'waku',
    async start() {
      const { serve, listen, nodes } = config().waku
      const messages = await openMessageStore(kvOf(store), { clock, log })
      const made = await createWakuNode(
        { seed, listen: serve ? listen : [], peers: nodes },
        { store: messages, clock, log },
      )
      await made.start()
      node = made
      use(made)
    },
    async stop() {
      use(null)
      await node?.stop()
      node = null
    },
  }
}

/** The store's family of Waku messages as the message store wants it. Messages are many and not worth an fsync each. */
function kvOf(store: Store): Kv {
  const family = store.family('waku-messages')
  return {
    get: (key) => family.get(key),
    put: (key, value) => family.put(key, value, { sync: false }),
    del: (key) => family.del(key, { sync: false }),
    iterate: (range) => family.iterate(range),
  }
}
