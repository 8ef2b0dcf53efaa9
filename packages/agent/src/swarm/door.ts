/**
 * The door between "holds the swarm key" and "is a member".
 *
 * Right after noise has proven who it is, each side says one hello on a protocol of its own: the dialler first, the
 * listener when it has let the dialler in. Until then nothing else from that connection is parsed: every other
 * protocol waits behind `guard`, identify and gossip included. Who does not come in within a few seconds is
 * disconnected.
 *
 * The door also knows which connections a member has, so it is where two become one (`extra-connections.ts`).
 */

import type { Connection, Libp2p, Stream, StreamHandler } from '@libp2p/interface'
import type { HostId } from '@muster/protocol'
import { extrasOf } from './extra-connections.ts'
import { finish, readOneFrame, resetStream, within, writeFrame } from './framing.ts'
import { HELLO_BYTES_MAX, HELLO_TIMEOUT_MS, PENDING_CONNECTIONS_MAX, STREAM_OPEN_TIMEOUT_MS } from './limits.ts'
import type { PeerInfo, SwarmDeps, SwarmHandlers } from './swarm.ts'

const HELLO_PROTOCOL = '/muster/hello/1'
/** Both sides settle which connection stays before one of two is closed. */
const EXTRA_CLOSES_AFTER_MS = 500
/** How often one refused host is named in the log. */
const REFUSAL_LOG_EVERY_MS = 10 * 60_000
const REFUSALS_REMEMBERED_MAX = 256

/** Keeps strangers out, and knows who is in. */
export interface Door {
  /** Takes its place in front of a node. */
  attach(node: Libp2p): Promise<void>
  /** Leaves the node, and forgets its timers; connections end with the node. */
  detach(): void
  /** After the node has stopped: whoever is still here is gone. */
  clear(): void
  /** Resolves whether this connection is let in, at once when that is settled. */
  admitted(connection: Connection): Promise<boolean>
  /** A handler that is called only for connections that are let in. */
  guard(handler: StreamHandler): StreamHandler
  /** The best connection to a member: direct before relayed, then the newest. */
  connectionTo(host: HostId): Connection | undefined
  /** All connections to a member. */
  connectionsTo(host: HostId): Connection[]
  /** Who is in. */
  peers(): PeerInfo[]
}

/** What follows from a change at the door. */
export interface DoorEvents {
  onUp(host: HostId): void
  onDown(host: HostId, connectedMs: number): void
  /** A connection came in, or a member has one fewer: gossip must find a living one. */
  onChange(host: HostId): void
}

interface Visitor {
  readonly connection: Connection
  readonly host: HostId
  readonly settled: PromiseWithResolvers<boolean>
  state: 'waiting' | 'in' | 'out'
  inSinceMs: number
}

/** A door that is not attached yet. */
export function createDoor(
  host: HostId,
  handlers: Pick<SwarmHandlers, 'admit' | 'hello'>,
  { log, clock }: SwarmDeps,
  events: DoorEvents,
): Door {
  const visitors = new Map<Connection, Visitor>()
  const members = new Map<HostId, Set<Visitor>>()
  const refusalLoggedMs = new Map<HostId, number>()
  const timers = new Set<NodeJS.Timeout>()
  let lifetime = new AbortController()
  let attachedTo: Libp2p | undefined

  const onOpen = (event: CustomEvent<Connection>): void => {
    const connection = event.detail
    if (visitors.has(connection)) return
    if (waiting() >= PENDING_CONNECTIONS_MAX) {
      connection.abort(new Error('too many at the door'))
      return
    }
    const visitor: Visitor = {
      connection,
      host: connection.remotePeer.toString(),
      settled: Promise.withResolvers<boolean>(),
      state: 'waiting',
      inSinceMs: 0,
    }
    visitors.set(connection, visitor)
    connection.addEventListener('close', () => goneAway(visitor))
    later(HELLO_TIMEOUT_MS, () => refuse(visitor, 'no hello in time'))
    // The dialler speaks first; the listener answers in `onHello`.
    if (connection.direction === 'outbound') {
      introduce(visitor).catch((error: unknown) => refuse(visitor, reasonOf(error)))
    }
    // It can close while it opens, and its event would be missed.
    if (connection.status !== 'open') goneAway(visitor)
  }

  const introduce = async (visitor: Visitor): Promise<void> => {
    const signal = within(HELLO_TIMEOUT_MS, lifetime.signal)
    const stream = await visitor.connection.newStream([HELLO_PROTOCOL], { signal, runOnLimitedConnection: true })
    await writeFrame(stream, handlers.hello(), signal)
    const answer = await readOneFrame(stream, { maxBytes: HELLO_BYTES_MAX, signal })
    await decide(visitor, answer)
    await finish(stream, signal).catch((error: unknown) => resetStream(stream, error))
  }

  const onHello: StreamHandler = async (stream, connection) => {
    const visitor = visitors.get(connection)
    if (visitor?.state !== 'waiting' || connection.direction !== 'inbound') {
      resetStream(stream, 'no hello is due')
      return
    }
    try {
      await answerHello(visitor, stream)
    } catch (error) {
      resetStream(stream, error)
      refuse(visitor, reasonOf(error))
    }
  }

  const answerHello = async (visitor: Visitor, stream: Stream): Promise<void> => {
    const signal = within(HELLO_TIMEOUT_MS, lifetime.signal)
    const hello = await readOneFrame(stream, { maxBytes: HELLO_BYTES_MAX, signal })
    if (!(await decide(visitor, hello))) return
    await writeFrame(stream, handlers.hello(), signal)
    await finish(stream, signal).catch((error: unknown) => resetStream(stream, error))
  }

  const decide = async (visitor: Visitor, hello: Uint8Array): Promise<boolean> => {
    const isWelcome = await handlers.admit(visitor.host, hello)
    if (visitor.state !== 'waiting') return false
    if (isWelcome) letIn(visitor)
    else refuse(visitor, 'not admitted')
    return isWelcome
  }

  const letIn = (visitor: Visitor): void => {
    visitor.state = 'in'
    visitor.inSinceMs = clock.monotonicMs()
    const connections = members.get(visitor.host) ?? new Set()
    const isFirst = connections.size === 0
    connections.add(visitor)
    members.set(visitor.host, connections)
    visitor.settled.resolve(true)
    if (isFirst) events.onUp(visitor.host)
    else later(EXTRA_CLOSES_AFTER_MS, () => closeExtras(visitor.host))
    events.onChange(visitor.host)
  }

  const refuse = (visitor: Visitor, reason: string): void => {
    if (visitor.state !== 'waiting') return
    visitor.state = 'out'
    visitor.settled.resolve(false)
    if (isNews(visitor.host)) {
      log.info('peer refused at the door', {
        host: visitor.host,
        address: visitor.connection.remoteAddr.toString(),
        reason,
      })
    }
    visitor.connection.abort(new Error(`refused at the door: ${reason}`))
  }

  const isNews = (from: HostId): boolean => {
    const nowMs = clock.monotonicMs()
    const lastMs = refusalLoggedMs.get(from)
    if (lastMs !== undefined && nowMs - lastMs < REFUSAL_LOG_EVERY_MS) return false
    if (refusalLoggedMs.size >= REFUSALS_REMEMBERED_MAX) refusalLoggedMs.clear()
    refusalLoggedMs.set(from, nowMs)
    return true
  }

  const goneAway = (visitor: Visitor): void => {
    if (!visitors.delete(visitor.connection)) return
    const wasIn = visitor.state === 'in'
    visitor.state = 'out'
    visitor.settled.resolve(false)
    const connections = members.get(visitor.host)
    if (!wasIn || connections === undefined) return
    connections.delete(visitor)
    if (connections.size > 0) {
      events.onChange(visitor.host)
      return
    }
    members.delete(visitor.host)
    events.onDown(visitor.host, clock.monotonicMs() - visitor.inSinceMs)
  }

  const closeExtras = (peer: HostId): void => {
    const roads = [...(members.get(peer) ?? [])].map((visitor) => ({
      visitor,
      isMine: visitor.connection.direction === 'outbound',
      isDirect: visitor.connection.direct,
      sinceMs: visitor.inSinceMs,
    }))
    for (const { visitor } of extrasOf(roads, host < peer)) {
      log.debug('extra connection closed', { host: peer, address: visitor.connection.remoteAddr.toString() })
      visitor.connection.close({ signal: AbortSignal.timeout(STREAM_OPEN_TIMEOUT_MS) }).catch((error: unknown) => {
        visitor.connection.abort(error instanceof Error ? error : new Error(String(error)))
      })
    }
  }

  const later = (ms: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, ms)
    timers.add(timer)
  }

  const waiting = (): number => {
    let count = 0
    for (const visitor of visitors.values()) if (visitor.state === 'waiting') count++
    return count
  }

  return {
    async attach(node) {
      lifetime = new AbortController()
      attachedTo = node
      node.addEventListener('connection:open', onOpen)
      await node.handle(HELLO_PROTOCOL, onHello, { maxInboundStreams: 1, runOnLimitedConnection: true })
    },
    detach() {
      lifetime.abort(new Error('the swarm stops'))
      attachedTo?.removeEventListener('connection:open', onOpen)
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
    clear() {
      for (const visitor of [...visitors.values()]) goneAway(visitor)
    },
    admitted: async (connection) => (await visitors.get(connection)?.settled.promise) ?? false,
    guard(handler) {
      return async (stream, connection) => {
        const visitor = visitors.get(connection)
        const isIn = visitor?.state === 'in' || (await visitor?.settled.promise) === true
        if (isIn) await handler(stream, connection)
        else resetStream(stream, 'not admitted')
      }
    },
    connectionTo: (peer) => bestOf(members.get(peer))?.connection,
    connectionsTo: (peer) => [...(members.get(peer) ?? [])].map(({ connection }) => connection),
    peers() {
      const nowMs = clock.monotonicMs()
      return [...members].flatMap(([peer, connections]) => {
        const best = bestOf(connections)
        if (best === undefined) return []
        const oldestMs = Math.min(...[...connections].map(({ inSinceMs }) => inSinceMs))
        return {
          host: peer,
          address: best.connection.remoteAddr.toString(),
          via: best.connection.direct ? ('direct' as const) : ('relayed' as const),
          sinceMs: nowMs - oldestMs,
        }
      })
    },
  }
}

function bestOf(visitors: Iterable<Visitor> | undefined): Visitor | undefined {
  let best: Visitor | undefined
  for (const visitor of visitors ?? []) {
    if (best === undefined) best = visitor
    else if (visitor.connection.direct !== best.connection.direct) best = visitor.connection.direct ? visitor : best
    else if (visitor.inSinceMs >= best.inSinceMs) best = visitor
  }
  return best
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
