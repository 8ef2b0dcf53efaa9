/**
 * Length-prefixed frames on a libp2p stream, read and written with back pressure.
 *
 * The streams' own iterator buffers without a limit, and their `onDrain()` stays resolved after its first time; so
 * both directions are done here, on the events.
 */
import type { Stream } from '@libp2p/interface'
import { decode, encode } from 'it-length-prefixed'
import { pipe } from 'it-pipe'
import type { TokenBucket } from './token-bucket.ts'

/** Bytes read but not yet taken, above which the stream is paused. */
const UNREAD_BYTES_HIGH = 64 * 1024

/** The other side ended or broke the stream, or broke its protocol. */
export class StreamError extends Error {
  override readonly name = 'StreamError'
  readonly code: 'stream-closed' | 'stream-timeout' | 'stream-protocol'

  constructor(code: 'stream-closed' | 'stream-timeout' | 'stream-protocol', message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** How frames are read. */
export interface ReadOptions {
  /** A longer frame is an error, in bytes. */
  readonly maxBytes: number
  /** Ends the stream. */
  readonly signal: AbortSignal
  /** Bytes are taken from it as they come; when it is empty, reading pauses. */
  readonly bytesBucket?: TokenBucket
}

/**
 * The frames of a stream until the other side ends it. The listeners are attached at once, so that nothing is lost
 * before the first frame is asked for. Leaving the loop early resets the stream.
 *
 * Throws when the stream is reset, the signal aborts, or a frame is too long.
 */
export function readFrames(stream: Stream, options: ReadOptions): AsyncGenerator<Uint8Array, void, void> {
  return framesOf(readChunks(stream, options).chunks, options.maxBytes)
}

function framesOf(chunks: AsyncGenerator<Chunk, void, void>, maxBytes: number): AsyncGenerator<Uint8Array, void, void> {
  return pipe(
    chunks,
    (source) => decode(source, { maxDataLength: maxBytes }),
    async function* (source) {
      for await (const frame of source) yield frame.subarray()
    },
  )
}

/** The first frame of a stream. Throws when it ends before one. The stream stays open. */
export async function readOneFrame(stream: Stream, options: ReadOptions): Promise<Uint8Array> {
  const { chunks, detach } = readChunks(stream, options)
  try {
    // Driven by hand: leaving a loop would reset the stream, which we may still answer on.
    const first = await framesOf(chunks, options.maxBytes).next()
    if (first.done === true) throw new StreamError('stream-closed', 'the stream ended before a frame')
    return first.value
  } finally {
    // The signal bounds this frame, not what follows.
    detach()
  }
}

/** Writes one frame, and waits until the stream can take another. Throws when it closes or the signal aborts. */
export async function writeFrame(stream: Stream, frame: Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  stream.send(encode.single(frame))
  while (stream.writableNeedsDrain) await nextEvent(stream, 'drain', signal)
}

/** Ends our half of the stream, then waits until the other side has ended its own. */
export async function finish(stream: Stream, signal: AbortSignal): Promise<void> {
  await stream.close({ signal })
  while (stream.status === 'open' || stream.status === 'closing') {
    if (stream.remoteWriteStatus === 'closed') return
    await nextEvent(stream, 'remoteCloseWrite', signal)
  }
  if (stream.status !== 'closed') throw new StreamError('stream-closed', 'the stream was reset')
}

/** Resets a stream, whatever its state; never throws. */
export function resetStream(stream: Stream, reason: unknown): void {
  try {
    stream.abort(reason instanceof Error ? reason : new StreamError('stream-closed', String(reason)))
  } catch {
    // It was gone already.
  }
}

/** A signal that aborts with the other, or after a time. */
export function within(ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)])
}

/** Waits for an event of a stream; throws when it closes first or the signal aborts. */
function nextEvent(stream: Stream, name: 'drain' | 'remoteCloseWrite', signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      stream.removeEventListener(name, onEvent)
      stream.removeEventListener('close', onClose)
      signal.removeEventListener('abort', onAbort)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onEvent = (): void => settle()
    const onAbort = (): void =>
      settle(new StreamError('stream-timeout', `no ${name} in time`, { cause: signal.reason }))
    const onClose = (event: { error?: Error }): void => {
      const graceful = event.error === undefined && name === 'remoteCloseWrite'
      settle(graceful ? undefined : new StreamError('stream-closed', 'the stream closed', { cause: event.error }))
    }
    stream.addEventListener(name, onEvent)
    stream.addEventListener('close', onClose)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    else if (isOver(stream)) onClose({})
  })
}

function isOver(stream: Stream): boolean {
  return stream.status !== 'open' && stream.status !== 'closing'
}

type Chunk = Parameters<Stream['send']>[0]

function readChunks(
  stream: Stream,
  { signal, bytesBucket }: ReadOptions,
): { chunks: AsyncGenerator<Chunk, void, void>; detach(): void } {
  const unread: Chunk[] = []
  let unreadBytes = 0
  let ended = stream.readableEnded || (isOver(stream) && stream.readBufferLength === 0)
  let failure: Error | undefined
  let wake: (() => void) | undefined
  let refill: NodeJS.Timeout | undefined

  const pauseOrResume = (): void => {
    if (ended || failure !== undefined || refill !== undefined) return
    try {
      if (unreadBytes > UNREAD_BYTES_HIGH) stream.pause()
      else stream.resume()
    } catch {
      // Closed in between: its event follows.
    }
  }
  const onMessage = ({ data }: { data: Chunk }): void => {
    unread.push(data)
    unreadBytes += data.byteLength
    const waitMs = bytesBucket?.take(data.byteLength) ?? 0
    if (waitMs > 0 && refill === undefined) {
      pauseNow()
      refill = setTimeout(() => {
        refill = undefined
        pauseOrResume()
      }, waitMs)
    } else pauseOrResume()
    wake?.()
  }
  const pauseNow = (): void => {
    try {
      stream.pause()
    } catch {
      // Closed in between: its event follows.
    }
  }
  const onEnd = (): void => {
    ended = true
    wake?.()
  }
  const onClose = (event: { error?: Error }): void => {
    if (event.error === undefined) ended = true
    else failure ??= new StreamError('stream-closed', 'the stream was reset', { cause: event.error })
    wake?.()
  }
  const onAbort = (): void => {
    failure ??= new StreamError('stream-timeout', 'reading was given up', { cause: signal.reason })
    resetStream(stream, failure)
    wake?.()
  }
  const detach = (): void => {
    clearTimeout(refill)
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onClose)
    signal.removeEventListener('abort', onAbort)
  }
  stream.addEventListener('message', onMessage)
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onClose)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  if (stream.status === 'reset' || stream.status === 'aborted') {
    failure ??= new StreamError('stream-closed', 'the stream was reset')
  }

  const take = async function* (): AsyncGenerator<Chunk, void, void> {
    try {
      while (true) {
        const chunk = unread.shift()
        if (chunk !== undefined) {
          unreadBytes -= chunk.byteLength
          pauseOrResume()
          yield chunk
        } else if (failure !== undefined) throw failure
        else if (ended) return
        else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          wake = undefined
        }
      }
    } finally {
      detach()
      if (!ended && failure === undefined) resetStream(stream, new StreamError('stream-closed', 'nobody reads on'))
    }
  }
  return { chunks: take(), detach }
}
