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

/** Whether this machine has an address that is not loopback. */
export function hasRoute(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal) ?? false)
}

/** The addresses worth telling others: those off this machine, or the loopback ones when there is nothing else. */
export function worthTelling(addresses: readonly string[]): readonly string[] {
  const far = addresses.filter((address) => !isLoopbackAddress(address))
  return [...(far.length > 0 ? far : addresses)].sort().slice(0, ADDRESSES_MAX)
}

/** Addresses that one member announces. */
const ADDRESSES_MAX = 16
