/** What the mesh tells a device when it has written it down: signed, so that the device knows whose recipient it is. */
import { decodeCanonical, decodeEnvelope, encodeCanonical, encodeEnvelope, ProtocolError } from '@muster/protocol'
import { z } from 'zod'
import { decodeCertificate } from '../identity/certificate.ts'
import { type Sign, verifyEnvelope } from '../identity/signer.ts'

const WELCOME_DOMAIN = 'welcome'
const WELCOME_BYTES_MAX = 16 * 1024

/** What a newly paired device needs to know. */
export interface Welcome {
  /** The name that the mesh calls it by. */
  readonly recipient: string
  /** Waku addresses of all hosts that serve. */
  readonly nodes: readonly string[]
  /** The mesh's Waku key: answers are sealed to it. 65 bytes. */
  readonly meshWakuKey: Uint8Array
}

const schema = z.strictObject({
  recipient: z.string().max(64),
  nodes: z.array(z.string().max(256)).max(64),
  meshWakuKey: z.instanceof(Uint8Array),
})

/** The bytes of a welcome. */
export function encodeWelcome(welcome: Welcome, sign: Sign, certificate: Uint8Array): Uint8Array {
  return encodeCanonical({ c: certificate, w: encodeEnvelope(sign(WELCOME_DOMAIN, welcome)) })
}

/** Reads a welcome of the mesh whose public key the link named. Throws a `ProtocolError`. */
export function openWelcome(bytes: Uint8Array, meshPublicKey: Uint8Array): Welcome {
  const outer = z
    .strictObject({ c: z.instanceof(Uint8Array), w: z.instanceof(Uint8Array) })
    .safeParse(decodeCanonical(bytes, WELCOME_BYTES_MAX))
  if (!outer.success) throw new ProtocolError('malformed', 'not a welcome')
  const certificate = decodeCertificate(outer.data.c, meshPublicKey)
  const envelope = verifyEnvelope(decodeEnvelope(outer.data.w, WELCOME_BYTES_MAX), WELCOME_DOMAIN, {
    meshId: certificate.mesh,
    isMember: (host) => host === certificate.body.host,
  })
  const welcome = schema.safeParse(envelope.body)
  if (!welcome.success) throw new ProtocolError('malformed', 'not a welcome')
  return welcome.data
}
