/** What this machine's network looks like, as far as the agent cares. */
import { networkInterfaces } from 'node:os'

/** Whether an address (multiaddr text) can only be reached from this machine. */
export function isLoopbackAddress(address: string): boolean {
  return /^\/(ip4\/127\.|ip6\/::1\/|dns[46]?\/localhost\/)/.test(address)
}

/** Whether all addresses lie on loopback: then the mesh lives on this machine, and no route is needed. */
export function areLoopback(addresses: readonly string[]): boolean {
  return addresses.length > 0 && addresses.every(isLoopbackAddress)
}

/** One look at this machine's network interfaces. */
export interface Network {
  /** Whether there is an address that is not loopback. */
  readonly hasRoute: boolean
  /** All addresses as a text: it changes when one comes or goes. */
  readonly text: string
}

/** Looks at the interfaces. Cheap (some 0.1 ms) beside what libp2p does to name its addresses. */
export function readNetwork(): Network {
  const addresses = Object.values(networkInterfaces()).flatMap((known) => known ?? [])
  return { hasRoute: addresses.some(({ internal }) => !internal), text: addresses.map(({ cidr }) => cidr).join(' ') }
}

/** How long addresses are believed while the interfaces stay the same: a relay may add one at any time. */
const ADDRESSES_FRESH_MS = 6_000

/**
 * Remembers the list that `look` gives, until the network or its `owner` (a part that may have been made anew) is
 * another, and for six seconds at most.
 */
export function rememberAddresses(
  look: () => readonly string[],
  monotonicMs: () => number,
): (network: Network, owner?: unknown) => readonly string[] {
  let known: { text: string; owner: unknown; atMs: number; addresses: readonly string[] } | undefined
  return ({ text }, owner) => {
    const nowMs = monotonicMs()
    if (known?.text !== text || known.owner !== owner || nowMs - known.atMs >= ADDRESSES_FRESH_MS) {
      known = { text, owner, atMs: nowMs, addresses: look() }
    }
    return known.addresses
  }
}

/** The addresses worth telling others: those off this machine, or the loopback ones when there is nothing else. */
export function worthTelling(addresses: readonly string[]): readonly string[] {
  const far = addresses.filter((address) => !isLoopbackAddress(address))
  return [...(far.length > 0 ? far : addresses)].sort().slice(0, ADDRESSES_MAX)
}

/** Addresses that one member announces. */
const ADDRESSES_MAX = 16
