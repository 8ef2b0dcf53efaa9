/**
 * The probe: a nonce out, a fresh heartbeat with that nonce back, directly or through another member.
 *
 * A request is one byte, then for a relayed one the target's id with its length before it, then the nonce. The answer
 * is one frame; none comes when there is no answer. A relay probes directly only: relays do not ask relays.
 */

import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { HostId } from '@muster/protocol'
import type { Door } from './door.ts'
import { readOneFrame, resetStream, within, writeFrame } from './framing.ts'
import type { Intake } from './intake.ts'
import {
  FRAME_BYTES_MAX,
  NONCE_BYTES_MAX,
  PROBE_RELAYS_MAX,
  RELAYED_PROBE_TIMEOUT_MS,
  STREAMS_PER_PROTOCOL_MAX,
} from './limits.ts'
import type { ProbeAnswer, ProbeRequest, SwarmDeps, SwarmHandlers } from './swarm.ts'
import { SwarmError } from './swarm.ts'

const PROTOCOL = '/muster/probe/1'
const ASK_YOU = 0
const ASK_FOR_ME = 1
const HOST_ID_BYTES_MAX = 128

/** What a request says, once it is parsed. */
export interface ProbeMessage {
  /** Whom to ask; undefined for the receiver itself. */
  readonly target: HostId | undefined
  readonly nonce: Uint8Array
}

/** Sends and answers probes. */
export interface Prober {
  attach(node: Libp2p, lifetime: AbortSignal): Promise<void>
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer>
}

/** Finds or makes a connection to a host. */
export type Reach = (host: HostId, signal: AbortSignal) => Promise<Connection | undefined>

/** The bytes of a request. Throws `SwarmError` `too-large`. */
export function encodeProbe({ target, nonce }: ProbeMessage): Uint8Array {
  if (nonce.byteLength === 0 || nonce.byteLength > NONCE_BYTES_MAX) {
    throw new SwarmError('too-large', `a nonce has 1 to ${NONCE_BYTES_MAX} bytes`)
  }
  if (target === undefined) return Uint8Array.of(ASK_YOU, ...nonce)
  const id = new TextEncoder().encode(target)
  if (id.byteLength > HOST_ID_BYTES_MAX) throw new SwarmError('too-large', 'that is not a host id')
  return Uint8Array.of(ASK_FOR_ME, id.byteLength, ...id, ...nonce)
}

/** Reads a request; undefined when it is malformed. */
export function decodeProbe(bytes: Uint8Array): ProbeMessage | undefined {
  const idBytes = bytes[0] === ASK_FOR_ME ? (bytes[1] ?? 0) : 0
  const nonceAt = bytes[0] === ASK_FOR_ME ? 2 + idBytes : 1
  const nonce = bytes.slice(nonceAt)
  if (nonce.byteLength === 0 || nonce.byteLength > NONCE_BYTES_MAX) return undefined
  if (bytes[0] === ASK_YOU) return { target: undefined, nonce }
  if (bytes[0] !== ASK_FOR_ME || idBytes === 0 || idBytes > HOST_ID_BYTES_MAX) return undefined
  const target = new TextDecoder().decode(bytes.subarray(2, nonceAt))
  return /^[A-Za-z0-9]+$/.test(target) ? { target, nonce } : undefined
}

/** A prober that is not attached yet. */
export function createProber(
  self: HostId,
  door: Door,
  intake: Intake,
  reach: Reach,
  onProbe: SwarmHandlers['onProbe'],
  { log }: SwarmDeps,
): Prober {
  let lifetime: AbortSignal = AbortSignal.abort()

  const ask = async (connection: Connection, message: ProbeMessage, signal: AbortSignal): Promise<Uint8Array> => {
    const stream = await connection.newStream([PROTOCOL], { signal, runOnLimitedConnection: true })
    try {
      await writeFrame(stream, encodeProbe(message), signal)
      return await readOneFrame(stream, { maxBytes: FRAME_BYTES_MAX, signal })
    } finally {
      // One question, one answer: nobody waits for more on this stream.
      resetStream(stream, 'the probe is over')
    }
  }

  const askDirectly = async (target: HostId, nonce: Uint8Array, signal: AbortSignal): Promise<Uint8Array> => {
    const connection = door.connectionTo(target) ?? (await reach(target, signal))
    if (connection === undefined) throw new SwarmError('not-connected', `${target} cannot be reached`)
    return ask(connection, { target: undefined, nonce }, signal)
  }

  const askThrough = async (
    relay: HostId,
    target: HostId,
    nonce: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> => {
    const connection = door.connectionTo(relay)
    if (connection === undefined) throw new SwarmError('not-connected', `${relay} is not connected`)
    return ask(connection, { target, nonce }, signal)
  }

  const answer = async (stream: Stream, from: HostId): Promise<void> => {
    const signal = within(RELAYED_PROBE_TIMEOUT_MS, lifetime)
    const bytes = await readOneFrame(stream, { maxBytes: FRAME_BYTES_MAX, signal })
    const message = decodeProbe(bytes)
    if (message === undefined || !intake.takesFrame(from)) throw new Error('no such probe')
    const { target, nonce } = message
    const given = new AbortController()
    stream.addEventListener('close', () => given.abort(new Error('nobody waits any more')))
    const isForMe = target === undefined || target === self
    const frame = isForMe
      ? await onProbe(from, nonce)
      : await askDirectly(target, nonce, AbortSignal.any([signal, given.signal]))
    await writeFrame(stream, frame, signal)
    await stream.close({ signal })
  }

  return {
    async attach(node, signal) {
      lifetime = signal
      const handler = door.guard(async (stream, connection) => {
        const from = connection.remotePeer.toString()
        await answer(stream, from).catch((error: unknown) => {
          log.debug('probe not answered', { host: from, error: String(error) })
          resetStream(stream, error)
        })
      })
      await node.handle(PROTOCOL, handler, {
        maxInboundStreams: STREAMS_PER_PROTOCOL_MAX,
        runOnLimitedConnection: true,
      })
    },
    async probe({ target, nonce, relays, isGenuine }, callerSignal) {
      const over = new AbortController()
      const signal = AbortSignal.any([callerSignal, lifetime, over.signal])
      const checked = async (via: HostId | 'direct', frame: Promise<Uint8Array>): Promise<ProbeAnswer> => {
        const bytes = await frame
        if (!(await isGenuine(bytes))) throw new SwarmError('no-answer', `what came via ${via} is not genuine`)
        return { frame: bytes, via }
      }
      const asked = relays.filter((relay) => relay !== target && relay !== self).slice(0, PROBE_RELAYS_MAX)
      try {
        return await untilAborted(
          Promise.any([
            checked('direct', askDirectly(target, nonce, signal)),
            ...asked.map((relay) => checked(relay, askThrough(relay, target, nonce, signal))),
          ]),
          signal,
        )
      } catch (error) {
        throw new SwarmError('no-answer', `no answer from ${target}`, { cause: error })
      } finally {
        over.abort(new Error('the probe is over'))
      }
    },
  }
}

/** The promise, or a rejection as soon as the signal aborts: not every road below hears it at once. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
