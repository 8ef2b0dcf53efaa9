/**
 * A notice on the wire: what is inside the seal.
 *
 * The bytes are the canonical `{c: certificate, n: notice, w: Waku addresses}`: the envelope of the notice, signed by the
 * host that tells under the domain `told`, the mesh's certificate for that host, and where the mesh can be reached now. A receiver that pinned the mesh's public key needs
 * nothing else to know who speaks.
 */
import {
  decodeCanonical,
  decodeEnvelope,
  encodeCanonical,
  encodeEnvelope,
  type Notice,
  ProtocolError,
} from '@muster/protocol'
import { z } from 'zod'
import { decodeCertificate } from '../identity/certificate.ts'
import { type Sign, verifyEnvelope } from '../identity/signer.ts'

/** The domain of a notice's signature. */
export const TOLD_DOMAIN = 'told'
/** A notice of a whole mesh lost at once stays below this. */
export const TOLD_BYTES_MAX = 64 * 1024

const text = (max: number) => z.string().max(max)
const transition = z.custom<Notice['transition']>(
  (value) => typeof value === 'string' && /^(fired|worse|resolved|reminder-\d{1,6})$/.test(value),
)
const incidentSchema = z.strictObject({
  id: text(64),
  aliases: z.array(text(64)).max(256),
  host: text(64),
  hostName: text(64),
  check: text(64),
  fault: z.enum(['silent', 'stopped', 'asleep', 'isolated', 'flapping', 'check']),
  severity: z.enum(['warning', 'critical', 'unknown']),
  sinceUnixMs: z.number(),
  lastedMs: z.number(),
  voters: z.array(text(64)).max(32),
  observers: z.number(),
  alsoOn: z.array(text(64)).max(1_000),
  because: text(1_000),
})
const noticeSchema = z.strictObject({
  mesh: text(64),
  transition,
  incidents: z.array(incidentSchema).min(1).max(1_200),
  massDeath: z.boolean(),
  toldBy: text(64),
  writtenUnixMs: z.number(),
})

/** A notice that came from this mesh, and the certified name of the host that told it. */
export interface OpenedNotice {
  readonly notice: Notice
  readonly teller: string
  /** Waku addresses of the mesh. Vouched for by the seal only: worth trying, not worth trusting. */
  readonly nodes: readonly string[]
}

/** Node addresses that a notice carries, so that a device learns of hosts that joined after it was paired. */
const NODES_MAX = 16

/** The bytes to seal for a recipient. `nodes` are the Waku addresses of the mesh. */
export function encodeTold(
  notice: Notice,
  sign: Sign,
  certificate: Uint8Array,
  nodes: readonly string[] = [],
): Uint8Array {
  const envelope = encodeEnvelope(sign(TOLD_DOMAIN, notice))
  return encodeCanonical({ c: certificate, n: envelope, w: nodes.slice(0, NODES_MAX) })
}

/**
 * Reads what was inside a seal and checks that its signature leads to the mesh whose public key was pinned.
 *
 * Throws a `ProtocolError`: `malformed`, `other-mesh`, `bad-signature` and the like; such a notice is not shown.
 */
export function openTold(bytes: Uint8Array, meshPublicKey: Uint8Array): OpenedNotice {
  const outer = z
    .strictObject({ c: z.instanceof(Uint8Array), n: z.instanceof(Uint8Array), w: z.array(text(512)).max(NODES_MAX) })
    .safeParse(decodeCanonical(bytes, TOLD_BYTES_MAX))
  if (!outer.success) throw new ProtocolError('malformed', 'not a notice')
  const certificate = decodeCertificate(outer.data.c, meshPublicKey)
  const envelope = verifyEnvelope(decodeEnvelope(outer.data.n, TOLD_BYTES_MAX), TOLD_DOMAIN, {
    meshId: certificate.mesh,
    isMember: (host) => host === certificate.body.host,
  })
  const notice = noticeSchema.safeParse(envelope.body)
  if (!notice.success || notice.data.mesh !== certificate.mesh) throw new ProtocolError('malformed', 'not a notice')
  return { notice: notice.data, teller: certificate.body.name, nodes: outer.data.w }
}
