/**
 * How things are laid out in the database, so that the order of bytes is the order we read in.
 *
 *   entry   e <host> 00 <incarnation: u64> <seq: u64>
 *   age     t <stored at, unix ms: u64> <the entry's key>
 *   record  f <family> 00 <key>
 *   meta    m <name>
 *
 * Numbers are big-endian. A change of this layout is a new `FORMAT_VERSION`.
 */
import { assert } from '@muster/protocol'

/** The layout that this code reads and writes. */
export const FORMAT_VERSION = 1

/** Characters of a host id that fit in a key: a peer id has 52. */
const HOST_CHARACTERS_MAX = 128
const U64_BYTES = 8
const NUL = 0

const ENTRY = 0x65
const AGE = 0x74
const RECORD = 0x66
const META = 0x6d

/** A place in a host's log. */
export interface LogPosition {
  readonly incarnation: number
  readonly seq: number
}

const text = (value: string): Uint8Array => Buffer.from(value, 'utf8')

function u64(value: number): Uint8Array {
  assert(Number.isSafeInteger(value) && value >= 0, 'a number in a key is a whole one from 0')
  const bytes = Buffer.alloc(U64_BYTES)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** The first key after all that start with these bytes, which do not end in 0xff. */
export function after(prefix: Uint8Array): Uint8Array {
  const last = prefix.byteLength - 1
  return prefix.with(last, (prefix[last] ?? 0) + 1)
}

/** What all entries of one host start with; without a host, what all entries start with. */
export function entryPrefix(host?: string): Uint8Array {
  if (host === undefined) return Uint8Array.of(ENTRY)
  assert(/^[\x21-\x7e]+$/.test(host) && host.length <= HOST_CHARACTERS_MAX, 'a host id is short printable text')
  return join(Uint8Array.of(ENTRY), text(host), Uint8Array.of(NUL))
}

/** The key of one entry. */
export function entryKey(host: string, { incarnation, seq }: LogPosition): Uint8Array {
  return join(entryPrefix(host), u64(incarnation), u64(seq))
}

/** Reads an entry's key. */
export function readEntryKey(key: Uint8Array): LogPosition & { readonly host: string } {
  const buffer = Buffer.from(key)
  const numbers = buffer.byteLength - 2 * U64_BYTES
  assert(buffer[0] === ENTRY && numbers > 1 && buffer[numbers - 1] === NUL, 'this is the key of an entry')
  return {
    host: buffer.toString('utf8', 1, numbers - 1),
    incarnation: Number(buffer.readBigUInt64BE(numbers)),
    seq: Number(buffer.readBigUInt64BE(numbers + U64_BYTES)),
  }
}

/** The key by which an entry is found when it is old. */
export function ageKey(storedAtUnixMs: number, key: Uint8Array): Uint8Array {
  return join(Uint8Array.of(AGE), u64(storedAtUnixMs), key)
}

/** All that was stored before this moment is below this key. */
export function ageEnd(beforeUnixMs: number): Uint8Array {
  return join(Uint8Array.of(AGE), u64(beforeUnixMs))
}

/** The key of the first thing stored. */
export function ageStart(): Uint8Array {
  return Uint8Array.of(AGE)
}

/** The entry's key inside the key of its age. */
export function entryKeyOfAge(key: Uint8Array): Uint8Array {
  return key.slice(1 + U64_BYTES)
}

/** What all records of a family start with. */
export function recordPrefix(family: string): Uint8Array {
  return join(Uint8Array.of(RECORD), text(family), Uint8Array.of(NUL))
}

/** The key of one record. */
export function recordKey(family: string, key: string): Uint8Array {
  return join(recordPrefix(family), text(key))
}

/** The record's own key inside its database key. */
export function readRecordKey(family: string, key: Uint8Array): string {
  return Buffer.from(key.subarray(recordPrefix(family).byteLength)).toString('utf8')
}

/** The key of a fact about the store itself. */
export function metaKey(name: string): Uint8Array {
  return join(Uint8Array.of(META), text(name))
}
