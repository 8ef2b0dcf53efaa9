/** Numbers as LevelDB and Snappy write them: seven bits a byte, the lowest first, the high bit set on all but the last. */

/** A number and where it ends. */
interface Varint {
  readonly value: number
  readonly end: number
}

/** Reads one of at most 53 bits. Null where there is none. */
export function readVarint(bytes: Uint8Array, start: number): Varint | null {
  let value = 0
  let scale = 1
  for (let at = start; at < bytes.byteLength; at += 1) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * scale
    scale *= 0x80
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, end: at + 1 } : null
  }
  return null
}
