/**
 * The network between virtual hosts.
 *
 * Each direction of each link is up or cut; what crosses it takes a drawn time, and may be lost, repeated or overtaken
 * while such a fault is on. A connection stands on a link: it is made some time after both directions work, and each
 * end learns of its end late, or never when the link is back before. Gossip floods over connections.
 */
import type { Prng } from '../prng.ts'

/** A disturbance of all links while it is on. Probabilities, and milliseconds at most. */
export interface Noise {
  readonly loss: number
  readonly duplication: number
  readonly spikeMs: number
  readonly reorderMs: number
}

/** The state of all links. Hosts are numbers from 0. */
export interface Network {
  /** Cuts one direction once more, or takes one cut away. Returns true when the direction's state changed. */
  readonly cut: (from: number, to: number, by: 1 | -1) => boolean
  readonly isUp: (from: number, to: number) => boolean
  readonly setOpen: (a: number, b: number, open: boolean) => void
  readonly isOpen: (a: number, b: number) => boolean
  readonly addNoise: (noise: Noise) => void
  readonly removeNoise: (noise: Noise) => void
  readonly isNoisy: () => boolean
  /** When something sent now arrives: no time when it is lost, two when it is repeated. Ignores cuts. */
  readonly arrivals: (from: number, to: number, nowMs: number) => number[]
  /** All that a host sends or is sent takes so much longer from now on (shorter, when negative). */
  readonly slow: (host: number, byMs: number) => void
  /** One draw of a link's latency, without loss, milliseconds. */
  readonly latencyMs: (from: number, to: number) => number
  /** Floods from a host over open, working links through hosts that forward: who hears it from whom, and when. */
  readonly flood: (origin: number, nowMs: number, forwards: (host: number, from: number) => boolean) => Heard[]
}

/** One arrival of flooded gossip. */
export interface Heard {
  readonly host: number
  readonly from: number
  readonly atMs: number
}

/** Makes a network of `size` hosts in which all links work and no connection stands. */
export function createNetwork(size: number, chance: Prng): Network {
  const cuts = new Uint8Array(size * size)
  const open = new Uint8Array(size * size)
  const baseMs = Array.from({ length: size * size }, () =>
    chance.chance(0.7) ? chance.int(1, 15) : chance.int(15, 80),
  )
  const lastMs = new Float64Array(size * size)
  const slowMs = new Float64Array(size)
  const noises: Noise[] = []
  let loss = 0
  let duplication = 0
  let spikeMs = 0
  let reorderMs = 0
  const sum = (): void => {
    loss = 1 - noises.reduce((kept, noise) => kept * (1 - noise.loss), 1)
    duplication = Math.max(0, ...noises.map((noise) => noise.duplication))
    spikeMs = Math.max(0, ...noises.map((noise) => noise.spikeMs))
    reorderMs = Math.max(0, ...noises.map((noise) => noise.reorderMs))
  }

  const latencyMs = (from: number, to: number): number => {
    const base = baseMs[from * size + to] ?? 1
    const spike = spikeMs > 0 && chance.chance(0.1) ? chance.int(0, spikeMs) : 0
    const slowedMs = (slowMs[from] ?? 0) + (slowMs[to] ?? 0)
    return base + Math.floor(chance.next() * (base + 4)) + spike + slowedMs
  }
  const arrivals = (from: number, to: number, nowMs: number): number[] => {
    if (loss > 0 && chance.chance(loss)) return []
    const link = from * size + to
    const atMs = nowMs + latencyMs(from, to)
    // A stream keeps its order, unless reordering is on (several streams, several roads).
    const ordered = reorderMs > 0 ? atMs + chance.int(0, reorderMs) : Math.max(atMs, lastMs[link] ?? 0)
    if (reorderMs === 0) lastMs[link] = ordered
    if (duplication > 0 && chance.chance(duplication)) return [ordered, ordered + chance.int(1, 3000)]
    return [ordered]
  }

  const isUp = (from: number, to: number): boolean => cuts[from * size + to] === 0
  const isOpen = (a: number, b: number): boolean => open[a * size + b] === 1

  // Of one flood at a time, for there are hundreds in a run.
  const bestMs = new Float64Array(size)
  const via = new Int32Array(size)
  const done = new Uint8Array(size)
  const flood = (origin: number, nowMs: number, forwards: (host: number, from: number) => boolean): Heard[] => {
    bestMs.fill(Number.POSITIVE_INFINITY)
    via.fill(-1)
    done.fill(0)
    bestMs[origin] = nowMs
    const heard: Heard[] = []
    for (;;) {
      let next = -1
      let nextMs = Number.POSITIVE_INFINITY
      for (let host = 0; host < size; host += 1) {
        const atMs = bestMs[host] ?? nextMs
        if (done[host] === 0 && atMs < nextMs) {
          next = host
          nextMs = atMs
        }
      }
      if (next < 0) return heard
      done[next] = 1
      if (next !== origin) heard.push({ host: next, from: via[next] ?? origin, atMs: nextMs })
      if (next !== origin && !forwards(next, via[next] ?? origin)) continue
      for (let to = 0; to < size; to += 1) {
        if (done[to] === 1 || !isOpen(next, to) || !isUp(next, to)) continue
        if (loss > 0 && chance.chance(loss)) continue
        const atMs = nextMs + latencyMs(next, to) + (reorderMs > 0 ? chance.int(0, reorderMs) : 0)
        if (atMs < (bestMs[to] ?? 0)) {
          bestMs[to] = atMs
          via[to] = next
        }
      }
    }
  }

  return {
    cut: (from, to, by) => {
      const link = from * size + to
      const was = cuts[link] ?? 0
      cuts[link] = was + by
      return was === 0 || was + by === 0
    },
    isUp,
    setOpen: (a, b, isNowOpen) => {
      open[a * size + b] = isNowOpen ? 1 : 0
      open[b * size + a] = isNowOpen ? 1 : 0
    },
    isOpen,
    addNoise: (noise) => {
      noises.push(noise)
      sum()
    },
    removeNoise: (noise) => {
      const index = noises.indexOf(noise)
      if (index >= 0) noises.splice(index, 1)
      sum()
    },
    isNoisy: () => noises.length > 0,
    slow: (host, byMs) => {
      slowMs[host] = (slowMs[host] ?? 0) + byMs
    },
    arrivals,
    latencyMs,
    flood,
  }
}
