/**
 * Where the mesh can be reached, for devices: sent when it changes, and never shown.
 *
 * A device that was paired with the first host would otherwise know no other, and be deaf when that one dies. The bytes
 * are the canonical `{c: certificate, d: envelope}`; the envelope has the domain `nodes` and the body `{nodes}`.
 */
import { decodeCanonical, decodeEnvelope, encodeCanonical, encodeEnvelope, ProtocolError } from '@muster/protocol'
import { z } from 'zod'
import { decodeCertificate } from '../identity/certificate.ts'
import { type Sign, verifyEnvelope } from '../identity/signer.ts'

const NODES_DOMAIN = 'nodes'
const NEWS_BYTES_MAX = 32 * 1024
/** Node addresses that one message carries. */
const NODES_MAX = 64

const outerSchema = z.strictObject({ c: z.instanceof(Uint8Array), d: z.instanceof(Uint8Array) })
const bodySchema = z.strictObject({ nodes: z.array(z.string().max(512)).max(NODES_MAX) })

/** The bytes to seal for a recipient: Waku addresses of the mesh, as multiaddr texts. */
export function encodeNodeNews(nodes: readonly string[], sign: Sign, certificate: Uint8Array): Uint8Array {
  const body = { nodes: nodes.slice(0, NODES_MAX) }
  return encodeCanonical({ c: certificate, d: encodeEnvelope(sign(NODES_DOMAIN, body)) })
}

/** Reads the addresses that a host of the pinned mesh has signed. Throws a `ProtocolError`. */
export function openNodeNews(bytes: Uint8Array, meshPublicKey: Uint8Array): readonly string[] {
  const outer = outerSchema.safeParse(decodeCanonical(bytes, NEWS_BYTES_MAX))
  if (!outer.success) throw new ProtocolError('malformed', 'no news of nodes')
  const certificate = decodeCertificate(outer.data.c, meshPublicKey)
  const envelope = verifyEnvelope(decodeEnvelope(outer.data.d, NEWS_BYTES_MAX), NODES_DOMAIN, {
    meshId: certificate.mesh,
    isMember: (host) => host === certificate.body.host,
  })
  const body = bodySchema.safeParse(envelope.body)
  if (!body.success) throw new ProtocolError('malformed', 'no news of nodes')
  return body.data.nodes
}
