/**
 * Padding: what lies inside the seal has one of a few sizes, so that an observer learns a size class and no length.
 *
 * A frame is: version (1 byte, 1) ‖ length of the content (4 bytes, big-endian) ‖ content ‖ zeros up to the class.
 */
import { WakuError } from './ports.ts'

/** Sizes of a frame, in bytes. Each doubles the one before, so padding at most doubles a message. */
export const FRAME_BYTES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const

/** Bytes before the content. */
export const FRAME_HEADER_BYTES = 5

/** The longest content, in bytes. */
export const CONTENT_BYTES_MAX = 65_536 - FRAME_HEADER_BYTES

const VERSION = 1

/** Pads content to the smallest class that holds it. Throws a `WakuError`, `too-large`. */
export function frame(content: Uint8Array): Uint8Array {
  const size = FRAME_BYTES.find((bytes) => bytes >= content.byteLength + FRAME_HEADER_BYTES)
  if (size === undefined) {
    throw new WakuError('too-large', `${content.byteLength} bytes to seal; at most ${CONTENT_BYTES_MAX} fit`)
  }
  const framed = new Uint8Array(size)
  const header = new DataView(framed.buffer)
  header.setUint8(0, VERSION)
  header.setUint32(1, content.byteLength)
  framed.set(content, FRAME_HEADER_BYTES)
  return framed
}

/** The content of a frame. Throws a `WakuError`, `bad-message`. */
export function unframe(framed: Uint8Array): Uint8Array {
  const isKnown = framed.byteLength >= FRAME_HEADER_BYTES && framed[0] === VERSION
  if (!isKnown) throw new WakuError('bad-message', 'not a frame of version 1')
  const length = new DataView(framed.buffer, framed.byteOffset, framed.byteLength).getUint32(1)
  if (length > framed.byteLength - FRAME_HEADER_BYTES) throw new WakuError('bad-message', 'the frame is cut short')
  return framed.slice(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length)
}
