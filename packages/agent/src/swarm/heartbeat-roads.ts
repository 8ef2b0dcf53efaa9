/**
 * Heartbeats over standing streams: one stream to each member, at most one frame on its way, and one that waits.
 *
 * The receiver acknowledges each frame with one byte when it has taken it. Without that, a stopped process would
 * collect hundreds of old heartbeats in its buffers, and tell them all when it wakes; so the newest replaces the
 * one that waits, and a stream whose acknowledgement is late is made anew.
 */

import type { Libp2p, Stream } from '@libp2p/interface'
import type { HostId } from '@muster/protocol'
import type { Door } from './door.ts'
import { packed, unpacked } from './frame-packing.ts'
import { readFrames, resetStream, within, writeFrame } from './framing.ts'
import type { Intake } from './intake.ts'
import { FRAME_BYTES_MAX, HEARTBEAT_ACK_TIMEOUT_MS, STREAM_OPEN_TIMEOUT_MS } from './limits.ts'
import type { SwarmDeps, SwarmHandlers } from './swarm.ts'

const PROTOCOL = '/muster/heartbeat/2'
const ACK = new Uint8Array([1])

/** The roads of one host. */
export interface HeartbeatRoads {
  attach(node: Libp2p, lifetime: AbortSignal): Promise<void>
  send(to: HostId, frame: Uint8Array): void
  /** Drops what waits for a member that went away. */
  forget(host: HostId): void
}

interface OpenStream {
  readonly stream: Stream
  readonly acks: AsyncGenerator<Uint8Array, void, void>
  /** Given up with this, so that a read of an acknowledgement ends. */
  readonly life: AbortController
  /** The frame that was sent last, by which the next one is packed. */
  last: Uint8Array | undefined
}

interface RoadTo {
  waiting: Uint8Array | undefined
  isBusy: boolean
  open: OpenStream | undefined
}

/** Roads that lead nowhere yet. */
export function createHeartbeatRoads(
  door: Door,
  intake: Intake,
  onFrame: SwarmHandlers['onFrame'],
  { log }: SwarmDeps,
): HeartbeatRoads {
  const roads = new Map<HostId, RoadTo>()
  let lifetime: AbortSignal = AbortSignal.abort()

  const drive = async (host: HostId, road: RoadTo): Promise<void> => {
    while (road.waiting !== undefined && !lifetime.aborted) {
      const frame = road.waiting
      road.waiting = undefined
      try {
        const open = await openTo(host, road)
        if (open === undefined) return
        const timer = setTimeout(() => open.life.abort(new Error('no acknowledgement')), HEARTBEAT_ACK_TIMEOUT_MS)
        try {
          const bytes = packed(frame, open.last)
          open.last = frame
          await writeFrame(open.stream, bytes, open.life.signal)
          if ((await open.acks.next()).done === true) throw new Error('the heartbeat stream ended')
        } finally {
          clearTimeout(timer)
        }
      } catch (error) {
        closeRoad(road, error)
        log.debug('heartbeat not delivered', { host, error: String(error) })
      }
    }
  }

  const openTo = async (host: HostId, road: RoadTo): Promise<OpenStream | undefined> => {
    if (road.open?.stream.status === 'open') return road.open
    closeRoad(road, 'the stream is closed')
    const connection = door.connectionTo(host)
    if (connection === undefined) return undefined
    const stream = await connection.newStream([PROTOCOL], {
      signal: within(STREAM_OPEN_TIMEOUT_MS, lifetime),
      runOnLimitedConnection: true,
    })
    const life = new AbortController()
    const acks = readFrames(stream, { maxBytes: ACK.byteLength, signal: AbortSignal.any([life.signal, lifetime]) })
    road.open = { stream, acks, life, last: undefined }
    return road.open
  }

  const closeRoad = (road: RoadTo, reason: unknown): void => {
    if (road.open !== undefined) resetStream(road.open.stream, reason)
    road.open = undefined
  }

  const receive = async (stream: Stream, from: HostId): Promise<void> => {
    let last: Uint8Array | undefined
    for await (const bytes of readFrames(stream, {
      maxBytes: FRAME_BYTES_MAX + 1,
      signal: lifetime,
      bytesBucket: intake.bytesOf(from),
    })) {
      if (!intake.takesFrame(from)) throw new Error('too many heartbeats')
      const frame = unpacked(bytes, last)
      if (frame.byteLength === 0) throw new Error('an empty frame')
      last = frame
      await onFrame(from, frame, 'heartbeat').catch((error: unknown) => {
        log.warn('heartbeat handler failed', { host: from, error: String(error) })
      })
      await writeFrame(stream, ACK, within(HEARTBEAT_ACK_TIMEOUT_MS, lifetime))
    }
    await stream.close({ signal: within(STREAM_OPEN_TIMEOUT_MS, lifetime) })
  }

  return {
    async attach(node, signal) {
      lifetime = signal
      const handler = door.guard(async (stream, connection) => {
        await receive(stream, connection.remotePeer.toString()).catch((error: unknown) => resetStream(stream, error))
      })
      // Two, for the moment in which an old stream is replaced.
      await node.handle(PROTOCOL, handler, { maxInboundStreams: 2, runOnLimitedConnection: true })
    },
    send(to, frame) {
      if (door.connectionTo(to) === undefined) return
      const road = roads.get(to) ?? { waiting: undefined, isBusy: false, open: undefined }
      roads.set(to, road)
      road.waiting = frame
      if (road.isBusy) return
      road.isBusy = true
      drive(to, road)
        .catch((error: unknown) => log.warn('heartbeat road failed', { host: to, error: String(error) }))
        .finally(() => {
          road.isBusy = false
        })
    },
    forget(host) {
      const road = roads.get(host)
      if (road === undefined) return
      roads.delete(host)
      road.waiting = undefined
      closeRoad(road, 'the member went away')
    },
  }
}
