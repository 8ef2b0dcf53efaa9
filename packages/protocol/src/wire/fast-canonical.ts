/**
 * Canonical bytes in one pass, for the values that records are made of.
 *
 * Every entry is encoded to name it, and every record to sign, send or count it: the general encoder, which builds a token
 * for each key to sort them, was a tenth of all that a simulated mesh did. This one writes plain maps, lists, ASCII text,
 * numbers and bytes straight into one buffer. Whatever else there is it leaves to the general one, so that a value has the
 * same bytes by either, and what cannot be encoded fails there.
 * Source: https://ipld.io/specs/codecs/dag-cbor/spec/ and RFC 8949, section 3.
 */

/** Major types in the three high bits of an item's first byte, and what is written whole. */
const UINT = 0x00
const NEGATIVE = 0x20
const BYTES = 0x40
const TEXT = 0x60
const LIST = 0x80
const MAP = 0xa0
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
const FLOAT64 = 0xfb

/** Deeper values are left to the general encoder, which says what is wrong with a circle. */
const DEPTH_MAX = 16
const BUFFER_BYTES = 64 * 1024
/** The most that one item takes besides its text or bytes. */
const HEAD_BYTES = 9
/** Map keys that a link to other content would have, which has an encoding of its own. */
const LINK_KEYS: ReadonlySet<string> = new Set(['/', 'asCID'])

/** One buffer for all values: nothing is encoded while another value is. What is larger, the general encoder takes. */
const buffer = new Uint8Array(BUFFER_BYTES)
const view = new DataView(buffer.buffer)
let end = 0

/** The canonical bytes of a value, or null when it is one for the general encoder. */
export function encodeFast(value: unknown): Uint8Array | null {
  end = 0
  return write(value, 0) ? buffer.slice(0, end) : null
}

/** Writes one value. False when it cannot. */
function write(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return writeText(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return writeByte(value ? TRUE : FALSE)
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return writeByte(NULL)
  if (depth > DEPTH_MAX) return false
  if (Array.isArray(value)) return writeList(value, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) return writeMap(value as Readonly<Record<string, unknown>>, depth)
  return prototype === Uint8Array.prototype ? writeBytes(value as Uint8Array) : false
}

function writeMap(map: Readonly<Record<string, unknown>>, depth: number): boolean {
  const keys = sorted(Object.keys(map))
  if (!writeHead(MAP, keys.length)) return false
  for (const key of keys) {
    if (LINK_KEYS.has(key) || !writeText(key) || !write(map[key], depth + 1)) return false
  }
  return true
}

/** In place, by length and then by code: few keys, and mostly in the same order each time. */
function sorted(keys: string[]): readonly string[] {
  for (let index = 1; index < keys.length; index += 1) {
    const key = keys[index] as string
    let place = index
    for (; place > 0; place -= 1) {
      const before = keys[place - 1] as string
      if (before.length < key.length || (before.length === key.length && before < key)) break
      keys[place] = before
    }
    keys[place] = key
  }
  return keys
}

function writeList(list: readonly unknown[], depth: number): boolean {
  if (!writeHead(LIST, list.length)) return false
  for (let index = 0; index < list.length; index += 1) if (!write(list[index], depth + 1)) return false
  return true
}

function writeText(text: string): boolean {
  const { length } = text
  if (!hasRoomFor(length) || !writeHead(TEXT, length)) return false
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) return false
    buffer[end + index] = code
  }
  end += length
  return true
}

function writeBytes(bytes: Uint8Array): boolean {
  if (!hasRoomFor(bytes.length) || !writeHead(BYTES, bytes.length)) return false
  buffer.set(bytes, end)
  end += bytes.length
  return true
}

function writeNumber(value: number): boolean {
  if (Number.isSafeInteger(value)) return value >= 0 ? writeHead(UINT, value) : writeHead(NEGATIVE, -1 - value)
  if (!Number.isFinite(value) || !hasRoomFor(0)) return false
  buffer[end] = FLOAT64
  view.setFloat64(end + 1, value)
  end += 9
  return true
}

/** The first byte of an item with its count or value, in as few bytes as hold it. */
function writeHead(major: number, count: number): boolean {
  if (!hasRoomFor(0)) return false
  if (count < 24) {
    buffer[end] = major | count
    end += 1
  } else if (count < 0x100) {
    buffer[end] = major | 24
    buffer[end + 1] = count
    end += 2
  } else if (count < 0x10000) {
    buffer[end] = major | 25
    view.setUint16(end + 1, count)
    end += 3
  } else if (count < 0x100000000) {
    buffer[end] = major | 26
    view.setUint32(end + 1, count)
    end += 5
  } else {
    buffer[end] = major | 27
    view.setUint32(end + 1, Math.floor(count / 0x100000000))
    view.setUint32(end + 5, count % 0x100000000)
    end += 9
  }
  return true
}

function writeByte(byte: number): boolean {
  if (!hasRoomFor(0)) return false
  buffer[end] = byte
  end += 1
  return true
}

function hasRoomFor(bytes: number): boolean {
  return end + bytes + HEAD_BYTES <= BUFFER_BYTES
}
