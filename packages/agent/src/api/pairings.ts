/** Pairings that were started through the API: begun by one request, asked after by others. */
import { randomUUID } from 'node:crypto'
import type { AgentPort } from '../agent-port.ts'
import { HttpError, notFound } from './http-error.ts'
import { PAIRING_KEPT_MS, PAIRINGS_MAX } from './limits.ts'
import type { PairingStateView, PairingView } from './shapes.ts'

/** The pairings of one server. */
export interface Pairings {
  /** Starts one. Throws an `HttpError` 503 when too many are under way. */
  start(name: string): Promise<PairingView>
  /** How one stands; waits up to `waitMs` for its end. Throws an `HttpError` 404. */
  state(id: string, waitMs: number): Promise<PairingStateView>
  /** Ends one: its link is worth nothing from now on. Throws an `HttpError` 404. */
  cancel(id: string): void
  close(): void
}

interface Running {
  readonly cancel: AbortController
  readonly ended: Promise<PairingStateView>
  state: PairingStateView
}

/** No pairings. */
export function createPairings(agent: Pick<AgentPort, 'pair'>): Pairings {
  const running = new Map<string, Running>()

  function find(id: string): Running {
    const found = running.get(id)
    if (found === undefined) throw notFound('no-such-pairing', 'there is no such pairing, or it ended a while ago')
    return found
  }

  function waiting(): number {
    return [...running.values()].filter(({ state }) => state.state === 'waiting').length
  }

  return {
    async start(name) {
      if (waiting() >= PAIRINGS_MAX) {
        throw new HttpError(503, 'too-many-pairings', `${PAIRINGS_MAX} pairings are under way: end one of them first`)
      }
      const cancel = new AbortController()
      const pairing = await agent.pair(name, cancel.signal)
      const id = randomUUID()
      const ended = pairing.paired.then(
        (device): PairingStateView => ({ state: 'paired', name: device.name }),
        (error: unknown): PairingStateView => ({ state: 'failed', why: reasonOf(error) }),
      )
      const entry: Running = { cancel, ended, state: { state: 'waiting' } }
      running.set(id, entry)
      void ended.then((state) => {
        entry.state = state
        setTimeout(() => running.delete(id), PAIRING_KEPT_MS).unref()
      })
      return { id, link: pairing.link, expiresUnixMs: pairing.expiresUnixMs, warnings: pairing.warnings }
    },
    async state(id, waitMs) {
      const entry = find(id)
      if (entry.state.state !== 'waiting' || waitMs <= 0) return entry.state
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, waitMs)
      try {
        await Promise.race([entry.ended, promise])
      } finally {
        clearTimeout(timer)
      }
      return entry.state
    },
    cancel(id) {
      find(id).cancel.abort(new Error('cancelled'))
    },
    close() {
      for (const { cancel } of running.values()) cancel.abort(new Error('the agent stops'))
      running.clear()
    },
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300)
}
