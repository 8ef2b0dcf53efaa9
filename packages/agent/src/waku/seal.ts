/**
 * Sealing: opaque bytes become the payload of a Waku message that only its recipient reads.
 *
 * The layers, from inside: a padded frame, 26/WAKU2-PAYLOAD's envelope with its secp256k1 signature, and ECIES to the
 * recipient's key (or AES-256-GCM with a shared secret, for pairing). A stock client opens it with `createDecoder` of
 * `@waku/message-encryption`. Sealing draws new randomness each time: seal once, keep the bytes, and resend those.
 */
import { createECDH, ECDH, hkdfSync } from 'node:crypto'
import { decryptAsymmetric, encryptAsymmetric, postCipher, preCipher } from '@waku/message-encryption/ecies'
import { decryptSymmetric, encryptSymmetric } from '@waku/message-encryption/symmetric'
import { frame, unframe } from './framing.ts'
import { WakuError } from './ports.ts'

/** What was in a seal. */
export interface Opened {
  readonly content: Uint8Array
  /** The 65-byte public key that signed the envelope, or `undefined` when it is unsigned. */
  readonly signerPublicKey?: Uint8Array
}

/** A device's or a mesh's key on Waku: secp256k1. */
export interface WakuKeyPair {
  /** 32 bytes. */
  readonly privateKey: Uint8Array
  /** 65 bytes, uncompressed: 0x04 ‖ x ‖ y. */
  readonly publicKey: Uint8Array
}

/** Draws a new key pair. */
export function generateKeyPair(): WakuKeyPair {
  const ecdh = createECDH('secp256k1')
  const publicKey = ecdh.generateKeys()
  // The private key may come without its leading zeros.
  const privateKey = new Uint8Array(32)
  const bytes = ecdh.getPrivateKey()
  privateKey.set(bytes, 32 - bytes.byteLength)
  return { privateKey, publicKey: new Uint8Array(publicKey) }
}

/**
 * The key pair that a secret stands for: HKDF-SHA-256(secret, info = "muster waku " ‖ label ‖ " " ‖ n), with the first n
 * from 0 on that gives a valid scalar. All hosts of a mesh derive the same signing key from the mesh's secret.
 */
export function deriveKeyPair(secret: Uint8Array, label: string): WakuKeyPair {
  for (let attempt = 0; attempt < 128; attempt += 1) {
    const privateKey = new Uint8Array(hkdfSync('sha256', secret, '', `muster waku ${label} ${attempt}`, 32))
    try {
      return { privateKey, publicKey: publicKeyOf(privateKey) }
    } catch {
      // Zero, or beyond the curve's order: once in 2^128.
    }
  }
  throw new WakuError('bad-key', 'no key could be derived')
}

/** The 65-byte public key of a private key. Throws a `WakuError`, `bad-key`. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  try {
    const ecdh = createECDH('secp256k1')
    ecdh.setPrivateKey(privateKey)
    return new Uint8Array(ecdh.getPublicKey())
  } catch (cause) {
    throw new WakuError('bad-key', 'not a secp256k1 private key of 32 bytes', { cause })
  }
}

/** A public key from 33 or 65 bytes, as hex with or without `0x`, or as bytes. Throws a `WakuError`, `bad-key`. */
export function parsePublicKey(key: Uint8Array | string): Uint8Array {
  try {
    const bytes = typeof key === 'string' ? bytesOfHex(key.trim().replace(/^0x/i, '')) : key
    const point = ECDH.convertKey(bytes, 'secp256k1', undefined, undefined, 'uncompressed')
    if (typeof point === 'string') throw new Error('unexpected text')
    return new Uint8Array(point)
  } catch (cause) {
    throw new WakuError('bad-key', 'not a secp256k1 public key: 33 or 65 bytes, in hex', { cause })
  }
}

/** The 33-byte form of a public key, as records carry it. Throws a `WakuError`, `bad-key`. */
export function compressPublicKey(key: Uint8Array | string): Uint8Array {
  const point = ECDH.convertKey(parsePublicKey(key), 'secp256k1', undefined, undefined, 'compressed')
  if (typeof point === 'string') throw new WakuError('bad-key', 'not a secp256k1 public key')
  return new Uint8Array(point)
}

/** Seals content for a recipient, signed. Throws a `WakuError`: `too-large` or `bad-key`. */
export async function seal(options: {
  readonly content: Uint8Array
  readonly recipientPublicKey: Uint8Array
  readonly signingKey: Uint8Array
}): Promise<Uint8Array> {
  const publicKey = parsePublicKey(options.recipientPublicKey)
  return encryptAsymmetric(await preCipher(frame(options.content), options.signingKey), publicKey)
}

/** Opens what was sealed for a private key. Throws a `WakuError`, `bad-message`: not for us, altered, or no frame. */
export async function open(payload: Uint8Array, privateKey: Uint8Array): Promise<Opened> {
  return opened(() => decryptAsymmetric(payload, privateKey))
}

/** Seals content with a shared secret of 32 bytes, signed. Throws a `WakuError`, `too-large`. */
export async function sealWithSecret(options: {
  readonly content: Uint8Array
  readonly secret: Uint8Array
  readonly signingKey: Uint8Array
}): Promise<Uint8Array> {
  return encryptSymmetric(await preCipher(frame(options.content), options.signingKey), options.secret)
}

/** Opens what was sealed with a shared secret. Throws a `WakuError`, `bad-message`. */
export async function openWithSecret(payload: Uint8Array, secret: Uint8Array): Promise<Opened> {
  return opened(() => decryptSymmetric(payload, secret))
}

/** Throws a `WakuError`, `bad-message`, whatever the libraries throw on hostile bytes. */
async function opened(decrypt: () => Promise<Uint8Array>): Promise<Opened> {
  try {
    const envelope = postCipher(await decrypt())
    if (envelope === undefined) throw new Error('not an envelope')
    const content = unframe(envelope.payload)
    const signer = envelope.sig?.publicKey
    return signer === undefined ? { content } : { content, signerPublicKey: parsePublicKey(signer) }
  } catch (cause) {
    throw new WakuError('bad-message', 'the seal does not open', { cause })
  }
}

function bytesOfHex(hex: string): Uint8Array {
  if (!/^([0-9a-f]{2})+$/i.test(hex)) throw new Error('not hex')
  return Buffer.from(hex, 'hex')
}
