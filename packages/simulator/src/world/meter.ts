/**
 * Bytes on the wire, by host: the envelope of each record as `@muster/protocol` encodes it, with its signatures.
 *
 * Gossip is charged as gossipsub spends it at D = 3: the origin to three peers, every other host to two. It knows a message by
 * its bytes: what several hosts gossip alike, as a heartbeat that refutes a doubt, each passes on once.
 */
import { type AnySigned, encodeEnvelope } from '@muster/protocol'

/** Ed25519, which a simulated record leaves out. */
const SIGNATURE_BYTES = 64
/** Framing, encryption and multiplexing of one message. */
const FRAME_BYTES = 48
const GOSSIP_ORIGIN_COPIES = 3
const GOSSIP_FORWARD_COPIES = 2

/** Counts bytes sent by each host. */
export interface Meter {
  readonly direct: (host: number, records: readonly AnySigned[]) => void
  readonly gossip: (origin: number, heard: readonly number[], record: AnySigned) => void
  /** From its origin to each, and passed on by nobody. */
  readonly flood: (origin: number, heard: number, record: AnySigned) => void
  /** Bytes since the last call, by host. */
  readonly drain: () => readonly number[]
}

/** Makes a meter for `size` hosts. */
export function createMeter(size: number): Meter {
  let sent = new Array<number>(size).fill(0)
  const known = new WeakMap<AnySigned, number>()
  const heartbeats = new Map<string, number>()
  const passedOn = new WeakMap<AnySigned, Set<number>>()

  const measure = (record: AnySigned): number => {
    let signatures = 1
    if (record.domain === 'vote') signatures += 1
    if (record.domain === 'verdict') signatures += 1 + 2 * record.body.votes.length
    return encodeEnvelope(record).byteLength + signatures * SIGNATURE_BYTES
  }
  const sizeOf = (record: AnySigned): number => {
    // Heartbeats are most of the traffic and differ in little: one measurement serves all of a shape.
    if (record.domain === 'heartbeat') {
      const shape = `${record.body.observers.length}|${record.body.head === null}|${record.body.nonce === null}`
      const cached = heartbeats.get(shape)
      if (cached !== undefined) return cached
      const bytes = measure(record)
      heartbeats.set(shape, bytes)
      return bytes
    }
    const cached = known.get(record)
    if (cached !== undefined) return cached
    const bytes = measure(record)
    known.set(record, bytes)
    return bytes
  }
  const add = (host: number, bytes: number): void => {
    sent[host] = (sent[host] ?? 0) + bytes
  }

  return {
    direct: (host, records) => {
      let bytes = FRAME_BYTES
      for (const record of records) bytes += sizeOf(record)
      add(host, bytes)
    },
    gossip: (origin, heard, record) => {
      const bytes = sizeOf(record) + FRAME_BYTES
      const done = passedOn.get(record) ?? new Set<number>()
      passedOn.set(record, done)
      const once = (host: number, copies: number): void => {
        if (!done.has(host)) add(host, bytes * copies)
        done.add(host)
      }
      once(origin, Math.min(GOSSIP_ORIGIN_COPIES, heard.length))
      for (const host of heard) once(host, Math.min(GOSSIP_FORWARD_COPIES, heard.length - 1))
    },
    flood: (origin, heard, record) => add(origin, (sizeOf(record) + FRAME_BYTES) * heard),
    drain: () => {
      const drained = sent
      sent = new Array<number>(size).fill(0)
      return drained
    },
  }
}
