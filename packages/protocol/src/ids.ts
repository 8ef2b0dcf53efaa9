/**
 * Who and what the protocol speaks of.
 *
 * All ids are text, so that they are keys of a map, sort alike everywhere and read alike in a log.
 */

/** A host's identity: the libp2p peer id of its Ed25519 key, as text (`12D3Koo…`). Born on the host, never leaves it. */
export type HostId = string

/** The mesh: the first 32 hex digits of the sha256 of its Ed25519 public signing key. Every signed object names it. */
export type MeshId = string

/** A check's name, unique on its host. The empty string stands for the host itself (its presence). */
export type CheckName = string

/** The first 32 hex digits of a sha256, the same on every honest peer. A person names an incident by any unique start of it. */
export type IncidentId = string

/** A recipient's id: the first 32 hex digits of the sha256 of its public key. */
export type RecipientId = string

/** The check name that stands for the presence of a host. */
export const PRESENCE: CheckName = ''
