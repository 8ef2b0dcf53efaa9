/**
 * The mesh's own signing key, in shared-key mode.
 *
 * Who holds the swarm key belongs to the mesh, so the key that certifies its hosts can be computed from it: every host
 * arrives at the same one, nothing is sent, and a receiver that pinned its public half accepts hosts that join later.
 *
 *   seed   = HKDF-SHA256(key = swarm key, salt = "muster", info = "muster mesh signing key 1", 32 bytes)
 *   meshId = hex(sha256(Ed25519 public key of the seed))
 *
 * Source: RFC 5869 (HKDF).
 */
import { hkdfSync } from 'node:crypto'
import { idOfBytes, type MeshId } from '@muster/protocol'
import { ED25519_KEY_BYTES, type SigningKey, signingKeyOf } from './ed25519.ts'

const SALT = 'muster'
const INFO = 'muster mesh signing key 1'

/** The key that certifies hosts, and the id of its mesh. */
export interface MeshKey extends SigningKey {
  readonly meshId: MeshId
}

/** The mesh key of a swarm key: the same on every host that holds it. */
export function meshKeyOf(swarmKey: Uint8Array): MeshKey {
  const seed = new Uint8Array(hkdfSync('sha256', swarmKey, SALT, INFO, ED25519_KEY_BYTES))
  const key = signingKeyOf(seed)
  return { ...key, meshId: meshIdOf(key.publicKey) }
}

/** The id of the mesh whose public signing key this is. */
export function meshIdOf(publicKey: Uint8Array): MeshId {
  return idOfBytes(publicKey)
}
