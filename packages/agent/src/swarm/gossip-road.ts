/**
 * Gossip: one topic, our own validator, and an eye on gossipsub's streams.
 *
 * gossipsub keeps one stream out to each peer and does not make it anew when the connection that it ran on closes
 * while another lives, or when it broke; it also forgets a peer whose stream it could not read, for as long as the
 * connection lives. So after each change at the door, and every few seconds, each member is looked after: without a
 * stream out, identify is run again, which makes gossipsub open one; and when that does not help, its connections
 * are closed, so that it is dialled afresh.
 */

import { TopicValidatorResult } from '@libp2p/gossipsub'
import { type HostId, limits } from '@muster/protocol'
import type { Door } from './door.ts'
import { packed, unpacked } from './frame-packing.ts'
import { within } from './framing.ts'
import type { Intake } from './intake.ts'
import { FRAME_BYTES_MAX, GOSSIP_WATCH_EVERY_MS, STREAM_OPEN_TIMEOUT_MS } from './limits.ts'
import type { SwarmNode } from './node.ts'
import { GOSSIP_TOPIC } from './node.ts'
import type { FrameVerdict, SwarmDeps, SwarmHandlers } from './swarm.ts'

/** Looks in a row without a stream, before the connections are closed. */
const LOOKS_BEFORE_CLOSING = 3

const verdicts: Record<Exclude<FrameVerdict, 'keep'>, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

/** The road to all members at once. */
export interface GossipRoad {
  attach(node: SwarmNode, lifetime: AbortSignal): Promise<void>
  /** After the node has started. */
  begin(): void
  end(): void
  publish(frame: Uint8Array): Promise<void>
  /** The connections of a member changed. */
  onChange(host: HostId): void
  forget(host: HostId): void
}

/** Not attached yet. */
export function createGossipRoad(
  door: Door,
  intake: Intake,
  onFrame: SwarmHandlers['onFrame'],
  { log }: SwarmDeps,
): GossipRoad {
  const looksWithoutStream = new Map<HostId, number>()
  const identifying = new Set<HostId>()
  let lifetime: AbortSignal = AbortSignal.abort()
  let node: SwarmNode | undefined
  let timer: NodeJS.Timeout | undefined

  /** Whether everybody gets a published frame at once; in a larger swarm it goes through gossipsub's mesh. */
  const isFlooded = (): boolean => door.peers().length < limits.floodedHosts

  const judge = async (from: HostId, bytes: Uint8Array): Promise<FrameVerdict> => {
    // Ignored rather than rejected: the sender may only pass on what others flood.
    if (!intake.takesFrame(from)) return 'ignore'
    const frame = frameOf(bytes)
    if (frame === null) return 'reject'
    try {
      return await onFrame(from, frame, 'gossip')
    } catch (error) {
      log.warn('gossip handler failed', { host: from, error: String(error) })
      return 'ignore'
    }
  }

  const hasStreamTo = (host: HostId): boolean =>
    door
      .connectionsTo(host)
      .some((connection) =>
        connection.streams.some(
          ({ protocol, direction, status }) =>
            direction === 'outbound' && status === 'open' && protocol.startsWith('/meshsub/'),
        ),
      )

  const introduce = async (host: HostId): Promise<void> => {
    const connection = door.connectionTo(host)
    if (connection === undefined || node === undefined || identifying.has(host)) return
    identifying.add(host)
    try {
      await node.services.identify.identify(connection, { signal: within(STREAM_OPEN_TIMEOUT_MS, lifetime) })
    } catch (error) {
      log.debug('identify failed', { host, error: String(error) })
    } finally {
      identifying.delete(host)
    }
  }

  const lookAfter = (host: HostId): void => {
    const isKnown = node?.services.gossip.getPeers().some((peer) => peer.toString() === host) === true
    if (isKnown && hasStreamTo(host)) {
      looksWithoutStream.delete(host)
      return
    }
    const looks = (looksWithoutStream.get(host) ?? 0) + 1
    looksWithoutStream.set(host, looks)
    if (looks < LOOKS_BEFORE_CLOSING) {
      void introduce(host)
      return
    }
    looksWithoutStream.delete(host)
    log.info('connection closed because gossip does not flow', { host })
    for (const connection of door.connectionsTo(host)) connection.abort(new Error('gossip does not flow'))
  }

  return {
    async attach(attached, signal) {
      node = attached
      lifetime = signal
      attached.services.gossip.topicValidators.set(GOSSIP_TOPIC, async (peer, message) => {
        const verdict = await judge(peer.toString(), message.data)
        return verdicts[verdict === 'keep' ? (isFlooded() ? 'ignore' : 'accept') : verdict]
      })
    },
    begin() {
      node?.services.gossip.subscribe(GOSSIP_TOPIC)
      timer = setInterval(() => {
        for (const { host } of door.peers()) lookAfter(host)
      }, GOSSIP_WATCH_EVERY_MS)
    },
    end() {
      clearInterval(timer)
      node = undefined
    },
    async publish(frame) {
      const gossip: Flooding | undefined = node?.services.gossip
      await gossip?.publish(GOSSIP_TOPIC, packed(frame), { floodPublish: isFlooded() })
    },
    onChange(host) {
      void introduce(host)
    },
    forget(host) {
      looksWithoutStream.delete(host)
    },
  }
}

/** The frame in what was gossiped; null when there is none. */
function frameOf(bytes: Uint8Array): Uint8Array | null {
  if (bytes.byteLength > FRAME_BYTES_MAX + 1) return null
  try {
    const frame = unpacked(bytes)
    return frame.byteLength > 0 && frame.byteLength <= FRAME_BYTES_MAX ? frame : null
  } catch {
    return null
  }
}

/** gossipsub's `publish` takes options that its interface does not name. */
interface Flooding {
  publish(topic: string, data: Uint8Array, options?: { floodPublish: boolean }): Promise<unknown>
}
