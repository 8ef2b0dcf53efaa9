/**
 * The link that pairs a device with a mesh: `muster:pair#` and base64url of dag-cbor and a checksum.
 *
 * Whoever holds the link may become a recipient, once, until it expires. What stands before the `#` is free, so that a
 * page on the web can carry it too: browsers do not send what follows.
 */
import { createHash } from 'node:crypto'
import { multiaddr } from '@multiformats/multiaddr'
import { decodeCanonical, encodeCanonical } from '@muster/protocol'
import { z } from 'zod'
import { CLUSTER_ID, SHARD } from './network.ts'
import { reasonOf, WakuError } from './ports.ts'

/** What a link says. */
export interface PairingLink {
  /** Multiaddrs of service nodes, each with its peer id. */
  readonly nodes: readonly string[]
  /** 32 random bytes, for this pairing only. */
  readonly secret: Uint8Array
  /** The mesh's Ed25519 public key, 32 bytes: the device trusts what leads to it. */
  readonly meshPublicKey: Uint8Array
  /** When the link ends, milliseconds since 1970, whole seconds. */
  readonly expiresUnixMs: number
}

/** How long a link lasts, in milliseconds: one hour. */
export const LINK_LIFE_MS = 60 * 60 * 1000

/** Nodes in a link: more make a QR code that phones cannot read. */
export const LINK_NODES_MAX = 8

const PREFIX = 'muster:pair#'
const VERSION = 1
const CHECKSUM_BYTES = 4
const LINK_BYTES_MAX = 4096

const bytesOf = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength === length)
const body = z.strictObject({
  v: z.literal(VERSION),
  /** Cluster and shard. */
  c: z.literal(CLUSTER_ID),
  s: z.literal(SHARD),
  /** Node addresses, as binary multiaddrs. */
  n: z
    .array(z.custom<Uint8Array>((value) => value instanceof Uint8Array))
    .min(1)
    .max(LINK_NODES_MAX),
  k: bytesOf(32),
  m: bytesOf(32),
  /** Expiry in seconds since 1970. */
  e: z.int().nonnegative(),
})

/** Writes a link. Throws a `WakuError`, `bad-address` or `too-many`, for what cannot stand in one. */
export function createPairingLink(link: PairingLink): string {
  if (link.nodes.length === 0 || link.nodes.length > LINK_NODES_MAX) {
    throw new WakuError('too-many', `a link carries 1 to ${LINK_NODES_MAX} node addresses, not ${link.nodes.length}`)
  }
  let nodes: Uint8Array[]
  try {
    nodes = link.nodes.map((node) => multiaddr(node).bytes)
  } catch (cause) {
    throw new WakuError('bad-address', `a node address is no multiaddr: ${reasonOf(cause)}`, { cause })
  }
  const encoded = encodeCanonical({
    v: VERSION,
    c: CLUSTER_ID,
    s: SHARD,
    n: nodes,
    k: link.secret,
    m: link.meshPublicKey,
    e: Math.floor(link.expiresUnixMs / 1000),
  })
  return PREFIX + Buffer.concat([encoded, checksum(encoded)]).toString('base64url')
}

/**
 * Reads a link, from any text that ends in one after `#`.
 *
 * Throws a `WakuError`: `link-malformed` for a mangled link, `link-newer` for one of a later Muster, `link-expired`.
 */
export function parsePairingLink(text: string, nowUnixMs: number): PairingLink {
  const code = text.trim().split('#').at(-1) ?? ''
  if (code.length > LINK_BYTES_MAX * 2 || !/^[A-Za-z0-9_-]+$/.test(code)) throw malformed()
  const bytes = Buffer.from(code, 'base64url')
  const encoded = bytes.subarray(0, -CHECKSUM_BYTES)
  if (!checksum(encoded).equals(bytes.subarray(-CHECKSUM_BYTES))) throw malformed()
  let value: unknown
  try {
    value = decodeCanonical(new Uint8Array(encoded), LINK_BYTES_MAX)
  } catch (cause) {
    throw malformed(cause)
  }
  const version = z.looseObject({ v: z.int() }).safeParse(value)
  if (version.success && version.data.v > VERSION) {
    throw new WakuError('link-newer', 'this link was made by a newer Muster; update this one')
  }
  const parsed = body.safeParse(value)
  if (!parsed.success) throw malformed(parsed.error)
  const { n, k, m, e } = parsed.data
  if (e * 1000 <= nowUnixMs) {
    throw new WakuError('link-expired', 'this link has expired; make a new one with `muster recipient add`')
  }
  try {
    const nodes = n.map((node) => multiaddr(node).toString())
    return { nodes, secret: k, meshPublicKey: m, expiresUnixMs: e * 1000 }
  } catch (cause) {
    throw malformed(cause)
  }
}

function malformed(cause?: unknown): WakuError {
  return new WakuError('link-malformed', 'this is no complete pairing link; copy all of it, from `muster:pair#` on', {
    cause,
  })
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash('sha256').update('muster link').update(bytes).digest().subarray(0, CHECKSUM_BYTES)
}
