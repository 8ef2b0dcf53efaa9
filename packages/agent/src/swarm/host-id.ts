/** A host's id from its key: the text form of a libp2p peer id, which carries the whole Ed25519 public key. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { HostId } from '@muster/protocol'
import { base58btc } from 'multiformats/bases/base58'

/** RFC 8410: an Ed25519 private key as PKCS #8 is this and the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
/** Identity multihash (0x00, 36 bytes) of libp2p's PublicKey message: type Ed25519, 32 bytes of key. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/** The Ed25519 public key, 32 bytes, that belongs to a seed of 32 bytes. Throws on another length. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  if (seed.byteLength !== 32) throw new Error('an Ed25519 seed has 32 bytes')
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32))
}

/** The host id of an Ed25519 public key, 32 bytes. */
export function hostIdOfPublicKey(publicKey: Uint8Array): HostId {
  return base58btc.baseEncode(Uint8Array.of(...PEER_ID_PREFIX, ...publicKey))
}

/** The host id that belongs to a seed of 32 bytes. */
export function hostIdOfSeed(seed: Uint8Array): HostId {
  return hostIdOfPublicKey(publicKeyOf(seed))
}

/** The Ed25519 public key, 32 bytes, in a host id; undefined when the text is no such id. */
export function publicKeyOfHostId(host: HostId): Uint8Array | undefined {
  try {
    const bytes = base58btc.baseDecode(host)
    const isEd25519 = PEER_ID_PREFIX.every((byte, i) => bytes[i] === byte)
    return isEd25519 && bytes.byteLength === 38 ? bytes.slice(6) : undefined
  } catch {
    return undefined
  }
}
