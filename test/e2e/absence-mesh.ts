/** The mesh of the tests on absences: one host restarts in its own time, one may sleep. */
import { createMesh, type Mesh } from './mesh.ts'
import type { Receiver } from './receiver.ts'

/** More than a deadline of the fast class with its probes, votes and holding: enough for a verdict that must not come. Milliseconds. */
export const VERDICT_MS = 5_000
/** A generous wait for what must come. Milliseconds. */
export const LIMIT_MS = 40_000
/** Hosts that neither sleep nor leave in these tests. */
export const WATCHERS = ['vps-1', 'vps-2']

/** The mesh, once all of it is ready, and its recipient. */
export interface AbsenceMesh {
  readonly mesh: Mesh
  readonly phone: Receiver
}

/** Starts it: `vps-1` has 12 s for a restart, `laptop` sleeps. */
export async function createAbsenceMesh(): Promise<AbsenceMesh> {
  const restart = '{every: 1s, grace: 2s, restart: 12s}'
  const sleeps = '{every: 1s, grace: 2s, sleeps: true}'
  const mesh = await createMesh(['vps-1', 'vps-2', 'home-server', 'laptop'], {
    of: { 'vps-1': { presence: restart }, laptop: { presence: sleeps } },
  })
  try {
    const phone = await mesh.receiver('phone')
    await mesh.ready()
    return { mesh, phone }
  } catch (error) {
    await mesh.end()
    throw error
  }
}
