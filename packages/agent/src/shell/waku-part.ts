/** The Waku node as a part under the supervisor: made anew at each start, for a libp2p node that failed is not reused. */
import { hkdfSync } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Config } from '../config/load.ts'
import { listenError } from '../listen-error.ts'
import type { Log } from '../log.ts'
import type { FallbackStore, Store } from '../storage/index.ts'
import type { Part } from '../supervisor.ts'
import { listenFailureOf } from '../swarm/listen-failure.ts'
import type { Kv } from '../waku/kv.ts'
import { openMessageStore } from '../waku/message-store.ts'
import { createWakuNode, type WakuNode } from '../waku/node.ts'

/**
 * Makes the part. `use` is told of the node that runs, and of null when none does. A start throws a `ConfigError` when an
 * address of `waku.listen` cannot be listened on.
 */
export function wakuPart(deps: {
  readonly config: () => Config
  /** The path of the config, to name in an error. */
  readonly configFile: string
  readonly hostSeed: Uint8Array
  readonly store: Pick<FallbackStore, 'family' | 'readBack'>
  readonly clock: Clock
  readonly log: Log
  readonly use: (node: WakuNode | null) => void
}): Part {
  const { config, store, clock, log, use } = deps
  // A seed of its own, so that the two nodes of a host are not one identity, and the address in a link stays valid.
  const seed = new Uint8Array(hkdfSync('sha256', deps.hostSeed, '', 'muster waku node', 32))
  let node: WakuNode | null = null
  let run = 0
  return {
    name: 'waku',
    async start() {
      run += 1
      const mine = run
      const { serve, listen, nodes } = config().waku
      const messages = await store.readBack(() => openMessageStore(kvOf(store), { clock, log }))
      const made = await createWakuNode(
        { seed, listen: serve ? listen : [], peers: nodes },
        { store: messages, clock, log },
      )
      try {
        await made.start()
      } catch (error) {
        await made.stop()
        const failure = listenFailureOf(error)
        throw failure === undefined ? error : listenError('waku.listen', failure, deps.configFile, error)
      }
      if (run !== mine) {
        // Stopped meanwhile: nobody would ever end it, and the next start would find its port in use.
        await made.stop()
        throw new Error('it was stopped while it started')
      }
      node = made
      use(made)
    },
    async stop() {
      run += 1
      const ending = node
      node = null
      use(null)
      await ending?.stop()
    },
    health: () => node?.health() ?? null,
  }
}

/** The store's family of Waku messages as the message store wants it. Messages are many and not worth an fsync each. */
function kvOf(store: Pick<Store, 'family'>): Kv {
  const family = store.family('waku-messages')
  return {
    get: (key) => family.get(key),
    put: (key, value) => family.put(key, value, { sync: false }),
    del: (key) => family.del(key, { sync: false }),
    iterate: (range) => family.iterate(range),
  }
}
