/**
 * The file of one segment: a line that says what it is, then blocks.
 *
 *     "muster-flight 1\n"
 *     block: length u32 LE, crc32 u32 LE, that many bytes of raw deflate (RFC 1951)
 *     a block's content: frames, each with its length u32 LE before it
 *
 * Each block is compressed with the 32 KiB before it as its dictionary, for heartbeats are much alike. A file that ends
 * within a block, as after a crash or while it is written, is good up to the block before.
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import { flightLimits } from './limits.ts'
import { RecordingError } from './recording-error.ts'

/** The version that this release writes and reads. */
export const FLIGHT_VERSION = 1
const WORD = 'muster-flight '
/** How every file begins. */
export const FILE_START: Uint8Array = Buffer.from(`${WORD}${FLIGHT_VERSION}\n`)

const LENGTH_BYTES = 4
const BLOCK_HEAD_BYTES = 8

/** Compresses the frames of one segment, block after block. */
export interface BlockWriter {
  /** The bytes of the next block. */
  block(frames: readonly Uint8Array[]): Uint8Array
}

/** What the frames take in a block before it is compressed. Bytes. */
export function rawBytesOf(frame: Uint8Array): number {
  return frame.byteLength + LENGTH_BYTES
}

/** The most that frames of so many raw bytes can take in the file, were each of them a block. Source: zlib's deflateBound. */
export function fileBytesMax(rawBytes: number, frames: number): number {
  return rawBytes + Math.ceil(rawBytes / 1_000) + frames * (BLOCK_HEAD_BYTES + 16)
}

/** Begins a segment. */
export function createBlockWriter(): BlockWriter {
  let before: Uint8Array = new Uint8Array(0)
  return {
    block(frames) {
      const raw = Buffer.concat(frames.flatMap((frame) => [lengthOf(frame), frame]))
      const packed = deflateRawSync(raw, before.byteLength === 0 ? {} : { dictionary: before })
      before = windowOf(before, raw)
      const head = Buffer.alloc(BLOCK_HEAD_BYTES)
      head.writeUInt32LE(packed.byteLength, 0)
      head.writeUInt32LE(crc32(packed), LENGTH_BYTES)
      return Buffer.concat([head, packed])
    },
  }
}

/** How the reading of a file came to its end: after a whole block, within one that was never finished, or at damage. */
export type FileEnd = 'whole' | 'torn' | 'damaged'

/** The frames of a file up to its end or its tear. Throws a `RecordingError` `foreign` or `newer-version`. */
export function* readFrames(file: Uint8Array): Generator<Uint8Array, FileEnd> {
  checkStart(file)
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  let before: Uint8Array = new Uint8Array(0)
  let at = FILE_START.byteLength
  let rawLeft: number = flightLimits.rawBytes
  while (at < bytes.byteLength) {
    if (at + BLOCK_HEAD_BYTES > bytes.byteLength) return 'torn'
    const length = bytes.readUInt32LE(at)
    const start = at + BLOCK_HEAD_BYTES
    if (start + length > bytes.byteLength) return 'torn'
    const packed = bytes.subarray(start, start + length)
    if (crc32(packed) !== bytes.readUInt32LE(at + LENGTH_BYTES)) return 'damaged'
    const raw = unpack(packed, before, Math.min(rawLeft, flightLimits.frameBytes + flightLimits.blockBytes))
    if (raw === null || !(yield* framesOf(raw))) return 'damaged'
    rawLeft -= raw.byteLength
    before = windowOf(before, raw)
    at = start + length
  }
  return 'whole'
}

function checkStart(file: Uint8Array): void {
  const start = Buffer.from(file.subarray(0, WORD.length + 8)).toString('latin1')
  const version = /^muster-flight ([0-9]{1,6})\n/.exec(start)?.[1]
  if (version === undefined) throw new RecordingError('foreign', 'this is no recording of muster')
  if (Number(version) !== FLIGHT_VERSION) {
    throw new RecordingError('newer-version', `version ${version}, this release reads ${FLIGHT_VERSION}`)
  }
}

function unpack(packed: Uint8Array, dictionary: Uint8Array, maxOutputLength: number): Buffer | null {
  try {
    return inflateRawSync(packed, dictionary.byteLength === 0 ? { maxOutputLength } : { maxOutputLength, dictionary })
  } catch {
    return null
  }
}

/** False when the content is not made of frames. */
function* framesOf(raw: Buffer): Generator<Uint8Array, boolean> {
  let at = 0
  while (at < raw.byteLength) {
    if (at + LENGTH_BYTES > raw.byteLength) return false
    const end = at + LENGTH_BYTES + raw.readUInt32LE(at)
    if (end > raw.byteLength) return false
    yield raw.subarray(at + LENGTH_BYTES, end)
    at = end
  }
  return true
}

function windowOf(before: Uint8Array, raw: Uint8Array): Uint8Array {
  if (raw.byteLength >= flightLimits.windowBytes) return Uint8Array.from(raw.subarray(-flightLimits.windowBytes))
  return Buffer.concat([before.subarray(-(flightLimits.windowBytes - raw.byteLength)), raw])
}

function lengthOf(frame: Uint8Array): Uint8Array {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(frame.byteLength)
  return length
}
