/** Who this host is in its mesh: its keys, the mesh's certificate for it, and how it signs. */
import type { HostId, MeshId } from '@muster/protocol'
import type { Clock } from '../clock.ts'
import {
  type CertificateBook,
  createCertificateBook,
  encodeCertificate,
  issueCertificate,
} from '../identity/certificate.ts'
import type { HostKey } from '../identity/host-key.ts'
import { type MeshKey, meshKeyOf } from '../identity/mesh-key.ts'
import { createSigner, type Sign } from '../identity/signer.ts'
import { deriveKeyPair, type WakuKeyPair } from '../waku/seal.ts'
import { createSealOfOrigin, type SealOfOrigin } from './seal-of-origin.ts'

/**
 * The keys of this host and of its mesh, and what follows from them; fixed while the agent runs. Secrets are inside
 * (`hostKey`, `meshKey`, `swarmKey`, `meshWakuKey`): never log one.
 */
export interface Origin {
  readonly self: HostId
  readonly mesh: MeshId
  readonly hostKey: HostKey
  readonly meshKey: MeshKey
  readonly swarmKey: Uint8Array
  /** The key that signs what is sealed for devices, and that devices seal their answers to. One for the whole mesh. */
  readonly meshWakuKey: WakuKeyPair
  readonly book: CertificateBook
  /** The envelope bytes of this host's own certificate. */
  readonly certificate: Uint8Array
  readonly sign: Sign
  readonly seal: SealOfOrigin
}

/** With a shared key every host can certify itself: the mesh's signing key follows from the swarm key. */
export function createOrigin(
  { swarmKey, hostKey, name }: { readonly swarmKey: Uint8Array; readonly hostKey: HostKey; readonly name: string },
  clock: Clock,
): Origin {
  const meshKey = meshKeyOf(swarmKey)
  const book = createCertificateBook(meshKey.publicKey)
  const unixMs = Math.round(clock.unixMs())
  // Seconds: a host that was renamed carries a newer certificate than before.
  const serial = Math.floor(unixMs / 1_000)
  const certificate = issueCertificate(meshKey, { host: hostKey.hostId, name, serial, issuedAtUnixMs: unixMs })
  return {
    self: hostKey.hostId,
    mesh: meshKey.meshId,
    hostKey,
    meshKey,
    swarmKey,
    meshWakuKey: deriveKeyPair(swarmKey, 'mesh'),
    book,
    certificate: encodeCertificate(book.admit(certificate)),
    sign: createSigner({ hostKey, meshId: meshKey.meshId }),
    seal: createSealOfOrigin({ hostKey, mesh: meshKey.meshId, book }),
  }
}
