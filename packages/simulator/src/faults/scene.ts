/** What all faults work with: the world, a voice, and an end for whatever does not last. */
import type { HostId } from '@muster/protocol'
import type { VirtualHost } from '../world/host.ts'
import type { World } from '../world/world.ts'

/** A fault's hands. */
export interface Scene {
  readonly world: World
  readonly host: (index: number) => VirtualHost | undefined
  readonly nameOf: (index: number) => string
  /** States what happens, in words. */
  readonly say: (hosts: readonly number[], text: string) => void
  /** Begins something now and ends it in time. */
  readonly during: (forMs: number, begin: () => void, end: () => void) => void
  /** Starts a host again, unless it is gone for good (null). */
  readonly backLater: (index: number, backAfterMs: number | null) => void
}

/** The scene of one fault of this kind. Nothing of it lasts beyond `healMs`. */
export function createScene(world: World, kind: string, healMs: number): Scene {
  return {
    world,
    host: (index) => world.hosts[index],
    nameOf: (index) => world.hosts[index]?.setup.name ?? '',
    say: (hosts, text) => {
      const ids = hosts.flatMap((index) => idOf(world, index))
      world.state({ kind: 'fault', atMs: world.now(), fault: kind, hosts: ids, text })
    },
    during: (forMs, begin, end) => {
      begin()
      world.after(Math.max(0, Math.min(forMs, healMs - world.now())), end)
    },
    backLater: (index, backAfterMs) => {
      if (backAfterMs !== null) world.after(backAfterMs, () => world.hosts[index]?.start())
    },
  }
}

/** The id of the host with this number, if there is one. */
export function idOf(world: World, index: number): HostId[] {
  const host = world.hosts[index]
  return host === undefined ? [] : [host.setup.id]
}

/** A length of time for a person. */
export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}

/** For how long somebody is away. */
export function back(afterMs: number | null): string {
  return afterMs === null ? ' for good' : ` for ${seconds(afterMs)}`
}
