/** What the two sides of a pairing say, and the key and the name that they take from the link's secret. */
import { createHash, hkdfSync } from 'node:crypto'
import { decodeCanonical, equalBytes } from '@muster/protocol'
import { z } from 'zod'
import { CONTENT_BYTES_MAX } from './framing.ts'
import { WakuError } from './ports.ts'
import { openWithSecret } from './seal.ts'

/** Version of both messages. */
export const PAIRING_VERSION = 1
/** What a device may call itself, in characters. */
export const DEVICE_NAME_LENGTH_MAX = 64
const HELLO_BYTES_MAX = 1024

const bytesOf = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength === length)

/** From the device: its public key (65 bytes) and what it calls itself. */
const hello = z.strictObject({
  v: z.literal(PAIRING_VERSION),
  id: bytesOf(32),
  key: bytesOf(65),
  name: z.string().max(DEVICE_NAME_LENGTH_MAX),
})

/** From the mesh: bytes for the device, which their own signature must prove. */
const welcome = z.strictObject({
  v: z.literal(PAIRING_VERSION),
  id: bytesOf(32),
  body: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
})

/** The key that seals `hello`: HKDF-SHA-256(secret, info "muster pairing key"), 32 bytes. */
export function pairingKey(secret: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'muster pairing key', 32))
}

/** The name of a pairing, inside the seals: sha256("muster pairing id" ‖ secret). */
export function pairingId(secret: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update('muster pairing id').update(secret).digest())
}

/** Opens the hello of a device that holds the link and proves its key. Throws a `WakuError`, or Zod's for what is none. */
export async function readHello(
  payload: Uint8Array,
  secret: Uint8Array,
): Promise<{ readonly publicKey: Uint8Array; readonly name: string }> {
  const { content, signerPublicKey } = await openWithSecret(payload, pairingKey(secret))
  const { id, key, name } = hello.parse(decodeCanonical(content, HELLO_BYTES_MAX))
  const isProven =
    signerPublicKey !== undefined && equalBytes(signerPublicKey, key) && equalBytes(id, pairingId(secret))
  if (!isProven) throw new WakuError('pairing-refused', 'the device did not prove its key')
  return { publicKey: key, name: name.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '').trim() }
}

/** The bytes for the device in a welcome of this pairing; `undefined` for what is none. */
export function readWelcome(content: Uint8Array, secret: Uint8Array): Uint8Array | undefined {
  try {
    const { id, body } = welcome.parse(decodeCanonical(content, CONTENT_BYTES_MAX))
    return equalBytes(id, pairingId(secret)) ? body : undefined
  } catch {
    return undefined
  }
}

/** The error of a link that is too old. */
export function linkExpired(): WakuError {
  return new WakuError('link-expired', 'the pairing link has expired')
}
