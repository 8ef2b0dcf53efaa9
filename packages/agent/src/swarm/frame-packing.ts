/**
 * Gossip and heartbeats in fewer bytes. An entry is mostly names of fields and checks, and goes to each peer: packed it is
 * half as long. A heartbeat hardly differs from the one before it on the same stream but in its signature.
 *
 * The first byte says how the rest is to be read: 0 as it is, 1 as DEFLATE (RFC 1951) with a dictionary: the one below, or
 * the frame before. The one below belongs to the wire format: another one is another topic and protocol.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { FRAME_BYTES_MAX } from './limits.ts'

const PLAIN = 0
const DEFLATED = 1
/** Below it there is little to gain: a signature and hashes do not shrink. Bytes. */
const WORTH_IT_BYTES = 256

/** Frames are short: with a window of 4 KiB packing takes 24 KiB of memory instead of 268. */
const SMALL = { windowBits: 12, memLevel: 4 } as const

/** Short texts as CBOR writes them: their length is in the first byte. */
const text = (word: string): string => String.fromCharCode(0x60 + word.length) + word
/** What gossip says most often, the most frequent last. */
const DICTIONARY = Buffer.from(
  [
    [
      'claim',
      'release',
      'accepted',
      'stored',
      'delivered',
      'fired',
      'resolved',
      'reminder-1',
      'incidents',
      'recipient',
    ],
    ['transition', 'attempt', 'step', 'observers', 'outages', 'heardUnixMs', 'alone', 'votes', 'evidence', 'subject'],
    ['notice', 'verdict', 'vote', 'heartbeat', 'record', 'late', 'warning', 'critical', 'unknown', 'always', 'never'],
    ['command', 'push', 'http', 'tcp', 'swapBytes', 'inodesPercent', 'freeBytes', 'availableBytes', 'totalBytes'],
    ['usedPercent', 'usedBytes', 'load1', 'load5', 'load15', 'cores', 'disk', 'memory', 'load', 'cpu', 'entry', 'seq'],
    ['life', 'epoch', 'incarnation', 'results', 'retired', 'previous', 'atUnixMs', 'signer', 'body', 'domain', 'mesh'],
    ['kind', 'text', 'check', 'status', 'values', 'because', 'everyMs', 'episode', 'graceMs', 'heartbeat', 'judgement'],
    ['durationMs', 'awake', 'ok'],
  ]
    .flat()
    .map(text)
    .join(''),
  'latin1',
)

/** A frame as it is sent. `before`: the frame before it on its stream, which the other side knows; none for gossip. */
export function packed(frame: Uint8Array, before?: Uint8Array): Uint8Array {
  if (frame.byteLength >= WORTH_IT_BYTES) {
    const shorter = deflateRawSync(frame, { dictionary: before ?? DICTIONARY, level: 9, ...SMALL })
    if (shorter.byteLength < frame.byteLength) return Buffer.concat([Uint8Array.of(DEFLATED), shorter])
  }
  return Buffer.concat([Uint8Array.of(PLAIN), frame])
}

/** The frame of what was sent, `FRAME_BYTES_MAX` long at most. Throws when it is none, or longer. */
export function unpacked(bytes: Uint8Array, before?: Uint8Array): Uint8Array {
  const rest = bytes.subarray(1)
  if (bytes[0] === PLAIN) return rest
  if (bytes[0] !== DEFLATED) throw new Error('packed in an unknown way')
  // A copy of its own, and no Buffer: what is read from it is kept.
  return new Uint8Array(inflateRawSync(rest, { dictionary: before ?? DICTIONARY, maxOutputLength: FRAME_BYTES_MAX }))
}
