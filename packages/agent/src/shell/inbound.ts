/** From bytes of peers to events of the core: parsed, verified, and only then believed. */
import {
  type AnySigned,
  type Carried,
  decodeDigest,
  decodeFrame,
  encodeFrame,
  type HostId,
  isNoNews,
  type MeshId,
  ProtocolError,
  parseRecord,
  type Road,
  type SignedAs,
  wireLimits,
} from '@muster/protocol'
import type { Log } from '../log.ts'
import type { Loop } from '../loop.ts'
import type { FrameVerdict, Road as SwarmRoad } from '../swarm/swarm.ts'
import type { SealOfOrigin } from './seal-of-origin.ts'

/** What is refused is said once per reason and peer, and counted. */
const SAID_MAX = 1_000

/**
 * Reads what peers sent and what the disk gives back. A record that cannot be parsed or verified goes no further.
 * `digest` throws a `ProtocolError` for bytes that are none; `refused` counts the frames and records of peers that were
 * turned away, by the code of the error.
 */
export interface Inbound {
  /** A frame from a member. The verdict tells whether others should pass it on. */
  frame(from: HostId, bytes: Uint8Array, road: SwarmRoad): FrameVerdict
  /** One frame of a catch-up. Throws a `ProtocolError` when it is none. */
  caughtUp(from: HostId, bytes: Uint8Array): void
  /** The heartbeat that answers a probe, or null when it is not genuine. */
  probeAnswer(target: HostId, nonce: string, bytes: Uint8Array): SignedAs<'heartbeat'> | null
  digest(bytes: Uint8Array): ReturnType<typeof decodeDigest>
  /** A record from this host's own disk, or null when it is damaged. */
  stored(bytes: Uint8Array): AnySigned | null
  /** The same, with signatures verified on other threads: a start reads many. */
  storedLater(bytes: Uint8Array): Promise<AnySigned | null>
  refused(): Readonly<Record<string, number>>
}

/** Makes the inbound side of one agent. `loop` is asked for late, for the loop's own first effects come before it. */
export function createInbound(deps: {
  readonly mesh: MeshId
  readonly seal: SealOfOrigin
  readonly loop: () => Loop
  readonly log: Log
}): Inbound {
  const { mesh, seal, loop, log } = deps
  const counts = new Map<string, number>()
  const said = new Set<string>()

  function refuse(from: HostId, error: unknown): FrameVerdict {
    const code = error instanceof ProtocolError ? error.code : 'failed'
    counts.set(code, (counts.get(code) ?? 0) + 1)
    const key = `${from} ${code}`
    if (!said.has(key) && said.size < SAID_MAX) {
      said.add(key)
      log.warn('refused what a peer sent, this is said once', { peer: from, code, reason: String(error).slice(0, 200) })
    }
    // A record of someone whose certificate has not arrived yet is no offence of who passes it on.
    return code === 'not-a-member' || code === 'newer-version' ? 'ignore' : 'reject'
  }

  const parseStored = (bytes: Uint8Array): AnySigned => parseRecord(bytes, { mesh, bytesMax: wireLimits.recordBytes })

  function take(from: HostId, carried: readonly Carried[], road: Road): FrameVerdict {
    const isHistory = carried.every(({ record }) => isNoNews(loop().state(), from, record))
    let verdict: FrameVerdict = isHistory ? 'keep' : 'accept'
    for (const { record, ageMs } of carried) {
      try {
        seal.verify(record)
        loop().dispatch({ kind: 'received', from, record, ageMs, road })
      } catch (error) {
        verdict = refuse(from, error)
      }
    }
    return verdict
  }

  return {
    frame(from, bytes, road) {
      try {
        let refusal: FrameVerdict = 'accept'
        const carried = decodeFrame(bytes, {
          mesh,
          onRefused: (error) => {
            refusal = refuse(from, error)
          },
        })
        const verdict = take(from, carried, road === 'gossip' ? 'gossip' : 'direct')
        return verdict === 'accept' || (verdict === 'keep' && refusal !== 'accept') ? refusal : verdict
      } catch (error) {
        return refuse(from, error)
      }
    },
    caughtUp(from, bytes) {
      take(from, decodeFrame(bytes, { mesh, onRefused: (error) => void refuse(from, error) }), 'catch-up')
    },
    probeAnswer(target, nonce, bytes) {
      try {
        const [first] = decodeFrame(bytes, { mesh })
        if (first === undefined || first.record.domain !== 'heartbeat') return null
        seal.verify(first.record)
        return first.record.signer === target && first.record.body.nonce === nonce ? first.record : null
      } catch {
        return null
      }
    },
    digest: (bytes) => decodeDigest(bytes),
    stored(bytes) {
      try {
        const record = parseStored(bytes)
        seal.verify(record)
        return record
      } catch {
        return null
      }
    },
    async storedLater(bytes) {
      try {
        const record = parseStored(bytes)
        await seal.verifyLater(record)
        return record
      } catch {
        return null
      }
    },
    refused: () => Object.fromEntries(counts),
  }
}

/** A frame of records, signed where they are ours. */
export function sealedFrame(seal: SealOfOrigin, carried: readonly Carried[]): Uint8Array {
  return encodeFrame(carried.map(({ record, ageMs }) => ({ record: seal.signed(record), ageMs })))
}
