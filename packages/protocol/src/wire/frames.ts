/**
 * Frames: records on their way between two members, each with its age; and digests, with which a member asks for what
 * it lacks. Neither is signed: the connection says whose they are, and the records inside speak for themselves.
 *
 * A frame is the canonical bytes of `[{a: age in milliseconds, r: envelope bytes}, …]`, a digest those of
 * `{h: {host: head}, r: record ids, 16 bytes each}`.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { Carried } from '../effect.ts'
import { ProtocolError } from '../errors.ts'
import type { Digest } from '../event.ts'
import type { MeshId } from '../ids.ts'
import { decodeCanonical, encodeCanonical } from './canonical.ts'
import { encodeRecord } from './encode.ts'
import { wireLimits } from './limits.ts'
import { parseRecord, parseWith } from './parse.ts'
import { digestMap, frameItems } from './schemas.ts'

/** How a frame is to be read. */
export interface FrameOptions {
  readonly mesh: MeshId
  /**
   * Told of each record that is refused; the others are read all the same, so that one record of a later release costs
   * no heartbeat. Without it the first refused record refuses the frame.
   */
  readonly onRefused?: (error: ProtocolError) => void
}

interface Item {
  readonly a: number
  readonly r: Uint8Array
}

/**
 * One frame that carries these records.
 *
 * Throws a `ProtocolError` `too-large` when they are more than a frame holds: see `encodeFrames`.
 */
export function encodeFrame(carried: readonly Carried[]): Uint8Array {
  const bytes = encodeCanonical(carried.map(itemOf))
  if (bytes.byteLength > wireLimits.frameBytes || carried.length > wireLimits.frameRecords) {
    throw new ProtocolError('too-large', `${carried.length} records of ${bytes.byteLength} bytes in one frame`)
  }
  return bytes
}

/**
 * As many frames as these records need, in order. Empty for none.
 *
 * Throws a `ProtocolError` `too-large` when a single record is larger than a frame.
 */
export function encodeFrames(carried: readonly Carried[]): readonly Uint8Array[] {
  const frames: Uint8Array[] = []
  let items: Item[] = []
  let size = FRAME_HEAD_BYTES
  const close = (): void => {
    if (items.length > 0) frames.push(encodeCanonical(items))
    items = []
    size = FRAME_HEAD_BYTES
  }
  for (const one of carried) {
    const item = itemOf(one)
    if (item.r.byteLength > wireLimits.recordBytes) {
      throw new ProtocolError('too-large', `a record of ${item.r.byteLength} bytes`)
    }
    const bytes = item.r.byteLength + ITEM_HEAD_BYTES
    if (size + bytes > wireLimits.frameBytes || items.length === wireLimits.frameRecords) close()
    items.push(item)
    size += bytes
  }
  close()
  return frames
}

/**
 * The records of a frame, with their ages. Their signatures are still to be checked.
 *
 * Throws a `ProtocolError`, as `parseRecord` does; of its records only without `onRefused`.
 */
export function decodeFrame(bytes: Uint8Array, { mesh, onRefused }: FrameOptions): readonly Carried[] {
  const items = parseWith(frameItems, decodeCanonical(bytes, wireLimits.frameBytes), 'frame')
  const carried: Carried[] = []
  for (const { a, r } of items) {
    try {
      carried.push({ record: parseRecord(r, { mesh, bytesMax: wireLimits.recordBytes }), ageMs: a })
    } catch (error) {
      if (onRefused === undefined || !(error instanceof ProtocolError)) throw error
      onRefused(error)
    }
  }
  return carried
}

/** A digest's bytes. What is more than a digest holds is left out: the peer then sends what we have already. */
export function encodeDigest({ heads, records }: Digest): Uint8Array {
  const named = Object.entries(heads).slice(0, wireLimits.digestHeads)
  const ids = records.slice(-wireLimits.digestRecords)
  return encodeCanonical({ h: Object.fromEntries(named), r: hexToBytes(ids.join('')) })
}

/** Reads a digest. Throws a `ProtocolError`: `too-large`, `malformed` or `not-canonical`. */
export function decodeDigest(bytes: Uint8Array): Digest {
  const { h, r } = parseWith(digestMap, decodeCanonical(bytes, wireLimits.digestBytes), 'digest')
  const records: string[] = []
  for (let at = 0; at < r.byteLength; at += wireLimits.recordIdBytes) {
    records.push(bytesToHex(r.subarray(at, at + wireLimits.recordIdBytes)))
  }
  return { heads: h, records }
}

/** At most: the head of a long array; and of a map of two keys, an age and the head of a byte string. */
const FRAME_HEAD_BYTES = 5
const ITEM_HEAD_BYTES = 1 + 2 + 9 + 2 + 5

function itemOf({ record, ageMs }: Carried): Item {
  return { a: Math.min(Math.max(0, Math.round(ageMs)), wireLimits.carriedAgeMs), r: encodeRecord(record) }
}
