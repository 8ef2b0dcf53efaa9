/**
 * A mesh whose hosts each have a network namespace of their own, with places left over for recipients, so that faults of
 * the network can be made between any two of them.
 */
import { join } from 'node:path'
import type { Victim } from '../bench/faults.ts'
import { createGround, type Ground, type Spot } from '../bench/ground.ts'
import { type Host, type HostSettings, until } from '../e2e/host.ts'
import { createMesh, type Mesh } from '../e2e/mesh.ts'
import { createReceiver, type Receiver } from '../e2e/receiver.ts'

const READY_MS = 120_000
/** Agents that are asked all the time are not what a user runs. Milliseconds. */
const ASK_EVERY_MS = 250

/** What a host is like, and how many places besides are for others than hosts. */
export interface CabledSettings extends HostSettings {
  readonly spare?: number
}

export interface CabledMesh {
  readonly mesh: Mesh
  readonly ground: Ground
  host(name: string): Host
  spotOf(name: string): Spot
  /** A host, as faults are done to it. */
  victim(name: string): Victim
  /** Pairs a recipient in a place of its own, through a host. */
  receiver(name: string, through: string): Promise<{ readonly receiver: Receiver; readonly spot: Spot }>
  end(): Promise<void>
}

/** Makes the network and the mesh. Only where `whyNoNetwork` has nothing to say. */
export async function createCabledMesh(names: readonly string[], settings: CabledSettings = {}): Promise<CabledMesh> {
  const { spare = 0, ...common } = settings
  const ground = await createGround(names.length + spare)
  const spots = new Map<string, Spot>(names.map((name) => [name, ground.take()]))
  const spotOf = (name: string): Spot => {
    const spot = spots.get(name)
    if (spot === undefined) throw new Error(`${name} has no place`)
    return spot
  }
  const of: Record<string, HostSettings> = {}
  for (const [name, { address, prefix }] of spots) of[name] = { address, prefix }
  const mesh = await createMesh(names, { ...common, of }).catch(async (error: unknown) => {
    await ground.end()
    throw error
  })
  return {
    mesh,
    ground,
    host: (name) => mesh.host(name),
    spotOf,
    victim(name) {
      const host = mesh.host(name)
      return {
        name,
        spot: spotOf(name),
        port: host.ports.swarm,
        process: () => host.agent(),
        restart: () => void host.start(),
      }
    },
    async receiver(name, through) {
      const spot = ground.take()
      await mesh.ready()
      const dir = join(mesh.folder, name)
      return { receiver: await createReceiver(mesh.processes, mesh.host(through), name, dir, spot.prefix), spot }
    },
    async end() {
      await mesh.end()
      await ground.end()
    },
  }
}

/** Waits until these hosts hold the same logs; gives how long that took, in milliseconds. */
export async function untilSameHistory(hosts: readonly Host[]): Promise<number> {
  const startMs = performance.now()
  await until(
    'the same history on all hosts',
    READY_MS,
    async () => new Set(await Promise.all(hosts.map((host) => host.digest()))).size === 1,
    ASK_EVERY_MS,
  )
  return performance.now() - startMs
}
