/**
 * A Waku message: the bytes as they travel, what a node must know of them, and the hash that names them.
 *
 * Source: 14/WAKU2-MESSAGE.
 */
import { createHash } from 'node:crypto'
import { WakuMessage } from '@waku/proto'
import { CONTENT_TOPIC_LENGTH_MAX, MESSAGE_BYTES_MAX } from './limits.ts'
import { PUBSUB_TOPIC } from './network.ts'
import { WakuError } from './ports.ts'

/** The decoded protobuf. Stays inside this folder. */
export type ProtoMessage = ReturnType<typeof WakuMessage.decode>

/** A message that is within bounds, with its name. */
export interface Message {
  /** Lower-case hex of the deterministic message hash. The same bytes have the same hash on every node. */
  readonly hash: string
  readonly contentTopic: string
  readonly payload: Uint8Array
  /** The sender's clock, in nanoseconds since 1970. Only for sorting and showing. */
  readonly timestampNs: bigint
  /** Payload version: 1 is 26/WAKU2-PAYLOAD, sealed. */
  readonly version: number
  /** An ephemeral message is passed on and never kept. */
  readonly ephemeral: boolean
  /** The encoded protobuf. */
  readonly bytes: Uint8Array
  readonly proto: ProtoMessage
}

/** What a sender says of a message. */
export interface MessageFields {
  readonly contentTopic: string
  readonly payload: Uint8Array
  /** Milliseconds since 1970. The same fields with the same timestamp are the same message. */
  readonly timestampMs: number
  readonly ephemeral?: boolean
}

const NS_PER_MS = 1_000_000n

/** The timestamp in milliseconds since 1970. */
export function timestampMsOf(message: Pick<Message, 'timestampNs'>): number {
  return Number(message.timestampNs / NS_PER_MS)
}

/** Nanoseconds since 1970, as Waku writes them. */
export function toNs(unixMs: number): bigint {
  return BigInt(Math.trunc(unixMs)) * NS_PER_MS
}

/**
 * The deterministic message hash, in hex: sha256(pubsub topic ‖ payload ‖ content topic ‖ meta ‖ timestamp, int64 big-endian).
 *
 * Source: 14/WAKU2-MESSAGE, "Deterministic message hashing".
 */
export function messageHash(fields: {
  payload: Uint8Array
  contentTopic: string
  timestampNs: bigint
  meta?: Uint8Array | undefined
}): string {
  const stamp = Buffer.alloc(8)
  stamp.writeBigInt64BE(BigInt.asIntN(64, fields.timestampNs))
  const hash = createHash('sha256').update(PUBSUB_TOPIC, 'utf8').update(fields.payload)
  hash.update(fields.contentTopic, 'utf8')
  if (fields.meta !== undefined) hash.update(fields.meta)
  return hash.update(stamp).digest('hex')
}

/** Makes the message of some fields. Throws a `WakuError`: `bad-message` or `too-large`. */
export function makeMessage(fields: MessageFields): Message {
  return messageOf({
    payload: fields.payload,
    contentTopic: fields.contentTopic,
    version: 1,
    timestamp: toNs(fields.timestampMs),
    ephemeral: fields.ephemeral ?? false,
  })
}

/** Reads encoded bytes. Throws a `WakuError`: `bad-message` or `too-large`. */
export function parseMessage(bytes: Uint8Array): Message {
  if (bytes.byteLength > MESSAGE_BYTES_MAX) throw tooLarge(bytes.byteLength)
  let proto: ProtoMessage
  try {
    proto = WakuMessage.decode(bytes)
  } catch (cause) {
    throw new WakuError('bad-message', 'not a Waku message', { cause })
  }
  return messageOf(proto)
}

/** Checks a decoded message and names it. Throws a `WakuError`: `bad-message` or `too-large`. */
export function messageOf(proto: ProtoMessage): Message {
  const { contentTopic, payload } = proto
  if (contentTopic.length === 0 || contentTopic.length > CONTENT_TOPIC_LENGTH_MAX || payload.byteLength === 0) {
    throw new WakuError('bad-message', 'a Waku message needs a content topic and a payload')
  }
  const timestampNs = proto.timestamp ?? 0n
  const bytes = WakuMessage.encode(proto)
  if (bytes.byteLength > MESSAGE_BYTES_MAX) throw tooLarge(bytes.byteLength)
  return {
    hash: messageHash({ payload, contentTopic, timestampNs, meta: proto.meta }),
    contentTopic,
    payload,
    timestampNs,
    version: proto.version ?? 0,
    ephemeral: proto.ephemeral ?? false,
    bytes,
    proto,
  }
}

function tooLarge(bytes: number): WakuError {
  return new WakuError('too-large', `a Waku message of ${bytes} bytes; at most ${MESSAGE_BYTES_MAX} are taken`)
}
