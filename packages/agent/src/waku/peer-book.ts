/**
 * The peers that a node wants to be connected to, redialled for ever.
 *
 * libp2p's own keep-alive gives up after five tries. Here each peer has a loop: dial, wait while connected, pause with a
 * doubling, jittered delay, dial again. Of two nodes that want each other the one with the lower id dials first.
 */
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { ADDRESSES_PER_PEER_MAX, PEERS_MAX, REDIAL_MAX_MS, REDIAL_MIN_MS } from './limits.ts'
import { reasonOf, sleep, type WakuClock, type WakuLog } from './ports.ts'

/** What the book needs of the network. */
export interface Dialer {
  readonly selfId: string
  /** Connects to one peer at any of its addresses; gives its id. */
  dial(addresses: readonly Multiaddr[], signal: AbortSignal): Promise<string>
  isConnected(peer: string): boolean
}

/** A book of peers. */
export interface PeerBook {
  /**
   * Replaces the list. Addresses of one peer id are one peer.
   *
   * They come from other members too, so what is no address, and what is too much, is left out and logged once.
   */
  set(addresses: readonly string[]): void
  /** True for a peer of the list, once its id is known. */
  has(peer: string): boolean
  /** Dials everybody who is not connected at once, and starts the pauses anew: after a resume or a change of network. */
  redialNow(): void
  /** Tells the book that a peer has gone. */
  disconnected(peer: string): void
  stop(): Promise<void>
}

/** A connection that ends sooner than this counts as a failed dial, in milliseconds: refusals come after the handshake. */
const SETTLED_MS = 5_000
/** Head start of the lower id, in milliseconds. */
const HEAD_START_MS = 400

interface Entry {
  readonly addresses: readonly Multiaddr[]
  readonly stopping: AbortController
  peer: string | undefined
  /** Ends the pause that the loop is in. */
  wake: () => void
  /** True while the loop waits for the connection to end; only then does an ended connection wake it. */
  isSatisfied: boolean
  attempt: number
  finished: Promise<void>
}

/** Makes a book; it dials as soon as it has peers. `random` gives numbers in [0, 1). */
export function createPeerBook(
  dialer: Dialer,
  deps: { readonly clock: WakuClock; readonly log: WakuLog; readonly random: () => number },
): PeerBook {
  const entries = new Map<string, Entry>()
  const leftOut = new Set<string>()

  const pause = async (entry: Entry, delayMs: number): Promise<void> => {
    const woken = new AbortController()
    entry.wake = () => woken.abort(new Error('woken'))
    await sleep(delayMs, AbortSignal.any([woken.signal, entry.stopping.signal])).catch(() => undefined)
  }

  const stayConnected = async (entry: Entry, peer: string): Promise<void> => {
    entry.isSatisfied = true
    while (!entry.stopping.signal.aborted && dialer.isConnected(peer)) await pause(entry, REDIAL_MAX_MS)
    entry.isSatisfied = false
  }

  const keepConnected = async (key: string, entry: Entry): Promise<void> => {
    const { signal } = entry.stopping
    if (entry.peer !== undefined && dialer.selfId > entry.peer) await pause(entry, HEAD_START_MS)
    while (!signal.aborted) {
      const startedMs = deps.clock.monotonicMs()
      try {
        // The other side may have dialled first.
        if (entry.peer === undefined || !dialer.isConnected(entry.peer)) {
          entry.peer = await dialer.dial(entry.addresses, signal)
          deps.log.debug('connected to a Waku peer', { peer: entry.peer })
        }
        await stayConnected(entry, entry.peer)
        if (deps.clock.monotonicMs() - startedMs > SETTLED_MS) entry.attempt = 0
      } catch (cause) {
        if (signal.aborted) return
        // Said once per outage: the book tries for ever.
        if (entry.attempt === 0)
          deps.log.info('a Waku peer cannot be reached', { address: key, reason: reasonOf(cause) })
      }
      const longestMs = Math.min(REDIAL_MAX_MS, REDIAL_MIN_MS * 2 ** Math.min(entry.attempt, 16))
      entry.attempt += 1
      await pause(entry, longestMs * (0.5 + deps.random() / 2))
    }
  }

  return {
    set(addresses) {
      const wanted = groupByPeer(addresses, dialer.selfId, (address) => {
        if (leftOut.size < PEERS_MAX && !leftOut.has(address)) {
          deps.log.warn('a Waku peer is left out: no multiaddr, or one too many', { address: address.slice(0, 200) })
          leftOut.add(address)
        }
      })
      for (const [key, entry] of entries) {
        if (wanted.has(key)) continue
        entry.stopping.abort(new Error('no longer wanted'))
        entries.delete(key)
      }
      for (const [key, peerAddresses] of wanted) {
        const known = entries.get(key)
        if (known !== undefined && sameAddresses(known.addresses, peerAddresses)) continue
        known?.stopping.abort(new Error('has new addresses'))
        const entry: Entry = {
          addresses: peerAddresses,
          stopping: new AbortController(),
          peer: peerAddresses[0] === undefined ? undefined : peerOf(peerAddresses[0]),
          wake: () => undefined,
          isSatisfied: false,
          attempt: 0,
          finished: Promise.resolve(),
        }
        entries.set(key, entry)
        entry.finished = keepConnected(key, entry)
      }
    },
    has: (peer) => [...entries.values()].some((entry) => entry.peer === peer),
    redialNow() {
      for (const entry of entries.values()) {
        entry.attempt = 0
        entry.wake()
      }
    },
    disconnected(peer) {
      for (const entry of entries.values()) if (entry.peer === peer && entry.isSatisfied) entry.wake()
    },
    async stop() {
      const all = [...entries.values()]
      entries.clear()
      for (const entry of all) entry.stopping.abort(new Error('stopping'))
      await Promise.all(all.map((entry) => entry.finished))
    },
  }
}

/** The peer id in an address, or `undefined`. */
export function peerOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast((component) => component.name === 'p2p')?.value
}

/** Groups addresses by peer; an address without an id is a peer of its own. `leaveOut` is told of each that is of no use. */
function groupByPeer(
  addresses: readonly string[],
  selfId: string,
  leaveOut: (address: string) => void,
): Map<string, Multiaddr[]> {
  const groups = new Map<string, Multiaddr[]>()
  for (const text of addresses) {
    const address = readAddress(text)
    const key = address === undefined ? undefined : (peerOf(address) ?? text)
    if (key === selfId) continue
    const isFull = groups.size >= PEERS_MAX && key !== undefined && !groups.has(key)
    if (address === undefined || key === undefined || isFull) {
      leaveOut(text)
      continue
    }
    const group = groups.get(key) ?? []
    if (group.length < ADDRESSES_PER_PEER_MAX && !group.some((known) => known.equals(address))) group.push(address)
    groups.set(key, group)
  }
  return groups
}

function readAddress(text: string): Multiaddr | undefined {
  try {
    const address = multiaddr(text)
    const peer = peerOf(address)
    if (peer !== undefined) peerIdFromString(peer)
    return address
  } catch {
    return undefined
  }
}

function sameAddresses(a: readonly Multiaddr[], b: readonly Multiaddr[]): boolean {
  return a.length === b.length && a.every((address) => b.some((other) => other.equals(address)))
}
