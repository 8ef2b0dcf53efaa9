/**
 * A host's identity: an Ed25519 key, born on the host and never leaving it.
 *
 * `identity.key` is two lines of text: `muster identity key 1`, then the 32-byte seed as 64 hex digits.
 * The host's id is libp2p's peer id of the key: base58btc of the identity multihash (0x00, length) of the protobuf
 * `PublicKey{Type: Ed25519, Data}`. The public key is inside the id, so whoever knows the id can verify.
 * Source: https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md
 */
import { randomBytes } from 'node:crypto'
import { type HostId, ProtocolError } from '@muster/protocol'
import { base58btc } from 'multiformats/bases/base58'
import { configError } from '../config/errors.ts'
import { ED25519_KEY_BYTES, type SigningKey, signingKeyOf, type Verifier, verifierOf } from './ed25519.ts'
import { type KeyFileWords, readKeyFile, writeKeyFile } from './key-file.ts'

/** Multihash `identity` of 36 bytes, then protobuf field 1 = 1 (Ed25519) and field 2 = 32 bytes. */
const PEER_ID_PREFIX = Buffer.from('002408011220', 'hex')
/** Every Ed25519 peer id has this many characters. */
const HOST_ID_CHARACTERS = 52

const HEADER = 'muster identity key 1'
const WORDS: KeyFileWords = {
  code: 'identity-key',
  noun: 'identity key',
  whenMissing:
    'put it back, or set this host up anew: move the folder away, then: muster join --key FILE --peer ADDRESS',
}

/** A host's key pair. */
export interface HostKey extends SigningKey {
  readonly hostId: HostId
  /** 32 secret bytes, for the swarm's noise handshake. Never logged, never sent. */
  readonly seed: Uint8Array
}

/** The key pair of a seed. */
export function hostKeyOf(seed: Uint8Array): HostKey {
  const key = signingKeyOf(seed)
  // Not enumerable: a key that ends up in a log line shows no seed.
  return Object.defineProperty({ ...key, hostId: hostIdOf(key.publicKey) }, 'seed', { value: seed }) as HostKey
}

/** A new identity from the system's generator. */
export function generateHostKey(): HostKey {
  return hostKeyOf(new Uint8Array(randomBytes(ED25519_KEY_BYTES)))
}

/** The id of the host whose public key this is. */
export function hostIdOf(publicKey: Uint8Array): HostId {
  return base58btc.baseEncode(Buffer.concat([PEER_ID_PREFIX, publicKey]))
}

/**
 * The 32-byte public key inside a host's id.
 *
 * Throws a `ProtocolError` `malformed` when the text is no peer id of an Ed25519 key.
 */
export function publicKeyOfHost(hostId: HostId): Uint8Array {
  const bytes = hostId.length === HOST_ID_CHARACTERS ? decodeBase58(hostId) : undefined
  if (
    bytes?.byteLength !== PEER_ID_PREFIX.byteLength + ED25519_KEY_BYTES ||
    !PEER_ID_PREFIX.equals(bytes.subarray(0, PEER_ID_PREFIX.byteLength))
  ) {
    throw new ProtocolError('malformed', 'not the id of an Ed25519 host key')
  }
  return bytes.slice(PEER_ID_PREFIX.byteLength)
}

function decodeBase58(text: string): Uint8Array | undefined {
  try {
    return base58btc.baseDecode(text)
  } catch {
    return undefined
  }
}

/** What checks the signatures of a host, by its id. A memo: forgetting it costs time only. */
const verifiers = new Map<HostId, Verifier>()
/** More than a mesh has members. */
const VERIFIERS_MAX = 4_096

/** Null for an id that is none. */
function verifierOfHost(hostId: HostId): Verifier | null {
  const known = verifiers.get(hostId)
  if (known !== undefined) return known
  try {
    const verifier = verifierOf(publicKeyOfHost(hostId))
    if (verifiers.size >= VERIFIERS_MAX) verifiers.clear()
    verifiers.set(hostId, verifier)
    return verifier
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}

/** Whether the host signed the bytes. False, and never an error, for an id that is none. */
export function verify(hostId: HostId, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verifierOfHost(hostId)?.verifies(bytes, signature) ?? false
}

/** The same on another thread: for who has many to check. */
export async function verifyLater(hostId: HostId, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return (await verifierOfHost(hostId)?.verifiesLater(bytes, signature)) ?? false
}

/** The text of an identity file. */
export function formatHostKey(key: HostKey): string {
  return `${HEADER}\n${Buffer.from(key.seed).toString('hex')}\n`
}

/** Reads the text of an identity file. Throws a `ConfigError` `identity-key-malformed` that never repeats the seed. */
export function parseHostKey(text: string, file: string): HostKey {
  const [header, digits = '', ...rest] = text.split('\n').map((line) => line.trimEnd())
  const remedy = 'restore the file from a backup; without it, this host must join again under a new identity'
  const fail = (line: number, what: string) => configError({ code: 'identity-key-malformed', file, line, what, remedy })
  if (header !== HEADER) throw fail(1, `this is not "${HEADER}"`)
  if (!/^[0-9a-f]{64}$/.test(digits)) throw fail(2, 'this is not a seed of 64 hex digits')
  const extra = rest.findIndex((line) => line !== '')
  if (extra !== -1) throw fail(3 + extra, 'nothing may follow the seed')
  return hostKeyOf(new Uint8Array(Buffer.from(digits, 'hex')))
}

/** Reads `identity.key`. Throws a `ConfigError`: `identity-key-missing`, `-unreadable`, `-exposed`, `-empty`, `-malformed`. */
export async function readHostKey(path: string): Promise<HostKey> {
  return await readKeyFile(path, WORDS, (text) => parseHostKey(text, path))
}

/** Writes `identity.key`. Throws a `ConfigError` `identity-key-exists` instead of overwriting. */
export async function writeHostKey(path: string, key: HostKey): Promise<void> {
  await writeKeyFile(path, formatHostKey(key), WORDS)
}
