/**
 * The signed envelope that every record travels in.
 *
 * What is signed is the canonical bytes of `["muster", domain, version, mesh, signer, body]`: a signature made for one
 * domain, version, mesh or signer is worth nothing in another. The envelope itself is the canonical bytes of
 * `{b: body, d: domain, g: signature, m: mesh, s: signer, v: version}`.
 * A record inside a body (the evidence of a vote, the votes of a verdict) is laid out as that same map, in what is
 * signed as in what is sent.
 * The core never signs or verifies: shells do, and hand it what they have verified.
 */
import { ProtocolError } from '../errors.ts'
import type { HostId, MeshId } from '../ids.ts'
import { decodeCanonical, encodeCanonical } from './canonical.ts'
import type { Verdict, Vote } from './records.ts'

/** The version that this code writes. Readers take it and the one before (there is none yet). */
export const WIRE_VERSION = 1

/** A record as it was signed. `signature` is 64 bytes of Ed25519 (empty in a simulated world, where nobody forges). */
export interface Signed<Body> {
  readonly domain: string
  readonly version: number
  readonly mesh: MeshId
  readonly signer: HostId
  readonly body: Body
  readonly signature: Uint8Array
}

/** Exactly the bytes that a signature covers. */
export function bytesToSign(record: Omit<Signed<unknown>, 'signature'>): Uint8Array {
  const { domain, version, mesh, signer, body } = record
  return encodeCanonical(['muster', domain, version, mesh, signer, bodyOnWire(domain, body)])
}

/** The envelope's canonical bytes, as sent and stored. */
export function encodeEnvelope(record: Signed<unknown>): Uint8Array {
  return encodeCanonical(envelopeMap(record))
}

function envelopeMap({ domain, version, mesh, signer, body, signature }: Signed<unknown>): Record<string, unknown> {
  return { b: bodyOnWire(domain, body), d: domain, g: signature, m: mesh, s: signer, v: version }
}

/** A body as it is encoded: only votes and verdicts hold records of their own. */
function bodyOnWire(domain: string, body: unknown): unknown {
  if (domain !== 'vote' && domain !== 'verdict') return body
  const { evidence, votes } = body as Partial<Verdict>
  return {
    ...(body as Partial<Vote | Verdict>),
    ...(evidence ? { evidence: envelopeMap(evidence) } : {}),
    ...(votes ? { votes: votes.map(envelopeMap) } : {}),
  }
}

/**
 * Reads an envelope of at most `bytesMax` bytes. The body is not yet parsed and the signature not yet checked.
 *
 * Throws a `ProtocolError`: `too-large`, `malformed`, `not-canonical`, or `newer-version` when it is from a release to come.
 */
export function decodeEnvelope(bytes: Uint8Array, bytesMax: number): Signed<unknown> {
  return readEnvelope(decodeCanonical(bytes, bytesMax))
}

/** The same for an envelope nested in another record, already decoded. */
export function readEnvelope(value: unknown): Signed<unknown> {
  if (typeof value !== 'object' || value === null) throw new ProtocolError('malformed', 'an envelope is a map')
  const { b: body, d: domain, g: signature, m: mesh, s: signer, v: version, ...rest } = value as Record<string, unknown>
  if (typeof version === 'number' && version > WIRE_VERSION) {
    throw new ProtocolError('newer-version', `version ${version}, this release reads up to ${WIRE_VERSION}`)
  }
  if (
    version !== WIRE_VERSION ||
    typeof domain !== 'string' ||
    typeof mesh !== 'string' ||
    typeof signer !== 'string' ||
    !(signature instanceof Uint8Array) ||
    body === undefined ||
    Object.keys(rest).length > 0
  ) {
    throw new ProtocolError('malformed', 'an envelope has b, d, g, m, s and v')
  }
  return { domain, version, mesh, signer, body, signature }
}
