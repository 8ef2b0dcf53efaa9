/**
 * The mesh vouches for a host: this id carries this name.
 *
 * A certificate is a signed envelope of domain `certificate` whose signer is the word `mesh` and whose signature is the
 * mesh key's. Whoever pinned the mesh's public key (a receiver does when it pairs) can check any host with it.
 */
import {
  bytesToSign,
  decodeEnvelope,
  encodeEnvelope,
  equalBytes,
  type HostId,
  ProtocolError,
  readEnvelope,
  type Signed,
  type UnixMs,
  WIRE_VERSION,
} from '@muster/protocol'
import { z } from 'zod'
import { ED25519_KEY_BYTES, verifySignature } from './ed25519.ts'
import { publicKeyOfHost } from './host-key.ts'
import { type MeshKey, meshIdOf } from './mesh-key.ts'

/** The domain of a certificate's signature. */
export const CERTIFICATE_DOMAIN = 'certificate'
/** Who signs a certificate: no host, but the mesh. */
export const MESH_SIGNER = 'mesh'
/** More than any certificate needs (about 330): a larger one is not read. */
export const CERTIFICATE_BYTES_MAX = 1024
/** As many hosts as one book holds: beyond the largest mesh that the protocol was computed for. */
export const CERTIFICATES_MAX = 4096
/** A host's name: 1 to 63 letters, digits, `.`, `_` or `-`, of which the first is a letter or a digit. */
export const HOST_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** What the mesh says of a host. */
export interface CertificateBody {
  readonly host: HostId
  /** What people call it. Unique in the mesh by good manners, not by proof: the id is the identity. */
  readonly name: string
  /** Of two certificates for one host the higher serial holds. From 0. */
  readonly serial: number
  /** By the issuer's wall clock. Only shown. */
  readonly issuedAtUnixMs: UnixMs
  /** The mesh's public signing key, so that a certificate can be checked against its mesh id alone. */
  readonly key: Uint8Array
}

/** A certificate as issued or verified. */
export type Certificate = Signed<CertificateBody>

const bodySchema = z.strictObject({
  host: z.string().max(64),
  name: z.string().regex(HOST_NAME_PATTERN),
  serial: z.int().nonnegative(),
  issuedAtUnixMs: z.int().nonnegative(),
  key: z.instanceof(Uint8Array).refine((key) => key.byteLength === ED25519_KEY_BYTES),
})

/** Whether a text may be a host's name. */
export function isHostName(name: string): boolean {
  return HOST_NAME_PATTERN.test(name)
}

/** Issues a certificate. Throws a `ProtocolError` `malformed` when the name or the host id is none. */
export function issueCertificate(meshKey: MeshKey, host: Omit<CertificateBody, 'key'>): Certificate {
  const { host: hostId, name, serial, issuedAtUnixMs } = host
  const body = parseBody({ host: hostId, name, serial, issuedAtUnixMs, key: meshKey.publicKey })
  const record = { domain: CERTIFICATE_DOMAIN, version: WIRE_VERSION, mesh: meshKey.meshId, signer: MESH_SIGNER, body }
  return { ...record, signature: meshKey.sign(bytesToSign(record)) }
}

/** The canonical bytes of a certificate, as sent and stored. */
export function encodeCertificate(certificate: Certificate): Uint8Array {
  return encodeEnvelope(certificate)
}

/**
 * Reads a certificate's bytes and checks it against the pinned public key of the mesh.
 *
 * Throws a `ProtocolError`: `too-large`, `malformed`, `not-canonical`, `newer-version`, `other-mesh`, `bad-signature`.
 */
export function decodeCertificate(bytes: Uint8Array, meshPublicKey: Uint8Array): Certificate {
  return verifyCertificate(decodeEnvelope(bytes, CERTIFICATE_BYTES_MAX), meshPublicKey)
}

/** The same for one nested in another record (the decoded value of its envelope). */
export function readCertificate(value: unknown, meshPublicKey: Uint8Array): Certificate {
  return verifyCertificate(readEnvelope(value), meshPublicKey)
}

/** The same for an envelope that was read already. */
export function verifyCertificate(record: Signed<unknown>, meshPublicKey: Uint8Array): Certificate {
  if (record.domain !== CERTIFICATE_DOMAIN || record.signer !== MESH_SIGNER) {
    throw new ProtocolError('malformed', 'not a certificate')
  }
  const body = parseBody(record.body)
  if (record.mesh !== meshIdOf(meshPublicKey) || !equalBytes(body.key, meshPublicKey)) {
    throw new ProtocolError('other-mesh', 'a certificate of another mesh')
  }
  if (!verifySignature(meshPublicKey, bytesToSign(record), record.signature)) {
    throw new ProtocolError('bad-signature', 'the mesh did not sign this certificate')
  }
  return { ...record, body }
}

function parseBody(value: unknown): CertificateBody {
  const { success, data } = bodySchema.safeParse(value)
  if (!success) throw new ProtocolError('malformed', 'not the body of a certificate')
  publicKeyOfHost(data.host)
  return data
}

/** The certificates that this host has verified: who is a member, and what it is called. */
export interface CertificateBook {
  readonly meshPublicKey: Uint8Array
  /**
   * Verifies and keeps a certificate, unless one with a higher serial is known for that host. Returns the one that holds.
   * Throws what `verifyCertificate` throws, and `too-large` when the book is full.
   */
  admit(record: Signed<unknown>): Certificate
  /** The certificate of a host, or undefined when the mesh vouches for no such host. */
  get(host: HostId): Certificate | undefined
  /** All of them, by host id. */
  all(): readonly Certificate[]
}

/** An empty book of one mesh. */
export function createCertificateBook(meshPublicKey: Uint8Array): CertificateBook {
  const certificates = new Map<HostId, Certificate>()
  return {
    meshPublicKey,
    admit(record) {
      const certificate = verifyCertificate(record, meshPublicKey)
      const { host, serial } = certificate.body
      const known = certificates.get(host)
      if (known !== undefined && known.body.serial >= serial) return known
      if (known === undefined && certificates.size >= CERTIFICATES_MAX) {
        throw new ProtocolError('too-large', `${CERTIFICATES_MAX} hosts are known already`)
      }
      certificates.set(host, certificate)
      return certificate
    },
    get: (host) => certificates.get(host),
    all: () => [...certificates.values()].sort((a, b) => (a.body.host < b.body.host ? -1 : 1)),
  }
}
