/**
 * What each message costs on the wire: bytes of TCP payload, encryption and multiplexing included, as real agents spend them.
 *
 * Records are encoded as `@muster/protocol` encodes them, with the 64 bytes of each signature that a simulated record
 * leaves out. What libp2p adds was measured between three swarms of `packages/agent` on loopback (bytes written to their
 * sockets, 15 ms between messages, what idle connections cost taken off) and is stated beside each constant. Since then
 * agents deflate gossip and heartbeats and send fewer window updates: what is counted here is more than they spend.
 */
import { type AnySigned, type Carried, type Digest, encodeRecord, type LogHead, nestedOf } from '@muster/protocol'

/** A signature of 64 bytes instead of none: its bytes, and one more byte of length. */
const SIGNATURE_BYTES = 65
/** Of a record in a frame: the map around it, its age and its length. Of a frame: the head of the list. */
const CARRIED_BYTES = 13
const FRAME_BYTES = 3

/**
 * What libp2p adds, in bytes. A frame in a standing stream: length 2, yamux 12, noise 18, and its share of window updates;
 * 700 bytes and their acknowledgement were 818. A stream of its own for one question: 1,129 bytes for a frame of 700,
 * 1,173 for a probe of 17 and its answer of 700, 160,439 for a catch-up of 100,000 and its answer of 60,000.
 */
export const overhead = {
  heartbeat: 58,
  acknowledgement: 60,
  /** Of a stream opened for one exchange: what each end sends besides its frames. */
  stream: 215,
  /** Of each further 64 KiB in such a stream: headers of its chunks, and the window updates of the reader. */
  chunk: 60,
  /** One copy of a gossiped frame: topic, protobuf, yamux, noise, window update. 300 bytes in 4 copies were 1,536. */
  gossipCopy: 84,
  /** IDONTWANT with one id. 2,000 bytes in 4 copies were 8,502, which leaves this for each of two. */
  doNotWant: 83,
  /** IHAVE or IWANT: topic, protobuf, yamux, noise; and each id of 32 bytes in it. */
  have: 62,
  haveId: 34,
  /**
   * One end of an idle connection, each second: an echo every 15 s each way, on a stream of its own, where nothing else
   * comes over it. Measured with one every 10 s, which was 55.
   */
  connectionPerSecond: 37,
} as const

const sizes = new WeakMap<AnySigned, number>()

/** A record's envelope with all its signatures, bytes. */
export function recordBytes(record: AnySigned): number {
  const known = sizes.get(record)
  if (known !== undefined) return known
  const bytes = encodeRecord(record).byteLength + SIGNATURE_BYTES * (1 + nestedOf(record).length)
  sizes.set(record, bytes)
  return bytes
}

/** A frame of these records, bytes, before what libp2p adds. */
export function frameBytes(carried: readonly Pick<Carried, 'record'>[]): number {
  return carried.reduce((sum, { record }) => sum + CARRIED_BYTES + recordBytes(record), FRAME_BYTES)
}

/** A digest's bytes, as `encodeDigest` makes them: worked out, for encoding a thousand heads takes a millisecond. */
export function digestBytes({ heads, records }: Digest): number {
  let bytes = 1 + 2 + 2
  let count = 0
  for (const host in heads) {
    const head = heads[host]
    if (head === undefined) continue
    bytes += textBytes(host.length) + headBytes(head)
    count += 1
  }
  const idBytes = 16 * records.length
  return bytes + lengthBytes(count) + lengthBytes(idBytes) + idBytes
}

/** `{cid, incarnation, seq}` in dag-cbor. */
function headBytes({ cid, incarnation, seq }: LogHead): number {
  return (
    1 +
    textBytes(3) +
    textBytes(cid.length) +
    textBytes(11) +
    lengthBytes(incarnation) +
    textBytes(3) +
    lengthBytes(seq)
  )
}

function textBytes(length: number): number {
  return lengthBytes(length) + length
}

/** The head of a CBOR item: its kind with a number. */
function lengthBytes(number: number): number {
  if (number < 24) return 1
  if (number < 0x100) return 2
  return number < 0x1_0000 ? 3 : 5
}

/** What one end sends in a stream opened for `bytes`, headers and negotiation included. */
export function streamBytes(bytes: number): number {
  return overhead.stream + bytes + overhead.chunk * Math.floor(bytes / 65_536)
}
