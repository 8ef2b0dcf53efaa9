/**
 * Who comes first among those who could watch a host, in a large mesh.
 *
 * The order follows from names alone, so it is worked out once for all hosts that were ever met, and a host that comes or
 * goes costs a look instead of a thousand hashes for each of a thousand hosts.
 */
import type { HostId, MeshId } from '../ids.ts'
import { limits } from '../limits.ts'
import { scoreOf } from '../wire/names.ts'

/** So many of the first of each order are kept: where more of them are missing at once, the order is worked out anew. */
const KEPT = 4 * limits.observers
/** Hosts of one mesh that are remembered. A memo: forgetting it costs time only. */
const HOSTS_MAX = 2 * limits.members

interface Best {
  /** How many of the hosts met have been looked at. */
  looked: number
  readonly hosts: HostId[]
  readonly scores: string[]
  /** The first of them, as handed out: one list for all who see the same. */
  first: readonly HostId[]
}

/** All hosts met in the newest mesh that was asked for, in the order of meeting, and the best for each subject. */
let mesh: MeshId | null = null
let met: HostId[] = []
let isMet = new Set<HostId>()
let bests = new Map<HostId, Best>()
let sets = new WeakMap<readonly HostId[], ReadonlySet<HostId>>()

/** The first observers of `subject` among `roster`: the same as sorting all of it by their scores, highest first. */
export function firstObservers(roster: readonly HostId[], ofMesh: MeshId, subject: HostId): readonly HostId[] | null {
  const present = meet(roster, ofMesh)
  const best = bests.get(subject) ?? { looked: 0, hosts: [], scores: [], first: [] }
  bests.set(subject, best)
  lookOn(best, ofMesh, subject)
  if (best.first.every((host) => present.has(host))) return best.first
  const able = best.hosts.filter((host) => present.has(host)).slice(0, limits.observers)
  return able.length === limits.observers ? able : null
}

/** Takes in the hosts of a roster. */
function meet(roster: readonly HostId[], ofMesh: MeshId): ReadonlySet<HostId> {
  if (mesh !== ofMesh || met.length > HOSTS_MAX) {
    mesh = ofMesh
    met = []
    isMet = new Set()
    bests = new Map()
    sets = new WeakMap()
  }
  const known = sets.get(roster)
  if (known !== undefined) return known
  for (const host of roster) {
    if (isMet.has(host)) continue
    isMet.add(host)
    met.push(host)
  }
  const present = new Set(roster)
  sets.set(roster, present)
  return present
}

/** Looks at the hosts met since the last time. */
function lookOn(best: Best, ofMesh: MeshId, subject: HostId): void {
  if (best.looked === met.length) return
  const { hosts, scores } = best
  for (; best.looked < met.length; best.looked += 1) {
    const host = met[best.looked]
    if (host === undefined || host === subject) continue
    const score = scoreOf('observer', ofMesh, subject, host)
    if (hosts.length === KEPT && score < (scores[KEPT - 1] ?? '')) continue
    const place = scores.findIndex((other) => other < score)
    const index = place < 0 ? scores.length : place
    hosts.splice(index, 0, host)
    scores.splice(index, 0, score)
    hosts.length = scores.length = Math.min(KEPT, scores.length)
  }
  best.first = hosts.slice(0, limits.observers)
}
