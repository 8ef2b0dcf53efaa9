/**
 * XSalsa20 as a stream cipher over chunks of any length.
 *
 * The library encrypts a whole message from a block counter on; a connection arrives in pieces. So we remember the
 * position in the stream and start each piece at its 64-byte block, with the odd bytes of the block skipped.
 */
import { xsalsa20 } from '@noble/ciphers/salsa.js'

const BLOCK_BYTES = 64

/** One direction of an encrypted stream. */
export interface Keystream {
  /** XORs the next bytes of the stream into a new array. Throws after 256 GiB, or once forgotten. */
  xor(data: Uint8Array): Uint8Array
  /** Drops the key. */
  forget(): void
}

/** A keystream from a 32-byte key and a 24-byte nonce. */
export function createKeystream(key: Uint8Array, nonce: Uint8Array): Keystream {
  // A true copy, as it is wiped later: `slice` of a Buffer would be the caller's own memory.
  let secret: Uint8Array | undefined = new Uint8Array(key)
  let position = 0

  return {
    xor(data) {
      if (secret === undefined) throw new Error('the keystream is forgotten')
      const skip = position % BLOCK_BYTES
      const block = Math.floor(position / BLOCK_BYTES)
      // A fresh, aligned buffer: the library is several times faster on whole aligned words.
      const padded = new Uint8Array(skip + data.byteLength)
      padded.set(data, skip)
      xsalsa20(secret, nonce, padded, padded, block)
      position += data.byteLength
      return padded.subarray(skip)
    },
    forget() {
      secret?.fill(0)
      secret = undefined
    },
  }
}
