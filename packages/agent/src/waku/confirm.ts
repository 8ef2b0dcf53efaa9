/**
 * Who really has a message.
 *
 * Handing bytes to a socket proves nothing: a peer whose plug was pulled takes them for seconds. A node confirms by
 * saying that its store holds the hash, or by taking the message by light push; a device by answering a ping that was
 * sent behind the push on the same connection.
 */
import type { Connection } from '@libp2p/interface'
import type { Push } from './filter.ts'
import type { WakuHost } from './host.ts'
import { CONFIRM_GRACE_MS, CONFIRM_TIMEOUT_MS } from './limits.ts'
import type { Message } from './message.ts'
import { askHolds, lightPush } from './peer-client.ts'
import { sleep } from './ports.ts'

/** Pauses before each question whether the relay has brought the message, in milliseconds. */
const RELAY_PAUSES_MS = [10, 40, 150]

/** Asks around. */
export interface Confirmer {
  /** Counts who confirms, until all have or the time is over; never rejects. */
  delivery(
    message: Message,
    to: {
      readonly peers: readonly { readonly connection: Connection; readonly isOfList: boolean }[]
      readonly pushes: readonly Push[]
      readonly signal: AbortSignal
    },
  ): Promise<{ readonly by: number; readonly stored: number }>
  /** True as soon as one of them answers a ping. */
  somebodyAnswers(connections: readonly Connection[], signal: AbortSignal): Promise<boolean>
}

/** Makes a confirmer on a node. */
export function createConfirmer(host: WakuHost): Confirmer {
  const answers = async (connection: Connection, signal: AbortSignal): Promise<void> => {
    await host.services.ping.ping(connection.remotePeer, { signal })
  }

  /** Whether the node's store holds it; when that cannot be learnt it is asked to take it. Rejects when it did neither. */
  const nodeHas = async (connection: Connection, message: Message, signal: AbortSignal): Promise<boolean> => {
    const asks = message.ephemeral ? [] : RELAY_PAUSES_MS
    for (const pauseMs of asks) {
      await sleep(pauseMs, signal)
      const holds = await askHolds(connection, message.hash, signal).catch(() => undefined)
      if (holds === true) return true
      // No store there, or a slow one.
      if (holds === undefined) break
    }
    await lightPush(connection, message, signal)
    // "Taken" may mean "passed on and forgotten": only its store says that it keeps it.
    return !message.ephemeral && askHolds(connection, message.hash, signal).catch(() => false)
  }

  const deviceHas = async (push: Push, signal: AbortSignal): Promise<void> => {
    if (!(await push.isSent)) throw new Error('the push failed')
    await answers(push.connection, signal)
  }

  return {
    async delivery(message, { peers, pushes, signal: outer }) {
      const ended = new AbortController()
      const signal = AbortSignal.any([outer, ended.signal, AbortSignal.timeout(CONFIRM_TIMEOUT_MS)])
      const count = { by: 0, stored: 0 }
      const first = Promise.withResolvers<void>()
      const counting =
        (isOfList: boolean) =>
        (isStored: boolean): void => {
          count.by += 1
          // A stranger among the relay's peers may say anything.
          if (isStored && isOfList) count.stored += 1
          first.resolve()
        }
      const all = Promise.allSettled([
        ...peers.map(({ connection, isOfList }) => nodeHas(connection, message, signal).then(counting(isOfList))),
        ...pushes.map((push) => deviceHas(push, signal).then(() => counting(false)(false))),
      ])
      const enough = first.promise.then(() => sleep(CONFIRM_GRACE_MS, signal))
      const over = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      await Promise.race([all, enough.catch(() => undefined), over])
      ended.abort(new Error('enough has been confirmed'))
      return { ...count }
    },
    async somebodyAnswers(connections, signal) {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(CONFIRM_TIMEOUT_MS)])
      return Promise.any(connections.map((connection) => answers(connection, limited))).then(
        () => true,
        () => false,
      )
    },
  }
}
