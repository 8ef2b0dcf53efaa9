/**
 * Ed25519 over raw 32-byte keys, with Node's own implementation.
 *
 * Node wants keys in DER; for Ed25519 that is a fixed prefix before the raw bytes.
 * Source: RFC 8032 (signatures), RFC 8410 sections 4 and 7 (the DER forms).
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** Bytes of a seed and of a public key. */
export const ED25519_KEY_BYTES = 32
/** Bytes of a signature. */
export const ED25519_SIGNATURE_BYTES = 64

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** A key pair that signs. The seed stays inside. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** The 64-byte signature of the bytes. */
  sign(bytes: Uint8Array): Uint8Array
}

/** The key pair of a 32-byte seed. Throws when the seed has another length: a bug of the caller. */
export function signingKeyOf(seed: Uint8Array): SigningKey {
  if (seed.byteLength !== ED25519_KEY_BYTES) throw new Error(`a seed has ${ED25519_KEY_BYTES} bytes`)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = rawPublicKey(createPublicKey(key))
  return { publicKey, sign: (bytes) => new Uint8Array(sign(null, bytes, key)) }
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.byteLength))
}

/** Tells whether signatures were made by the owner of one public key. Never throws or rejects on bad input. */
export interface Verifier {
  verifies(bytes: Uint8Array, signature: Uint8Array): boolean
  /** The same on another thread: for who has many to check. */
  verifiesLater(bytes: Uint8Array, signature: Uint8Array): Promise<boolean>
}

/** What checks signatures by a raw public key. Made once for many of them, it saves a third of the time. */
export function verifierOf(publicKey: Uint8Array): Verifier {
  const key = keyObjectOf(publicKey)
  const isOne = (signature: Uint8Array): boolean => signature.byteLength === ED25519_SIGNATURE_BYTES
  return {
    verifies(bytes, signature) {
      if (key === null || !isOne(signature)) return false
      try {
        return verify(null, bytes, key, signature)
      } catch {
        // OpenSSL may refuse bytes that are no point of the curve.
        return false
      }
    },
    verifiesLater(bytes, signature) {
      if (key === null || !isOne(signature)) return Promise.resolve(false)
      return new Promise((resolve) =>
        verify(null, bytes, key, signature, (error, isGenuine) => resolve(error === null && isGenuine)),
      )
    },
  }
}

function keyObjectOf(publicKey: Uint8Array): KeyObject | null {
  if (publicKey.byteLength !== ED25519_KEY_BYTES) return null
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
  } catch {
    return null
  }
}

/** Whether the signature of the bytes was made by the owner of a raw public key. Never throws on bad input. */
export function verifySignature(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verifierOf(publicKey).verifies(bytes, signature)
}
