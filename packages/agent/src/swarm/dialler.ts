/** Dials the peer book for ever, a few at a time, and keeps account of what does not answer. */

import type { Connection, Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { HostId } from '@muster/protocol'
import type { DialReport } from './dial-report.ts'
import { explainDialError } from './dial-report.ts'
import type { Door } from './door.ts'
import { within } from './framing.ts'
import { DIAL_TIMEOUT_MS, DIALS_AT_ONCE_MAX } from './limits.ts'
import type { DialOutcome, PeerBook, Target } from './peer-book.ts'
import type { PeerBookEntry, SwarmDeps } from './swarm.ts'

/** The thin driver of a peer book. */
export interface Dialler {
  start(node: Libp2p): void
  stop(): Promise<void>
  setEntries(entries: readonly PeerBookEntry[]): void
  redialNow(): void
  onUp(host: HostId): void
  onDown(host: HostId, connectedMs: number): void
  /** Dials one host out of turn, for a probe. Resolves with a connection that is let in, or undefined. */
  dialNow(host: HostId, signal: AbortSignal): Promise<Connection | undefined>
  reports(): DialReport[]
}

/** A member came to the door and it stayed shut, on either side. */
class NotAdmittedError extends Error {
  override readonly name = 'NotAdmittedError'
  readonly code = 'not-admitted'
}

/** A dialler that is not started yet. */
export function createDialler(self: HostId, book: PeerBook, door: Door, { log, clock }: SwarmDeps): Dialler {
  const reports = new Map<string, DialReport>()
  const running = new Set<Promise<void>>()
  let lifetime = new AbortController()
  let node: Libp2p | undefined
  let timer: NodeJS.Timeout | undefined

  const schedule = (): void => {
    clearTimeout(timer)
    timer = undefined
    const dueMs = book.nextDueMs()
    if (node === undefined || dueMs === undefined || running.size >= DIALS_AT_ONCE_MAX) return
    timer = setTimeout(dialDue, Math.max(0, dueMs - clock.monotonicMs()))
  }

  const dialDue = (): void => {
    if (node === undefined) return
    for (const target of book.takeDue(clock.monotonicMs(), DIALS_AT_ONCE_MAX - running.size)) {
      const work = dialTarget(node, target, lifetime.signal)
        .then((outcome) => book.dialled(target.key, outcome, clock.monotonicMs()))
        .finally(() => {
          running.delete(work)
          schedule()
        })
      running.add(work)
    }
    schedule()
  }

  /** Tries the addresses in turn; never rejects. */
  const dialTarget = async (on: Libp2p, target: Target, signal: AbortSignal): Promise<DialOutcome> => {
    let outcome: DialOutcome = { kind: 'failed' }
    for (const address of target.addresses) {
      if (signal.aborted) break
      const connection = await dialAddress(on, address, target.host, signal)
      if (connection === 'ourselves') outcome = { kind: 'ourselves' }
      else if (connection !== undefined) return { kind: 'connected', host: connection.remotePeer.toString() }
    }
    return outcome
  }

  const dialAddress = async (
    on: Libp2p,
    address: string,
    host: HostId | undefined,
    signal: AbortSignal,
  ): Promise<Connection | 'ourselves' | undefined> => {
    let hasAnswered = false
    try {
      const connection = await on.dial(addressOf(address, host), {
        signal: within(DIAL_TIMEOUT_MS, signal),
        // The key is in use once the encryption begins: the other side has sent its nonce.
        onProgress: (event) => {
          if (event.type.startsWith('upgrader:')) hasAnswered = true
        },
      })
      if (!(await door.admitted(connection))) throw new NotAdmittedError('the door stayed shut')
      if (reports.delete(address)) log.info('address answers', { address, host: connection.remotePeer.toString() })
      return connection
    } catch (error) {
      if (signal.aborted) return undefined
      const { problem, explanation } = explainDialError({ address, error, answered: hasAnswered })
      if (problem === 'ourselves') return 'ourselves'
      log.debug('dial failed', { address, problem, error: error instanceof Error ? error.message : String(error) })
      // It left the book meanwhile, or its host has come by another road.
      if (book.isMoot(address)) return undefined
      const before = reports.get(address)
      reports.set(address, {
        address,
        ...(host === undefined ? {} : { host }),
        problem,
        explanation,
        tries: (before?.tries ?? 0) + 1,
      })
      // Said once; it is dialled for ever.
      if (before?.problem !== problem) log.warn('address does not answer', { address, problem, explanation })
      return undefined
    }
  }

  const forgetMoot = (): void => {
    for (const address of reports.keys()) if (book.isMoot(address)) reports.delete(address)
  }

  return {
    start(startedNode) {
      lifetime = new AbortController()
      node = startedNode
      book.reset(clock.monotonicMs())
      schedule()
    },
    async stop() {
      node = undefined
      clearTimeout(timer)
      lifetime.abort(new Error('the swarm stops'))
      reports.clear()
      await Promise.all(running)
    },
    setEntries(entries) {
      book.setEntries(entries, clock.monotonicMs())
      forgetMoot()
      schedule()
    },
    redialNow() {
      book.reset(clock.monotonicMs())
      schedule()
    },
    onUp(host) {
      book.connected(host, clock.monotonicMs())
      forgetMoot()
      schedule()
    },
    onDown(host, connectedMs) {
      book.disconnected(host, connectedMs, clock.monotonicMs())
      schedule()
    },
    async dialNow(host, signal) {
      if (node === undefined || host === self) return undefined
      const both = AbortSignal.any([signal, lifetime.signal])
      for (const address of book.addressesOf(host)) {
        const connection = await dialAddress(node, address, host, both)
        if (typeof connection === 'object') return connection
        if (both.aborted) break
      }
      return undefined
    },
    reports: () => [...reports.values()],
  }
}

function addressOf(address: string, host: HostId | undefined): ReturnType<typeof multiaddr> {
  const parsed = multiaddr(address)
  if (host === undefined || /\/p2p\/[^/]+$/.test(address)) return parsed
  return parsed.encapsulate(`/p2p/${peerIdFromString(host).toString()}`)
}
