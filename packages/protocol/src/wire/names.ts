/** The hashes that name things alike on every peer, and the orders that follow from them. */
import type { CheckName, HostId, IncidentId, MeshId, RecipientId } from '../ids.ts'
import { PRESENCE } from '../ids.ts'
import { hashOf, idOfBytes } from './canonical.ts'
import type { Signed } from './envelope.ts'
import { bytesToSign } from './envelope.ts'
import type { Life } from './records.ts'

/** The id of the incident that a life of a host has ended. */
export function hostIncidentId(mesh: MeshId, host: HostId, life: Life): IncidentId {
  return hashOf(['incident', mesh, host, PRESENCE, life.incarnation, life.epoch])
}

/** The id of the incident of one episode of a check, as its host counted it. */
export function checkIncidentId(mesh: MeshId, host: HostId, check: CheckName, episode: number): IncidentId {
  return hashOf(['incident', mesh, host, check, episode])
}

/** A recipient's id, from its public key (33 bytes, compressed secp256k1). */
export function recipientIdOf(publicKey: Uint8Array): RecipientId {
  return idOfBytes(publicKey)
}

const recordIds = new WeakMap<object, string>()

/** The id of a mergeable record: 32 hex digits of the sha256 of what is signed, so that a signature cannot vary it. */
export function recordIdOf(record: Signed<unknown>): string {
  const known = recordIds.get(record)
  if (known !== undefined) return known
  const id = idOfBytes(bytesToSign(record))
  recordIds.set(record, id)
  return id
}

/** Negative when `a` is the older life, 0 when they are the same, positive when it is the newer. */
export function compareLives(a: Life, b: Life): number {
  return a.incarnation - b.incarnation || a.epoch - b.epoch
}

const scores = new Map<string, Map<HostId, string>>()
const SCORES_MAX = 20_000
let scored = 0

/**
 * Where `peer` stands in the rendezvous order of `key`: the highest score comes first.
 * Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998).
 */
export function rendezvousScore(purpose: string, mesh: MeshId, key: string, peer: HostId): string {
  return rendezvousScores(purpose, mesh, key)(peer)
}

/** The same for many peers of one order. A memo of a pure function: forgetting it costs time only. */
export function rendezvousScores(purpose: string, mesh: MeshId, key: string): (peer: HostId) => string {
  const name = `${purpose}\n${mesh}\n${key}`
  if (scored >= SCORES_MAX) {
    scores.clear()
    scored = 0
  }
  const known = scores.get(name) ?? new Map<HostId, string>()
  scores.set(name, known)
  return (peer) => {
    const score = known.get(peer) ?? scoreOf(purpose, mesh, key, peer)
    if (!known.has(peer)) {
      known.set(peer, score)
      scored += 1
    }
    return score
  }
}

/** The same, worked out anew: for who keeps what comes of a million of them. */
export function scoreOf(purpose: string, mesh: MeshId, key: string, peer: HostId): string {
  return hashOf(key === '' ? [purpose, mesh, peer] : [purpose, mesh, key, peer])
}
