/**
 * Unpacks Snappy, in which LevelDB packs its blocks: a length, then pieces that are literal or copied from what is unpacked.
 * Source: https://github.com/google/snappy/blob/main/format_description.txt
 */
import { readVarint } from './varint.ts'

/** The bytes that were packed, or null when these are none. At most `bytesMax`. */
export function unpackSnappy(packed: Uint8Array, bytesMax: number): Uint8Array | null {
  const header = readVarint(packed, 0)
  if (header === null || header.value > bytesMax) return null
  const out = new Uint8Array(header.value)
  let at = header.end
  let to = 0
  const number = (bytes: number): number => {
    let value = 0
    for (let index = bytes - 1; index >= 0; index -= 1) value = value * 256 + (packed[at + index] ?? 0)
    at += bytes
    return value
  }
  while (at < packed.byteLength) {
    const tag = number(1)
    const kind = tag & 3
    if (kind === 0) {
      const short = tag >>> 2
      const length = 1 + (short < 60 ? short : number(short - 59))
      if (at + length > packed.byteLength || to + length > out.byteLength) return null
      out.set(packed.subarray(at, at + length), to)
      at += length
      to += length
      continue
    }
    const length = kind === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2)
    const back = kind === 1 ? (tag >>> 5) * 256 + number(1) : number(kind === 2 ? 2 : 4)
    if (back === 0 || back > to || to + length > out.byteLength) return null
    // One by one: a piece may be copied from what it makes itself.
    for (let index = 0; index < length; index += 1) out[to + index] = out[to + index - back] ?? 0
    to += length
  }
  return to === out.byteLength ? out : null
}
