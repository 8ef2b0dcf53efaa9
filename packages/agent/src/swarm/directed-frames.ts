/** A few frames to one member: a stream for each message, ended by the receiver when it has taken them all. */

import type { Libp2p, Stream } from '@libp2p/interface'
import type { HostId } from '@muster/protocol'
import type { Door } from './door.ts'
import { finish, readFrames, resetStream, within, writeFrame } from './framing.ts'
import type { Intake } from './intake.ts'
import { FRAME_BYTES_MAX, FRAMES_PER_SEND_MAX, SEND_TIMEOUT_MS, STREAMS_PER_PROTOCOL_MAX } from './limits.ts'
import type { SwarmDeps, SwarmHandlers } from './swarm.ts'
import { SwarmError } from './swarm.ts'

const PROTOCOL = '/muster/frames/1'

/** Sends and takes directed messages. */
export interface DirectedFrames {
  attach(node: Libp2p, lifetime: AbortSignal): Promise<void>
  send(to: HostId, frames: readonly Uint8Array[], signal: AbortSignal): Promise<void>
}

/** Not attached yet. */
export function createDirectedFrames(
  door: Door,
  intake: Intake,
  onFrame: SwarmHandlers['onFrame'],
  { log }: SwarmDeps,
): DirectedFrames {
  let lifetime: AbortSignal = AbortSignal.abort()

  const receive = async (stream: Stream, from: HostId): Promise<void> => {
    const signal = within(SEND_TIMEOUT_MS, lifetime)
    let count = 0
    for await (const frame of readFrames(stream, {
      maxBytes: FRAME_BYTES_MAX,
      signal,
      bytesBucket: intake.bytesOf(from),
    })) {
      count += 1
      if (count > FRAMES_PER_SEND_MAX || !intake.takesFrame(from)) throw new Error('too many frames')
      await onFrame(from, frame, 'direct').catch((error: unknown) => {
        log.warn('frame handler failed', { host: from, error: String(error) })
      })
    }
    await stream.close({ signal })
  }

  return {
    async attach(node, signal) {
      lifetime = signal
      const handler = door.guard(async (stream, connection) => {
        await receive(stream, connection.remotePeer.toString()).catch((error: unknown) => resetStream(stream, error))
      })
      await node.handle(PROTOCOL, handler, {
        maxInboundStreams: STREAMS_PER_PROTOCOL_MAX,
        runOnLimitedConnection: true,
      })
    },
    async send(to, frames, callerSignal) {
      if (frames.length > FRAMES_PER_SEND_MAX)
        throw new SwarmError('too-large', `more than ${FRAMES_PER_SEND_MAX} frames`)
      const connection = door.connectionTo(to)
      if (connection === undefined) throw new SwarmError('not-connected', `${to} is not connected`)
      const signal = within(SEND_TIMEOUT_MS, AbortSignal.any([callerSignal, lifetime]))
      let stream: Stream | undefined
      try {
        stream = await connection.newStream([PROTOCOL], {
          signal,
          runOnLimitedConnection: true,
          maxOutboundStreams: STREAMS_PER_PROTOCOL_MAX,
        })
        for (const frame of frames) await writeFrame(stream, frame, signal)
        await finish(stream, signal)
      } catch (error) {
        if (stream !== undefined) resetStream(stream, error)
        throw new SwarmError('timeout', `${to} did not take the frames`, { cause: error })
      }
    },
  }
}
