/**
 * Canonical bytes: one value, one encoding, one hash.
 *
 * Values are dag-cbor (maps sorted by key, shortest integers, no NaN, no undefined). Reading re-encodes and compares,
 * so that no two byte strings stand for the same record.
 * Source: https://ipld.io/specs/codecs/dag-cbor/spec/
 */
import * as dagCbor from '@ipld/dag-cbor'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { CID } from 'multiformats/cid'
import * as digest from 'multiformats/hashes/digest'
import { ProtocolError } from '../errors.ts'
import { encodeFast } from './fast-canonical.ts'

/** Multihash code of sha2-256. Source: https://github.com/multiformats/multicodec */
const SHA2_256 = 0x12

/** Encodes a value as dag-cbor. Throws when it holds `undefined`, NaN or an infinity: a bug of the caller. */
export function encodeCanonical(value: unknown): Uint8Array {
  return encodeFast(value) ?? dagCbor.encode(value)
}

/**
 * Decodes dag-cbor of at most `bytesMax` bytes.
 *
 * Throws a `ProtocolError`: `too-large`, `malformed`, or `not-canonical` when other bytes would say the same.
 */
export function decodeCanonical(bytes: Uint8Array, bytesMax: number): unknown {
  if (bytes.byteLength > bytesMax) {
    throw new ProtocolError('too-large', `${bytes.byteLength} bytes, at most ${bytesMax} are read`)
  }
  let value: unknown
  let again: Uint8Array
  try {
    value = dagCbor.decode(bytes)
    // Maps nested thousands deep overflow the stack here: malformed as well.
    again = encodeCanonical(value)
  } catch (cause) {
    throw new ProtocolError('malformed', 'not dag-cbor', { cause })
  }
  if (!equalBytes(again, bytes)) throw new ProtocolError('not-canonical', 'not the canonical bytes')
  return value
}

/** The CID (v1, dag-cbor, sha2-256) of bytes that `encodeCanonical` made, as base32 text. */
export function cidOf(bytes: Uint8Array): string {
  return CID.createV1(dagCbor.code, digest.create(SHA2_256, sha256(bytes))).toString()
}

/** Hex digits of an id: 128 bits. Finding another value of the same id is out of reach, and every record carries ids. */
export const ID_DIGITS = 32

/** The id of bytes: the first 32 lower-case hex digits of their sha256. */
export function idOfBytes(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes).subarray(0, ID_DIGITS / 2))
}

/** The id of a value: that of its canonical bytes. */
export function hashOf(value: unknown): string {
  return idOfBytes(encodeCanonical(value))
}

/** True when both hold the same bytes. Not constant-time: never use it on secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false
  // Every record that is read is compared: a loop takes a tenth of what a function called for each byte does.
  for (let index = 0; index < a.byteLength; index += 1) if (a[index] !== b[index]) return false
  return true
}
