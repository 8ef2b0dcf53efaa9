/**
 * Connections between virtual hosts, and the hints that cores get of them.
 *
 * A connection is made some time after both ends run and both directions work. Its end is noticed late, and not at
 * all when the link is back in time: a dead host's connection may look open for long. Hints, never evidence.
 */
import type { Prng } from '../prng.ts'
import type { Network } from './network.ts'

/** Keeps connections while links and hosts come and go. */
export interface Connections {
  /** Something changed between two hosts: dial when it is possible. */
  readonly dial: (a: number, b: number) => void
  readonly dialAll: (host: number) => void
  /** A link between two hosts no longer works, both ways or one. */
  readonly linkLost: (a: number, b: number) => void
  /** A process ended. `kill`: the kernel closes its sockets; `power`: nobody does. */
  readonly hostLost: (host: number, how: 'kill' | 'power') => void
  /** A process stopped answering, with its machine or without. */
  readonly hostStalled: (host: number) => void
}

interface Surroundings {
  readonly size: number
  readonly network: Network
  readonly chance: Prng
  readonly after: (delayMs: number, run: () => void) => void
  readonly isRunning: (host: number) => boolean
  readonly tell: (host: number, peer: number, connected: boolean) => void
}

/** Makes the connections of a world: none at first. */
export function createConnections(around: Surroundings): Connections {
  const { size, network, chance, after, isRunning, tell } = around
  // Numbers the connections of a pair, so that a late end of an old one says nothing about a new one.
  const numbers = new Int32Array(size * size)
  const pairOf = (a: number, b: number): number => Math.min(a, b) * size + Math.max(a, b)
  const works = (a: number, b: number): boolean => network.isUp(a, b) && network.isUp(b, a)

  const dial = (a: number, b: number): void => {
    if (a === b) return
    after(chance.chance(0.8) ? chance.int(20, 900) : chance.int(900, 3_000), () => {
      if (!isRunning(a) || !isRunning(b) || !works(a, b)) return
      if (network.isOpen(a, b)) return
      const pair = pairOf(a, b)
      numbers[pair] = (numbers[pair] ?? 0) + 1
      network.setOpen(a, b, true)
      tell(a, b, true)
      tell(b, a, true)
    })
  }
  const dialAll = (host: number): void => {
    for (let peer = 0; peer < size; peer += 1) dial(host, peer)
  }
  /** Tells one end, unless they have met anew by then. */
  const tellLate = (host: number, peer: number, delayMs: number): void => {
    const pair = pairOf(host, peer)
    const number = numbers[pair]
    after(delayMs, () => {
      if (numbers[pair] === number && !network.isOpen(host, peer)) tell(host, peer, false)
    })
  }
  const close = (a: number, b: number): void => {
    network.setOpen(a, b, false)
    tellLate(a, b, 0)
    tellLate(b, a, 0)
    // Whoever can will dial again: a peer book never gives up.
    dial(a, b)
  }
  /** The connection monitor's patience, then the end, unless all is well again by then. */
  const watch = (a: number, b: number, isStillLost: () => boolean): void => {
    const pair = pairOf(a, b)
    const number = numbers[pair]
    after(chance.int(6_000, 12_000), () => {
      if (numbers[pair] === number && network.isOpen(a, b) && isStillLost()) close(a, b)
    })
  }

  return {
    dial,
    dialAll,
    linkLost: (a, b) => {
      if (network.isOpen(a, b)) watch(a, b, () => !works(a, b))
    },
    hostLost: (host, how) => {
      for (let peer = 0; peer < size; peer += 1) {
        if (peer === host || !network.isOpen(host, peer)) continue
        network.setOpen(host, peer, false)
        if (how === 'kill' && network.isUp(host, peer)) tellLate(peer, host, chance.int(5, 15))
        else tellLate(peer, host, chance.chance(0.7) ? chance.int(6_000, 12_000) : chance.int(20_000, 90_000))
      }
    },
    hostStalled: (host) => {
      for (let peer = 0; peer < size; peer += 1) {
        if (peer !== host && network.isOpen(host, peer)) watch(host, peer, () => !isRunning(host))
      }
    },
  }
}
