/**
 * Signing our own records and checking those of others. The core does neither: it is handed what passed here.
 */
import { bytesToSign, type HostId, type MeshId, ProtocolError, type Signed, WIRE_VERSION } from '@muster/protocol'
import { type HostKey, verify } from './host-key.ts'

/** Signs a body under its domain, in the name of this host and mesh. */
export type Sign = <Body>(domain: string, body: Body) => Signed<Body>

/** What must be known to accept a record. A `CertificateBook` is one source of `isMember`. */
export interface KnownMembers {
  readonly meshId: MeshId
  isMember(host: HostId): boolean
}

/** The signer of this host's records. */
export function createSigner({ hostKey, meshId }: { hostKey: HostKey; meshId: MeshId }): Sign {
  return (domain, body) => {
    const record = { domain, version: WIRE_VERSION, mesh: meshId, signer: hostKey.hostId, body }
    return { ...record, signature: hostKey.sign(bytesToSign(record)) }
  }
}

/**
 * Accepts a record that a member of this mesh signed, and returns it.
 *
 * The cheap questions come first, so that a stranger cannot make us compute.
 * Throws a `ProtocolError`: `other-mesh`, `malformed` (another domain than expected), `not-a-member` or `bad-signature`.
 */
export function verifyEnvelope<Body>(record: Signed<Body>, domain: string, known: KnownMembers): Signed<Body> {
  if (record.mesh !== known.meshId) throw new ProtocolError('other-mesh', 'a record of another mesh')
  if (record.domain !== domain) throw new ProtocolError('malformed', `not a record of domain ${domain}`)
  if (!known.isMember(record.signer)) throw new ProtocolError('not-a-member', 'its signer has no certificate here')
  if (!verify(record.signer, bytesToSign(record), record.signature)) {
    throw new ProtocolError('bad-signature', 'its signer did not sign this')
  }
  return record
}
