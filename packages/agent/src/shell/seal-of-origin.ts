/**
 * Signing what leaves and verifying what arrives: the core is handed facts only.
 *
 * Records of this host come from the core with an empty signature. Ed25519 is deterministic, so that signing the same
 * body again gives the same bytes, and nothing has to remember a signature.
 */
import {
  type AnySigned,
  bytesToSignOf,
  decodeEnvelope,
  type HostId,
  type MeshId,
  nestedOf,
  ProtocolError,
  type Signed,
} from '@muster/protocol'
import type { CertificateBook } from '../identity/certificate.ts'
import { CERTIFICATE_BYTES_MAX } from '../identity/certificate.ts'
import { type HostKey, verify, verifyLater } from '../identity/host-key.ts'

/** Signs in the name of this host and tells whose word a record is. Asks nobody: the certificates are at hand. */
export interface SealOfOrigin {
  /** The record with this host's signature, where it is this host's own. */
  signed<R extends AnySigned>(record: R): R
  /**
   * Returns when the signer and every signer inside is a member and has signed what is there.
   *
   * Throws a `ProtocolError`: `other-mesh`, `not-a-member` or `bad-signature`.
   */
  verify(record: AnySigned): void
  /** The same, with the work done on other threads. Rejects with what `verify` throws. */
  verifyLater(record: AnySigned): Promise<void>
  isMember(host: HostId): boolean
}

/** Makes one for this host. */
export function createSealOfOrigin({
  hostKey,
  mesh,
  book,
}: {
  readonly hostKey: HostKey
  readonly mesh: MeshId
  readonly book: CertificateBook
}): SealOfOrigin {
  function checkSigner(record: Signed<unknown>): void {
    if (record.mesh !== mesh) throw new ProtocolError('other-mesh', 'a record of another mesh')
    if (book.get(record.signer) === undefined) {
      throw new ProtocolError('not-a-member', 'its signer has no certificate here')
    }
  }

  /** The record and those inside it, once their signers are known to be members. */
  function* signedParts(record: AnySigned): Generator<Signed<unknown>> {
    admitCertificateOf(book, record)
    for (const part of [record, ...nestedOf(record)]) {
      checkSigner(part)
      yield part
    }
  }

  return {
    signed(record) {
      if (record.signer !== hostKey.hostId || record.signature.byteLength > 0) return record
      return { ...record, signature: hostKey.sign(bytesToSignOf(record)) }
    },
    verify(record) {
      for (const part of signedParts(record)) {
        if (!verify(part.signer, bytesToSignOf(part as AnySigned), part.signature)) throw forged()
      }
    },
    async verifyLater(record) {
      const checks = [...signedParts(record)].map((part) =>
        verifyLater(part.signer, bytesToSignOf(part as AnySigned), part.signature),
      )
      if (!(await Promise.all(checks)).every(Boolean)) throw forged()
    },
    isMember: (host) => book.get(host) !== undefined,
  }
}

function forged(): ProtocolError {
  return new ProtocolError('bad-signature', 'its signer did not sign this')
}

/** A member's own record brings the certificate by which its signature can be trusted. */
function admitCertificateOf(book: CertificateBook, record: AnySigned): void {
  if (record.domain !== 'record' || record.body.kind !== 'member') return
  const certificate = book.admit(decodeEnvelope(record.body.certificate, CERTIFICATE_BYTES_MAX))
  if (certificate.body.host !== record.signer || certificate.body.name !== record.body.name) {
    throw new ProtocolError('not-a-member', 'the certificate is of another host or name')
  }
}
