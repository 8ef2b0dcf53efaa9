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
    to: { readonly peers: readonly Connection[]; readonly pushes: readonly Push[]; readonly signal: AbortSignal },
  ): Promise<{ readonly nodes: number; readonly devices: number }>
  /** True as soon as one of them answers a ping. */
  somebodyAnswers(connections: readonly Connection[], signal: AbortSignal): Promise<boolean>
}

/** Makes a confirmer on a node. */
export function createConfirmer(host: WakuHost): Confirmer {
  const answers = async (connection: Connection, signal: AbortSignal): Promise<void> => {
    await host.services.ping.ping(connection.remotePeer, { signal })
  }

  const nodeHas = async (connection: Connection, message: Message, signal: AbortSignal): Promise<void> => {
    if (!message.ephemeral) {
      for (const pauseMs of RELAY_PAUSES_MS) {
        await sleep(pauseMs, signal)
        try {
          if (await askHolds(connection, message.hash, signal)) return
        } catch {
          // No store there, or a slow one: light push has the last word.
          break
        }
      }
    }
    await lightPush(connection, message, signal)
  }

  const deviceHas = async (push: Push, signal: AbortSignal): Promise<void> => {
    if (!(await push.isSent)) throw new Error('the push failed')
    await answers(push.connection, signal)
  }

  return {
    async delivery(message, { peers, pushes, signal: outer }) {
      const ended = new AbortController()
      const signal = AbortSignal.any([outer, ended.signal, AbortSignal.timeout(CONFIRM_TIMEOUT_MS)])
      const count = { nodes: 0, devices: 0 }
      const first = Promise.withResolvers<void>()
      const counting = (kind: 'nodes' | 'devices') => () => {
        count[kind] += 1
        first.resolve()
      }
      const all = Promise.allSettled([
        ...peers.map((connection) => nodeHas(connection, message, signal).then(counting('nodes'))),
        ...pushes.map((push) => deviceHas(push, signal).then(counting('devices'))),
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
