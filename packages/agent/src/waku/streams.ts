/** Requests over libp2p streams: one length-prefixed message there, one back, within bounds. */
import type { Connection, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { ASK_TIMEOUT_MS, REQUEST_BYTES_MAX } from './limits.ts'
import { WakuError } from './ports.ts'

/**
 * Reads one request and writes its answer; `undefined` closes without one.
 *
 * There is no time-out for the reading: stock clients open streams ahead of need. How many may idle is bounded where
 * the protocol is registered.
 */
export async function answerOnce(
  stream: Stream,
  answer: (request: Uint8Array) => Promise<Uint8Array | undefined>,
  signal: AbortSignal,
): Promise<void> {
  try {
    const frames = lpStream(stream, framesUpTo(REQUEST_BYTES_MAX))
    const request = await frames.read({ signal })
    const response = await answer(request.subarray())
    const limited = AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])
    if (response !== undefined) await frames.write(response, { signal: limited })
    await stream.close({ signal: limited })
  } catch (cause) {
    // A stream that ends, garbage and a frame too large look alike to the sender: the stream is gone.
    stream.abort(cause instanceof Error ? cause : new Error('stream failed'))
  }
}

/** Bytes of a length prefix at most: 2^28 is beyond every frame here. */
const PREFIX_BYTES_MAX = 4

/**
 * Bounds for length-prefixed reading.
 *
 * The stock decoder of the prefix reads on without end when no length comes out of the bytes; this one gives up.
 */
export function framesUpTo(bytesMax: number): Parameters<typeof lpStream>[1] {
  return {
    maxDataLength: bytesMax,
    maxBufferSize: bytesMax + 1024,
    lengthDecoder: (prefix) => {
      let length = 0
      for (let index = 0; index < prefix.byteLength; index += 1) {
        if (index === PREFIX_BYTES_MAX) throw new WakuError('bad-message', 'the length of a frame is too long')
        const byte = prefix.get(index)
        length |= (byte & 0x7f) << (7 * index)
        if (byte < 0x80) return length
      }
      throw new RangeError('more bytes are needed')
    },
  }
}

/**
 * Asks a peer and returns its answer.
 *
 * Throws a `WakuError`: `unreachable` when no answer came in time, `too-large` when it does not fit.
 */
export async function ask(
  connection: Connection,
  protocol: string,
  request: Uint8Array,
  options: { readonly answerBytesMax: number; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])
  let stream: Stream | undefined
  try {
    stream = await connection.newStream(protocol, { signal })
    const frames = lpStream(stream, framesUpTo(options.answerBytesMax))
    await frames.write(request, { signal })
    // Stock nodes answer at the end of the request or after its frame; closing our side serves both.
    await stream.close({ signal })
    return (await frames.read({ signal })).subarray()
  } catch (cause) {
    stream?.abort(cause instanceof Error ? cause : new Error('stream failed'))
    const isSize = cause instanceof Error && cause.name === 'InvalidDataLengthError'
    throw new WakuError(isSize ? 'too-large' : 'unreachable', `no answer to ${protocol}`, { cause })
  }
}
