/**
 * How much one member may bring, whatever the road: counted before a handler runs, because checking a signature costs
 * a hundred times more than counting.
 *
 * Too many frames are dropped unread; too many bytes make its streams wait, so that its own buffers fill.
 */

import type { Connection, Stream } from '@libp2p/interface'
import type { HostId } from '@muster/protocol'
import {
  OFFENDER_LOG_EVERY_MS,
  PEER_BOOK_MAX,
  PEER_BYTES_BURST,
  PEER_BYTES_PER_SECOND,
  PEER_FRAMES_BURST,
  PEER_FRAMES_PER_SECOND,
} from './limits.ts'
import type { SwarmDeps } from './swarm.ts'
import type { TokenBucket } from './token-bucket.ts'
import { createTokenBucket } from './token-bucket.ts'

/** The accounts of all members. */
export interface Intake {
  /** Whether one more frame of this member may be looked at. */
  takesFrame(from: HostId): boolean
  /** When a frame of this member last came, in monotonic milliseconds; undefined when none has. */
  heardMs(from: HostId): number | undefined
  /** The member's account of bytes. */
  bytesOf(from: HostId): TokenBucket
  /** Makes a stream that somebody else reads wait while its sender is in debt. */
  throttle(stream: Stream, connection: Connection): void
}

interface Account {
  readonly frames: TokenBucket
  readonly bytes: TokenBucket
  loggedMs: number
  heardMs: number | undefined
}

/** Empty accounts. */
export function createIntake({ log, clock }: SwarmDeps): Intake {
  const accounts = new Map<HostId, Account>()

  const accountOf = (host: HostId): Account => {
    const known = accounts.get(host)
    if (known !== undefined) return known
    const monotonicMs = (): number => clock.monotonicMs()
    const account: Account = {
      frames: createTokenBucket({ perSecond: PEER_FRAMES_PER_SECOND, burst: PEER_FRAMES_BURST, monotonicMs }),
      bytes: createTokenBucket({ perSecond: PEER_BYTES_PER_SECOND, burst: PEER_BYTES_BURST, monotonicMs }),
      loggedMs: Number.NEGATIVE_INFINITY,
      heardMs: undefined,
    }
    const [oldest] = accounts.keys()
    if (accounts.size >= PEER_BOOK_MAX && oldest !== undefined) accounts.delete(oldest)
    accounts.set(host, account)
    return account
  }

  const blame = (host: HostId, account: Account, what: string): void => {
    const nowMs = clock.monotonicMs()
    if (nowMs - account.loggedMs < OFFENDER_LOG_EVERY_MS) return
    account.loggedMs = nowMs
    log.warn('peer over its limit', { host, what })
  }

  return {
    takesFrame(from) {
      const account = accountOf(from)
      account.heardMs = clock.monotonicMs()
      const isTaken = account.frames.tryTake(1)
      if (!isTaken) blame(from, account, 'frames')
      return isTaken
    },
    heardMs: (from) => accounts.get(from)?.heardMs,
    bytesOf: (from) => accountOf(from).bytes,
    throttle(stream, connection) {
      const host = connection.remotePeer.toString()
      const account = accountOf(host)
      let timer: NodeJS.Timeout | undefined
      stream.addEventListener('message', ({ data }) => {
        const waitMs = account.bytes.take(data.byteLength)
        if (waitMs === 0 || timer !== undefined) return
        blame(host, account, 'bytes')
        quietly(() => stream.pause())
        timer = setTimeout(() => {
          timer = undefined
          quietly(() => stream.resume())
        }, waitMs)
      })
      stream.addEventListener('close', () => clearTimeout(timer))
    },
  }
}

/** A stream may close between two lines; its event tells those who care. */
function quietly(work: () => void): void {
  try {
    work()
  } catch {
    // Closed in between.
  }
}
