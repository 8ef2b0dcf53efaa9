/**
 * Who is connected to whom in a large mesh, and gossipsub's own mesh on top of that.
 *
 * Connections: up to the size of the agent's peer book everybody is connected to everybody, as its dialler has it. Above,
 * each host is connected to those that it watches and that watch it, which is what standing heartbeat streams need.
 * Gossip mesh: D = 3, Dlo = 2, Dhi = 4 among connected hosts. A copy goes to each mesh peer but the one that it came from
 * and those whose IDONTWANT was there first; of the rest of the connected one learns of it by IHAVE each second, and
 * who has not got it by then asks for one copy more.
 */
import type { Prng } from '../prng.ts'
import { createOrder } from './order.ts'

/** The agent's peer book (`PEER_BOOK_MAX` of its swarm) with this host: up to here a mesh is fully connected. */
const FULL_UP_TO = 257
/** How many peers a host has in gossipsub's mesh, as the agent sets it. Source: packages/agent/src/swarm/node.ts. */
export const D = 3
const D_LOW = 2
const D_HIGH = 4
/** So many others hear by IHAVE, once in so long. The first as the agent sets it, the second gossipsub's default. */
const LAZY = 1
const GOSSIP_BEAT_MS = 1_000
/** From its receipt to its first copy onwards: signatures are checked before a frame is passed on. */
const FORWARD_MS = 3
/** `idontwantMinDataSize`, as the agent sets it. */
const DO_NOT_WANT_BYTES = 2_048

/** One host that a message reached. */
export interface Reached {
  readonly host: number
  readonly from: number
  readonly atMs: number
}

/** How a message went round: who got it, and what each host sent for that. */
export interface Spread {
  readonly reached: readonly Reached[]
  /** By host: copies of the message, IDONTWANTs, and answers and questions of gossip (IWANT). */
  readonly copies: Uint16Array
  readonly refusals: Uint16Array
  readonly wants: Uint16Array
}

/** The connections of a mesh. */
export interface Overlay {
  readonly isConnected: (a: number, b: number) => boolean
  readonly peersOf: (host: number) => ReadonlySet<number>
  /** Connects two; false when they were. */
  readonly connect: (a: number, b: number) => boolean
  /** Takes a host's connections away, and has the others fill their gossip meshes. Returns whom it was connected to. */
  readonly disconnect: (host: number) => readonly number[]
  /** Fills every gossip mesh that has fewer than `least` peers: D at first, Dlo when some have gone. */
  readonly graft: (least?: number) => void
  readonly latencyMs: (from: number, to: number) => number
  /** How many others a host tells of what it has, each second. */
  readonly lazyPeers: (host: number) => number
  /** Sends a message of `bytes` round from a host. `isUp` tells who takes part. */
  readonly spread: (origin: number, nowMs: number, bytes: number, isUp: (host: number) => boolean) => Spread
}

/** Makes the overlay of `size` hosts: fully connected when they are few enough, else not at all yet. */
export function createOverlay(size: number, chance: Prng): Overlay {
  const peers = Array.from({ length: size }, () => new Set<number>())
  const grafted = Array.from({ length: size }, () => new Set<number>())
  const baseMs = Uint8Array.from({ length: size * size }, () =>
    chance.chance(0.7) ? chance.int(1, 15) : chance.int(15, 80),
  )
  const beatPhaseMs = Uint16Array.from({ length: size }, () => chance.int(0, GOSSIP_BEAT_MS - 1))
  const latencyMs = (from: number, to: number): number => baseMs[Math.min(from, to) * size + Math.max(from, to)] ?? 1
  const connect = (a: number, b: number): boolean => {
    if (a === b || peers[a]?.has(b) === true) return false
    peers[a]?.add(b)
    peers[b]?.add(a)
    return true
  }
  if (size <= FULL_UP_TO) {
    for (let a = 0; a < size; a += 1) for (let b = a + 1; b < size; b += 1) connect(a, b)
  }

  /** Grafts up to D where there are fewer than `least`; those already at Dhi are asked only when nobody else is left. */
  const fill = (least: number): void => {
    for (const host of chance.sample([...peers.keys()], size)) {
      const mine = grafted[host]
      if (mine === undefined || mine.size >= least) continue
      const others = chance.sample(
        [...(peers[host] ?? [])].filter((peer) => !mine.has(peer)),
        size,
      )
      const room = (peer: number): number => ((grafted[peer]?.size ?? 0) < D_HIGH ? 0 : 1)
      for (const peer of others.toSorted((a, b) => room(a) - room(b))) {
        if (mine.size >= D) break
        mine.add(peer)
        grafted[peer]?.add(host)
      }
    }
  }
  const { spreadOver } = createSpreader(size, grafted, peers, latencyMs, beatPhaseMs, chance)

  return {
    isConnected: (a, b) => peers[a]?.has(b) === true,
    peersOf: (host) => peers[host] ?? new Set(),
    connect,
    disconnect: (host) => {
      const were = [...(peers[host] ?? [])]
      for (const peer of were) {
        peers[peer]?.delete(host)
        grafted[peer]?.delete(host)
      }
      peers[host]?.clear()
      grafted[host]?.clear()
      return were
    },
    graft: (least = D_LOW) => fill(least),
    latencyMs,
    lazyPeers: (host) => lazyOf((peers[host]?.size ?? 0) - (grafted[host]?.size ?? 0)),
    spread: spreadOver,
  }
}

/** How many of so many connected hosts outside of the gossip mesh are sent an IHAVE. */
export function lazyOf(candidates: number): number {
  return Math.min(candidates, LAZY)
}

function createSpreader(
  size: number,
  grafted: readonly ReadonlySet<number>[],
  peers: readonly ReadonlySet<number>[],
  latencyMs: (from: number, to: number) => number,
  beatPhaseMs: Uint16Array,
  chance: Prng,
): { readonly spreadOver: Overlay['spread'] } {
  const reachedMs = new Float64Array(size)
  const via = new Int32Array(size)
  const isDone = new Uint8Array(size)

  /** Copies asked for by IWANT: at a host's next beat some lazy peers hear of the message before it has come to them. */
  const tellLazy = (reached: readonly Reached[], spread: Spread): void => {
    for (const { host, atMs } of reached) {
      const candidates = [...(peers[host] ?? [])].filter((peer) => grafted[host]?.has(peer) !== true)
      const waitMs = (GOSSIP_BEAT_MS + (beatPhaseMs[host] ?? 0) - (atMs % GOSSIP_BEAT_MS)) % GOSSIP_BEAT_MS
      for (let told = 0; told < lazyOf(candidates.length); told += 1) {
        const peer = chance.pick(candidates)
        if (isDone[peer] === 0 || (reachedMs[peer] ?? 0) <= atMs + waitMs + latencyMs(host, peer)) continue
        spread.wants[peer] = (spread.wants[peer] ?? 0) + 1
        spread.copies[host] = (spread.copies[host] ?? 0) + 1
      }
    }
  }

  const spreadOver: Overlay['spread'] = (origin, nowMs, bytes, isUp) => {
    reachedMs.fill(Number.POSITIVE_INFINITY)
    via.fill(-1)
    isDone.fill(0)
    reachedMs[origin] = nowMs
    const reached: Reached[] = []
    const spread: Spread = {
      reached,
      copies: new Uint16Array(size),
      refusals: new Uint16Array(size),
      wants: new Uint16Array(size),
    }
    const order = createOrder()
    order.add(nowMs, origin)
    for (let host = order.take(); host !== undefined; host = order.take()) {
      if (isDone[host] === 1) continue
      isDone[host] = 1
      const atMs = reachedMs[host] ?? nowMs
      const from = via[host] ?? -1
      if (host !== origin) reached.push({ host, from, atMs })
      const sentMs = host === origin ? nowMs : atMs + FORWARD_MS
      for (const peer of grafted[host] ?? []) {
        if (peer === from) continue
        if (host !== origin && bytes >= DO_NOT_WANT_BYTES) spread.refusals[host] = (spread.refusals[host] ?? 0) + 1
        const hopMs = latencyMs(host, peer)
        const refusedMs =
          isDone[peer] === 1 && peer !== origin ? (reachedMs[peer] ?? 0) + hopMs : Number.POSITIVE_INFINITY
        if (bytes >= DO_NOT_WANT_BYTES && refusedMs <= sentMs) continue
        spread.copies[host] = (spread.copies[host] ?? 0) + 1
        if (sentMs + hopMs >= (reachedMs[peer] ?? 0) || !isUp(peer)) continue
        reachedMs[peer] = sentMs + hopMs
        via[peer] = host
        order.add(sentMs + hopMs, peer)
      }
    }
    tellLazy(reached, spread)
    return spread
  }
  return { spreadOver }
}
