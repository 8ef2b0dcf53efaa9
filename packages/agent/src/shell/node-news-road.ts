/**
 * Tells the devices where the mesh can be reached, whenever that has changed.
 *
 * Each host tells what it knows; a device keeps what it is told. What was accepted is remembered on disk, so that a
 * restart repeats nothing.
 */
import { hashOf, recipientsOf, type State } from '@muster/protocol'
import type { Clock } from '../clock.ts'
import type { Sign } from '../identity/signer.ts'
import { type Log, reasonOf } from '../log.ts'
import { encodeNodeNews } from '../notices/node-news.ts'
import type { Store } from '../storage/index.ts'
import type { WakuNode } from '../waku/node.ts'
import { parsePublicKey, seal, type WakuKeyPair } from '../waku/seal.ts'
import { currentTopic } from '../waku/topics.ts'

/** A change is told when it has lasted this long: hosts join one after the other. Milliseconds. */
const SETTLE_MS = 3_000
/** After a refusal it is tried again this much later. Milliseconds. */
const RETRY_MS = 20_000
const PUBLISH_MS = 4_000
/** Under which key of the outbox it is remembered what a recipient was told: this and the recipient's id. */
export const NODE_NEWS_PREFIX = 'nodes/'

/** The road of one agent. */
export interface NodeNewsRoad {
  /** Looks whether there is anything to tell. Called every few seconds. */
  look(state: State, nodes: readonly string[]): Promise<void>
}

/** What the road needs. */
export interface NodeNewsDeps {
  readonly waku: () => WakuNode | null
  readonly meshWakuKey: WakuKeyPair
  readonly sign: Sign
  readonly certificate: Uint8Array
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Makes the road. */
export function createNodeNewsRoad(deps: NodeNewsDeps): NodeNewsRoad {
  const { waku, meshWakuKey, sign, certificate, store, clock, log, signal } = deps
  const memory = store.family('outbox')
  let seen = ''
  let dueAtMs = 0
  let isTelling = false

  async function tell(node: WakuNode, publicKey: Uint8Array, nodes: readonly string[]): Promise<boolean> {
    const key = parsePublicKey(publicKey)
    const content = encodeNodeNews(nodes, sign, certificate)
    const payload = await seal({ content, recipientPublicKey: key, signingKey: meshWakuKey.privateKey })
    const timestampMs = Math.round(clock.unixMs())
    const message = { contentTopic: currentTopic('notice', key, timestampMs), payload, timestampMs }
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PUBLISH_MS)])
    return (await node.publish(message, limit)).accepted
  }

  async function tellAll(node: WakuNode, state: State, nodes: readonly string[]): Promise<void> {
    const told = new TextEncoder().encode(hashOf(nodes))
    for (const { id, publicKey } of recipientsOf(state)) {
      const known = await memory.get(`${NODE_NEWS_PREFIX}${id}`)
      if (known !== undefined && Buffer.compare(known, told) === 0) continue
      if (await tell(node, publicKey, nodes)) await memory.put(`${NODE_NEWS_PREFIX}${id}`, told, { sync: false })
      else dueAtMs = clock.monotonicMs() + RETRY_MS
    }
  }

  return {
    async look(state, unsorted) {
      const node = waku()
      const nodes = [...unsorted].sort()
      const now = hashOf([nodes, recipientsOf(state).map(({ id }) => id)])
      if (now !== seen) {
        seen = now
        dueAtMs = clock.monotonicMs() + SETTLE_MS
      }
      if (node === null || nodes.length === 0 || isTelling || clock.monotonicMs() < dueAtMs) return
      isTelling = true
      dueAtMs = Number.POSITIVE_INFINITY
      try {
        await tellAll(node, state, nodes)
      } catch (error) {
        dueAtMs = clock.monotonicMs() + RETRY_MS
        log.debug('the devices could not be told of the nodes', { reason: reasonOf(error) })
      } finally {
        isTelling = false
      }
    },
  }
}
