/** The real swarm: libp2p behind the interface of `swarm.ts`. */
import { createCatchUp } from './catch-up.ts'
import { createDialler } from './dialler.ts'
import { createDirectedFrames } from './directed-frames.ts'
import { createDoor } from './door.ts'
import { createGossipRoad } from './gossip-road.ts'
import { createHeartbeatRoads } from './heartbeat-roads.ts'
import { hostIdOfPublicKey, publicKeyOf } from './host-id.ts'
import { createIntake } from './intake.ts'
import { CATCH_UP_FRAME_BYTES_MAX, FRAME_BYTES_MAX, HELLO_BYTES_MAX, NODE_STOP_MS_MAX } from './limits.ts'
import { listenFailureOf } from './listen-failure.ts'
import type { SwarmNode } from './node.ts'
import { createNode, GOSSIP_TOPIC } from './node.ts'
import { nodeTrouble } from './node-health.ts'
import { createPeerBook, DIALLING_DEFAULT } from './peer-book.ts'
import { createProber } from './probe.ts'
import { createQuietPeers } from './quiet-peers.ts'
import { createRelayListener, splitListen } from './relay-listener.ts'
import { stopNode, troubleOf } from './stop-node.ts'
import type { Swarm, SwarmDeps, SwarmHandlers, SwarmOptions } from './swarm.ts'
import { SwarmError } from './swarm.ts'

/**
 * A swarm that is not started. Throws when a key has the wrong length. Each start makes a node of its own; `makeNode` is
 * for tests that break one from within.
 */
export function createSwarm(
  options: SwarmOptions,
  handlers: SwarmHandlers,
  deps: SwarmDeps,
  makeNode: typeof createNode = createNode,
): Swarm {
  const { log } = deps
  const publicKey = publicKeyOf(options.privateKey)
  const keyBytes = Buffer.concat([options.privateKey, publicKey])
  const host = hostIdOfPublicKey(publicKey)

  let lifetime = new AbortController()
  let node: SwarmNode | undefined
  lifetime.abort(new SwarmError('not-started', 'the swarm is not started'))

  const tell = (peer: string, change: 'up' | 'down'): void => {
    log.debug(change === 'up' ? 'peer connected' : 'peer disconnected', { host: peer })
    try {
      handlers.onPeer(peer, change)
    } catch (error) {
      log.warn('peer handler failed', { host: peer, error: String(error) })
    }
  }

  const door = createDoor(host, checkedHello(handlers), deps, {
    onUp(peer) {
      dialler.onUp(peer)
      relayListener.onUp(peer)
      tell(peer, 'up')
    },
    onDown(peer, connectedMs) {
      heartbeats.forget(peer)
      gossip.forget(peer)
      dialler.onDown(peer, connectedMs)
      tell(peer, 'down')
    },
    onChange: (peer) => gossip.onChange(peer),
  })
  const intake = createIntake(deps)
  const book = createPeerBook(host, deps.random, { ...DIALLING_DEFAULT, ...options.dialling })
  const dialler = createDialler(host, book, door, deps)
  const relayListener = createRelayListener(splitListen(options.listen).relayed, door, deps)
  const gossip = createGossipRoad(door, intake, handlers.onFrame, deps)
  const heartbeats = createHeartbeatRoads(door, intake, handlers.onFrame, deps)
  const frames = createDirectedFrames(door, intake, handlers.onFrame, deps)
  const prober = createProber(
    host,
    door,
    intake,
    (peer, signal) => dialler.dialNow(peer, signal),
    handlers.onProbe,
    deps,
  )
  const quietPeers = createQuietPeers(intake.heardMs, deps)
  const catchUp = createCatchUp(door, intake, handlers.onCatchUp, deps)

  /** Throws when the swarm is stopped meanwhile; then the node that came late is stopped here. */
  const begin = async (life: AbortSignal, signal: AbortSignal | undefined): Promise<void> => {
    const made = await makeNode(options, keyBytes, { guard: door.guard, throttle: intake.throttle })
    life.throwIfAborted()
    node = made
    try {
      await door.attach(made)
      for (const part of [gossip, heartbeats, frames, prober, catchUp]) await part.attach(made, life)
      // Relays are listened on later, so nothing here waits for another host.
      await made.start()
      signal?.throwIfAborted()
      life.throwIfAborted()
    } catch (error) {
      complain('node', await stopNode(made, NODE_STOP_MS_MAX))
      throw error
    }
    made.services.sockets.remember()
    gossip.begin()
    relayListener.begin(
      (address) => made.services.listener.listenOn(address),
      () => made.getMultiaddrs().map(String),
    )
    dialler.start(made)
    quietPeers.begin(made, life)
  }

  const complain = (what: string, trouble: string | null): void => {
    if (trouble !== null) log.warn('the swarm did not stop well', { what, reason: trouble })
  }

  const end = async (): Promise<void> => {
    lifetime.abort(new SwarmError('not-started', 'the swarm is stopped'))
    const ending = node
    node = undefined
    door.detach()
    gossip.end()
    relayListener.end()
    // What hangs must not keep the agent from hearing that its peers are gone.
    complain('dials', await troubleOf(dialler.stop(), NODE_STOP_MS_MAX))
    if (ending !== undefined) complain('node', await stopNode(ending, NODE_STOP_MS_MAX))
    door.clear()
  }

  return {
    host,
    async start(signal) {
      if (!lifetime.signal.aborted) return
      const life = new AbortController()
      lifetime = life
      try {
        await begin(life.signal, signal)
      } catch (error) {
        // Stopped meanwhile, and perhaps started anew: that is not to be disturbed.
        if (life.signal.aborted) throw life.signal.reason
        await end()
        if (signal?.aborted === true) throw signal.reason
        const failure = listenFailureOf(error)
        const reason = failure === undefined ? reasonOf(error) : `${failure.address} (${failure.code})`
        throw new SwarmError('listen-failed', `cannot listen: ${reason}`, { cause: error })
      }
    },
    stop: end,
    health: () => (node === undefined ? null : nodeTrouble(node, node.services.gossip, GOSSIP_TOPIC)),
    addresses: () => node?.getMultiaddrs().map(String) ?? [],
    peers: () => door.peers(),
    setPeerBook: (entries) => dialler.setEntries(entries),
    redialNow: () => dialler.redialNow(),
    dialReports: () => dialler.reports(),
    async gossip(frame) {
      if (node === undefined) throw new SwarmError('not-started', 'the swarm is not started')
      await gossip.publish(checkedFrame(frame))
    },
    sendHeartbeat(to, frame) {
      checkedFrame(frame)
      for (const peer of to) if (peer !== host) heartbeats.send(peer, frame)
    },
    async send(to, toSend, signal) {
      for (const frame of toSend) checkedFrame(frame)
      await frames.send(to, toSend, signal ?? lifetime.signal)
    },
    probe: (request, signal) => prober.probe(request, signal),
    catchUp: (peer, request, signal) => catchUp.request(peer, checkedFrame(request, CATCH_UP_FRAME_BYTES_MAX), signal),
  }
}

function checkedFrame(frame: Uint8Array, bytesMax: number = FRAME_BYTES_MAX): Uint8Array {
  // An empty frame cannot be told from none.
  if (frame.byteLength > 0 && frame.byteLength <= bytesMax) return frame
  throw new SwarmError('too-large', `a frame has 1 to ${bytesMax} bytes, this has ${frame.byteLength}`)
}

function checkedHello(handlers: SwarmHandlers): Pick<SwarmHandlers, 'admit' | 'hello'> {
  return {
    admit: (from, hello) => handlers.admit(from, hello),
    hello() {
      const hello = handlers.hello()
      if (hello.byteLength > 0 && hello.byteLength <= HELLO_BYTES_MAX) return hello
      throw new SwarmError('too-large', `a hello has 1 to ${HELLO_BYTES_MAX} bytes, this has ${hello.byteLength}`)
    },
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
