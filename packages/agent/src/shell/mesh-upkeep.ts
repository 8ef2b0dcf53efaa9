/** Keeps this host and its mesh acquainted: announces where it is, and follows where the others are. */
import { type HostId, hasLeft, type MeshRecord, meshRecords, nameOf, namesakesIn } from '@muster/protocol'
import type { Clock } from '../clock.ts'
import type { Config } from '../config/load.ts'
import { type Log, reasonOf } from '../log.ts'
import type { Loop } from '../loop.ts'
import type { Swarm } from '../swarm/swarm.ts'
import type { WakuNode } from '../waku/node.ts'
import { type Network, rememberAddresses, worthTelling } from './network-facts.ts'
import type { Telling } from './telling.ts'

type Profile = Extract<MeshRecord, { kind: 'member' }>

/**
 * How this host tells its mesh where it is and learns where the others are. Both may be called often: nothing is
 * announced that has not changed.
 */
export interface MeshUpkeep {
  /** Publishes what this host says of itself, when it has changed. */
  announce(network: Network): void
  /** Dials whom the mesh knows, listens for the recipients that it has, and warns once of two hosts of one name. */
  follow(): void
}

/** Makes the upkeep of one agent. */
export function createMeshUpkeep(deps: {
  readonly self: HostId
  readonly config: () => Config
  readonly certificate: Uint8Array
  readonly swarm: Swarm
  readonly waku: () => WakuNode | null
  readonly telling: Telling
  readonly loop: () => Loop
  readonly clock: Clock
  readonly log: Log
}): MeshUpkeep {
  const { self, config, swarm, waku, telling, loop, clock, log } = deps
  const swarmAddresses = rememberAddresses(() => worthTelling(swarm.addresses()), clock.monotonicMs)
  const wakuAddresses = rememberAddresses(() => worthTelling(waku()?.multiaddrs() ?? []), clock.monotonicMs)

  const warned = new Set<string>()

  function profile(known: Profile | undefined, network: Network): Profile {
    const { host, presence, swarm: swarmConfig, waku: wakuConfig } = config()
    const here = swarmAddresses(network)
    const wakuHere = wakuConfig.serve ? wakuAddresses(network, waku()) : []
    return {
      kind: 'member',
      name: host,
      // A part that is being restarted has no address. To say so would make the others forget where it will be again.
      addresses: here.length === 0 && swarmConfig.listen.length > 0 ? (known?.addresses ?? []) : here,
      wakuAddresses: wakuHere.length === 0 && wakuConfig.serve ? (known?.wakuAddresses ?? []) : wakuHere,
      everyMs: presence.everyMs,
      graceMs: presence.graceMs,
      sleeps: presence.sleeps,
      certificate: deps.certificate,
      serial: (known?.serial ?? 0) + 1,
    }
  }

  return {
    announce(network) {
      const known = meshRecords(loop().state(), 'member').find(({ signer }) => signer === self)?.body
      const now = profile(known, network)
      if (known !== undefined && saysTheSame(known, now)) return
      loop().dispatch({ kind: 'command', command: { kind: 'publish', record: now } })
    },
    follow() {
      const state = loop().state()
      const others = meshRecords(state, 'member').filter(({ signer }) => signer !== self)
      const { swarm: swarmConfig, waku: wakuConfig } = config()
      swarm.setPeerBook([
        ...swarmConfig.peers.map((address) => ({ addresses: [address] })),
        ...others.map(({ signer, body }) => ({
          host: signer,
          addresses: body.addresses,
          hasLeft: hasLeft(state.members.get(signer)?.state),
        })),
      ])
      const here = others.filter(({ signer }) => !hasLeft(state.members.get(signer)?.state))
      try {
        waku()?.setPeers([...wakuConfig.nodes, ...here.flatMap(({ body }) => body.wakuAddresses)])
      } catch (error) {
        log.debug('some Waku addresses cannot be used', { reason: reasonOf(error) })
      }
      telling.followRecipients(state)
      for (const hosts of namesakesIn(state)) {
        const key = hosts.join(' ')
        if (warned.has(key)) continue
        warned.add(key)
        log.warn('hosts of one name: give one another under host: in its muster.yaml, and restart it', {
          name: nameOf(state, hosts[0] ?? self),
          hosts: key,
        })
      }
    },
  }
}

function saysTheSame(known: Profile, now: Profile): boolean {
  const { serial: _known, certificate: _theirs, ...before } = known
  const { serial: _now, certificate: _ours, ...after } = now
  return JSON.stringify(before) === JSON.stringify(after)
}
