/** What the two sides of a pairing say, and the key and the name that they take from the link's secret. */
import { createHash, hkdfSync } from 'node:crypto'
import { z } from 'zod'
import { WakuError } from './ports.ts'

/** Version of both messages. */
export const PAIRING_VERSION = 1
/** What a device may call itself, in characters. */
export const DEVICE_NAME_LENGTH_MAX = 64

const bytesOf = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength === length)

/** From the device: its public key (65 bytes) and what it calls itself. */
export const hello = z.strictObject({
  v: z.literal(PAIRING_VERSION),
  id: bytesOf(32),
  key: bytesOf(65),
  name: z.string().max(DEVICE_NAME_LENGTH_MAX),
})

/** From the mesh: bytes for the device, which their own signature must prove. */
export const welcome = z.strictObject({
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

/** The error of a link that is too old. */
export function linkExpired(): WakuError {
  return new WakuError('link-expired', 'the pairing link has expired')
}
