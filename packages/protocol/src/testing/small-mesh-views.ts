/** What a test asks of a small mesh, in words. */
import { ranksFor } from '../notifier/ranks.ts'
import type { CheckSpec } from '../observation.ts'
import type { SmallMesh } from './small-mesh.ts'

/** Milliseconds. */
export const SECOND = 1_000
/** Milliseconds. */
export const MINUTE = 60 * SECOND

/** The hosts of most stories. */
export const THREE = ['vps', 'laptop', 'server'] as const

/** A check that is due each minute and may be half a minute late. */
export const disk: CheckSpec = {
  name: 'disk',
  kind: 'disk',
  everyMs: 60 * SECOND,
  graceMs: 30 * SECOND,
  after: 1,
  recover: 1,
  forMs: 0,
  heartbeat: 'awake',
  tags: [],
}

/** The news so far, as `transition host` or `transition host/check`. */
export function newsOf(mesh: SmallMesh): readonly string[] {
  return mesh.told.flatMap(({ notice }) =>
    notice.incidents.map(
      ({ hostName, check }) => `${notice.transition} ${check === '' ? hostName : `${hostName}/${check}`}`,
    ),
  )
}

/** Who is next to tell of a host, by the view of another. */
export function rankedFor(mesh: SmallMesh, host: string, viewer: string): readonly string[] {
  return ranksFor(mesh.stateOf(viewer), { id: '', host, check: '', fault: 'silent' }).filter((peer) => peer !== host)
}

/** How many claims a host has seen. */
export function claimsAt(mesh: SmallMesh, host: string): number {
  return [...mesh.stateOf(host).records.values()].filter(
    ({ record }) => record.domain === 'notice' && record.body.step === 'claim',
  ).length
}

/** The open incidents that a host knows, as `fault host`. */
export function firingAt(mesh: SmallMesh, host: string): readonly string[] {
  return mesh
    .incidentsOf(host)
    .filter(({ state }) => state === 'firing')
    .map(({ fault, host: of }) => `${fault} ${of}`)
}

/** Takes the host's power away for a while and lets the others settle after its return. */
export function outage(mesh: SmallMesh, host: string, forMs: number): void {
  mesh.crash(host)
  mesh.run(forMs)
  mesh.start(host)
  mesh.run(15 * SECOND)
}
