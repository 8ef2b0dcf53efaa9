/**
 * Which blocks of LevelDB's tables are not what was written.
 *
 * LevelDB does not check what it reads, and some damage ends the whole process by an assertion in it. So who looks at a store
 * that may be damaged looks for damaged blocks first, by the sums that are stored with them.
 *
 * A table is a row of blocks; after each come its kind (a byte: 0 as it is, 1 packed by Snappy) and the masked CRC-32C of
 * both. Two of them are indexes, with keys and places of the others: one of filters, one of data. A footer of 48 bytes has the
 * places of both, padding and a magic number. A place is two varints: offset and size.
 * Source: https://github.com/google/leveldb/blob/1.20/doc/table_format.md, table/format.cc and util/crc32c.h there.
 */
import { crc32c } from './crc32c.ts'
import { unpackSnappy } from './snappy.ts'
import { readVarint } from './varint.ts'

const FOOTER_BYTES = 48
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
/** The kind of a block, and its sum. */
const TRAILER_BYTES = 5
const SNAPPY = 1
/** An index has some 50 bytes for each 4 kB of a table of 2 MB. */
const INDEX_BYTES_MAX = 16 * 1024 * 1024
/** Restart points at the end of a block: so many numbers of four bytes, and how many they are. */
const U32_BYTES = 4

/** Where a block of a table is. */
export interface BlockPlace {
  readonly offset: number
  /** Without its trailer: what follows is the byte of its kind. */
  readonly size: number
}

/** The damaged blocks of a table. Null when an index is damaged, so that they cannot be found. */
export function damagedBlocks(table: Buffer): readonly BlockPlace[] | null {
  const places = table.byteLength < FOOTER_BYTES ? null : indexPlaces(table)
  if (places === null || !places.every((place) => isSound(table, place))) return null
  const blocks: BlockPlace[] = []
  for (const place of places) {
    const named = blocksOf(table, place)
    if (named === null) return null
    blocks.push(...named)
  }
  return blocks.filter((block) => !isSound(table, block))
}

/** Both places in the footer. */
function indexPlaces(table: Buffer): readonly BlockPlace[] | null {
  const footer = table.subarray(-FOOTER_BYTES)
  if (!footer.subarray(-MAGIC.byteLength).equals(MAGIC)) return null
  const meta = readPlace(footer, 0)
  const index = meta === null ? null : readPlace(footer, meta.end)
  return meta === null || index === null ? null : [meta, index]
}

function readPlace(bytes: Uint8Array, start: number): (BlockPlace & { readonly end: number }) | null {
  const offset = readVarint(bytes, start)
  const size = offset === null ? null : readVarint(bytes, offset.end)
  return offset === null || size === null ? null : { offset: offset.value, size: size.value, end: size.end }
}

function isSound(table: Buffer, { offset, size }: BlockPlace): boolean {
  if (offset + size + TRAILER_BYTES > table.byteLength - FOOTER_BYTES) return false
  const summed = offset + size + 1
  return table.readUInt32LE(summed) === masked(crc32c(table.subarray(offset, summed)))
}

/** So that the sum of bytes that hold sums is a good one too. */
function masked(sum: number): number {
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0
}

/** The places that an index names: entries of three lengths (shared with the key before, own, value), key and value. */
function blocksOf(table: Buffer, { offset, size }: BlockPlace): readonly BlockPlace[] | null {
  const stored = table.subarray(offset, offset + size)
  const index = table[offset + size] === SNAPPY ? unpackSnappy(stored, INDEX_BYTES_MAX) : stored
  if (index === null || index.byteLength < U32_BYTES) return null
  const restarts = Buffer.from(index.buffer, index.byteOffset, index.byteLength).readUInt32LE(
    index.byteLength - U32_BYTES,
  )
  const end = index.byteLength - U32_BYTES * (1 + restarts)
  const blocks: BlockPlace[] = []
  for (let at = 0; at < end; ) {
    const shared = readVarint(index, at)
    const own = shared === null ? null : readVarint(index, shared.end)
    const value = own === null ? null : readVarint(index, own.end)
    const place = own === null || value === null ? null : readPlace(index, value.end + own.value)
    if (own === null || value === null || place === null) return null
    blocks.push({ offset: place.offset, size: place.size })
    at = value.end + own.value + value.value
  }
  return blocks
}
