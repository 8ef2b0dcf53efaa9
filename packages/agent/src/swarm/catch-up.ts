/**
 * Catch-up: one request frame out, a flow of frames back, until the other side ends it.
 *
 * Both ends go at the pace of the slower one: the reader pauses the stream while nobody takes its frames, the sender
 * waits for room. A flow that stands still is given up.
 */

import type { Libp2p, Stream } from '@libp2p/interface'
import type { HostId } from '@muster/protocol'
import type { Door } from './door.ts'
import { readFrames, readOneFrame, resetStream, within, writeFrame } from './framing.ts'
import type { Intake } from './intake.ts'
import { CATCH_UP_FRAME_BYTES_MAX, CATCH_UP_STALL_MS, STREAM_OPEN_TIMEOUT_MS } from './limits.ts'
import type { SwarmDeps, SwarmHandlers } from './swarm.ts'
import { SwarmError } from './swarm.ts'

const PROTOCOL = '/muster/catch-up/1'
const FLOWS_AT_ONCE_MAX = 2

/** Asks for flows and answers with them. */
export interface CatchUp {
  attach(node: Libp2p, lifetime: AbortSignal): Promise<void>
  request(peer: HostId, request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void>
}

/** Not attached yet. */
export function createCatchUp(
  door: Door,
  intake: Intake,
  onCatchUp: SwarmHandlers['onCatchUp'],
  { log }: SwarmDeps,
): CatchUp {
  let lifetime: AbortSignal = AbortSignal.abort()

  const answer = async (stream: Stream, from: HostId): Promise<void> => {
    const asked = within(STREAM_OPEN_TIMEOUT_MS, lifetime)
    const request = await readOneFrame(stream, {
      maxBytes: CATCH_UP_FRAME_BYTES_MAX,
      signal: asked,
      bytesBucket: intake.bytesOf(from),
    })
    if (!intake.takesFrame(from)) throw new Error('too many requests')
    const given = new AbortController()
    stream.addEventListener('close', () => given.abort(new Error('nobody reads any more')))
    const signal = AbortSignal.any([lifetime, given.signal])
    for await (const frame of onCatchUp(from, request, signal)) {
      if (frame.byteLength === 0 || frame.byteLength > CATCH_UP_FRAME_BYTES_MAX) {
        throw new SwarmError('too-large', `a frame has 1 to ${CATCH_UP_FRAME_BYTES_MAX} bytes`)
      }
      await writeFrame(stream, frame, within(CATCH_UP_STALL_MS, signal))
    }
    await stream.close({ signal: within(CATCH_UP_STALL_MS, signal) })
  }

  return {
    async attach(node, signal) {
      lifetime = signal
      const handler = door.guard(async (stream, connection) => {
        const from = connection.remotePeer.toString()
        await answer(stream, from).catch((error: unknown) => {
          log.debug('catch-up not finished', { host: from, error: String(error) })
          resetStream(stream, error)
        })
      })
      await node.handle(PROTOCOL, handler, { maxInboundStreams: FLOWS_AT_ONCE_MAX, runOnLimitedConnection: true })
    },
    async *request(peer, request, callerSignal) {
      const connection = door.connectionTo(peer)
      if (connection === undefined) throw new SwarmError('not-connected', `${peer} is not connected`)
      const stalled = new AbortController()
      const signal = AbortSignal.any([callerSignal, lifetime, stalled.signal])
      const stream = await connection.newStream([PROTOCOL], {
        signal: within(STREAM_OPEN_TIMEOUT_MS, signal),
        runOnLimitedConnection: true,
        maxOutboundStreams: FLOWS_AT_ONCE_MAX,
      })
      let timer: NodeJS.Timeout | undefined
      const watch = (): void => {
        clearTimeout(timer)
        timer = setTimeout(() => stalled.abort(new Error('the flow stands still')), CATCH_UP_STALL_MS)
      }
      try {
        watch()
        await writeFrame(stream, request, signal)
        for await (const frame of readFrames(stream, { maxBytes: CATCH_UP_FRAME_BYTES_MAX, signal })) {
          // The time that our own reader takes does not count.
          clearTimeout(timer)
          yield frame
          watch()
        }
        await stream.close({ signal: within(STREAM_OPEN_TIMEOUT_MS, signal) })
      } finally {
        clearTimeout(timer)
        resetStream(stream, 'the catch-up is over')
      }
    },
  }
}
