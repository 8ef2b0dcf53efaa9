/**
 * Listening through a relay: an address like `/dns4/vps/tcp/4650/p2p/<relay>/p2p-circuit`, for hosts that nobody can
 * dial.
 *
 * libp2p reserves a place once and not again after the relay restarted, and a start would wait for a relay that is
 * away. So these addresses are kept apart: each is listened on while its relay is connected, as often as needed.
 */
import type { HostId } from '@muster/protocol'
import type { Door } from './door.ts'
import { RELAY_LISTEN_EVERY_MS } from './limits.ts'
import type { SwarmDeps } from './swarm.ts'

/** Keeps the places at relays. */
export interface RelayListener {
  /** Begins, with the running node's way to listen and its addresses. */
  begin(listen: (address: string) => Promise<void>, addresses: () => string[]): void
  end(): void
  /** A member is connected: perhaps a relay of ours. */
  onUp(host: HostId): void
}

/** Sorts the addresses to listen on: at once, and through relays. */
export function splitListen(listen: readonly string[]): { own: string[]; relayed: string[] } {
  const isRelayed = (address: string): boolean => address.includes('/p2p-circuit')
  return { own: listen.filter((address) => !isRelayed(address)), relayed: listen.filter(isRelayed) }
}

/** A listener that has not begun. `relayed`: addresses that end in `/p2p/<relay>/p2p-circuit`. */
export function createRelayListener(relayed: readonly string[], door: Door, { log }: SwarmDeps): RelayListener {
  const places = relayed.map((address) => ({
    address,
    relay: /\/p2p\/([^/]+)\/p2p-circuit/.exec(address)?.[1],
    isBusy: false,
  }))
  let listen: ((address: string) => Promise<void>) | undefined
  let addresses: () => string[] = () => []
  let timer: NodeJS.Timeout | undefined

  const keep = (): void => {
    for (const place of places) {
      const { relay, address } = place
      if (listen === undefined || relay === undefined || place.isBusy || door.connectionTo(relay) === undefined)
        continue
      if (addresses().some((known) => known.includes(`/p2p/${relay}/p2p-circuit`))) continue
      place.isBusy = true
      listen(address)
        .then(
          () => log.info('listening through a relay', { address }),
          (error: unknown) => log.debug('no place at the relay', { address, error: String(error) }),
        )
        .finally(() => {
          place.isBusy = false
        })
    }
  }

  return {
    begin(listenOn, known) {
      if (places.length === 0) return
      for (const place of places) place.isBusy = false
      listen = listenOn
      addresses = known
      timer = setInterval(keep, RELAY_LISTEN_EVERY_MS)
    },
    end() {
      clearInterval(timer)
      listen = undefined
    },
    onUp(host) {
      if (places.some(({ relay }) => relay === host)) keep()
    },
  }
}
