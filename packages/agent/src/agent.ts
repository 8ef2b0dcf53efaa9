/**
 * The composition root: one host's agent, made of its parts.
 *
 * Order of starting: keys and config, the store (with this start's incarnation on disk), the core's first state, then
 * swarm, Waku, checks and the API under a supervisor. What fails later is restarted while the rest goes on.
 */
import { randomInt } from 'node:crypto'
import { hostname } from 'node:os'
import { createRunner, type Runner } from '@muster/checks'
import { createState, decodeEnvelope, nameOf, type State } from '@muster/protocol'
import type { AgentEvent, AgentPort } from './agent-port.ts'
import { type Clock, systemClock } from './clock.ts'
import { hostNameOf } from './config/init.ts'
import { type Config, loadConfig } from './config/load.ts'
import {
  CERTIFICATE_BYTES_MAX,
  createCertificateBook,
  encodeCertificate,
  issueCertificate,
} from './identity/certificate.ts'
import { checkFolder, type Folder } from './identity/folder.ts'
import { type HostKey, readHostKey } from './identity/host-key.ts'
import { type MeshKey, meshKeyOf } from './identity/mesh-key.ts'
import { createSigner } from './identity/signer.ts'
import { readSwarmKey } from './identity/swarm-key.ts'
import { type Log, reasonOf } from './log.ts'
import { createLoop, type Loop } from './loop.ts'
import { createAgentPort } from './shell/agent-port-of.ts'
import { createInbound } from './shell/inbound.ts'
import { createKeeping } from './shell/keeping.ts'
import { createMeshUpkeep } from './shell/mesh-upkeep.ts'
import { areLoopback, hasRoute } from './shell/network-facts.ts'
import { createPerforming, type Performing } from './shell/performing.ts'
import { createSealOfOrigin } from './shell/seal-of-origin.ts'
import { createTelling } from './shell/telling.ts'
import { wakuPart } from './shell/waku-part.ts'
import { createStore, type Store } from './storage/index.ts'
import { createSupervisor } from './supervisor.ts'
import { createSwarm } from './swarm/create-swarm.ts'
import type { Swarm } from './swarm/swarm.ts'
import { VERSION } from './version.ts'
import type { WakuNode } from './waku/node.ts'
import { deriveKeyPair } from './waku/seal.ts'

/** Ticks of the core, milliseconds; a fast presence class needs finer ones. */
const TICK_MS = 250
const FAST_TICK_MS = 100
const FAST_CLASS_MS = 5_000
/** How often addresses, topics and the proof that Waku works are looked at again. */
const UPKEEP_MS = 2_000
/** How often history older than it goes is trimmed, and how far it goes. */
const TRIM_EVERY_MS = 10 * 60_000
const HISTORY_MS = 48 * 60 * 60_000
/** A Waku node that somebody confirmed within this time works. */
const WAKU_FRESH_MS = 60_000
/** How long a stop waits for the last heartbeat to leave. */
const GOODBYE_MS = 300

export interface StartOptions {
  readonly folder: Folder
  readonly log: Log
  readonly clock?: Clock
  /** Starts the API (or any other front end) on the running agent. It must start, or the agent does not. */
  readonly frontEnd?: (port: AgentPort, config: Config) => Promise<{ stop(): Promise<void> }>
}

export interface RunningAgent {
  readonly port: AgentPort
  /** Tells peers that it is stopping, and stops. */
  stop(): Promise<void>
}

/** What an agent knows before it starts. */
interface Keys {
  readonly config: Config
  readonly hostKey: HostKey
  readonly meshKey: MeshKey
  readonly swarmKey: Uint8Array
}

/**
 * Starts the agent of a folder.
 *
 * Throws a `ConfigError` for what the user can mend, a `StorageError` `locked` when another agent runs on the folder,
 * and a `SwarmError` `listen-failed` for a port in use.
 */
export async function startAgent(options: StartOptions): Promise<RunningAgent> {
  const { folder, log } = options
  await checkFolder(folder)
  const { config } = await loadConfig(folder.config, hostNameOf(hostname()))
  const swarmKey = await readSwarmKey(folder.swarmKey)
  const keys = { config, swarmKey, hostKey: await readHostKey(folder.identityKey), meshKey: meshKeyOf(swarmKey) }
  const store = await createStore(folder.data)
  if (store.setAside !== undefined) {
    log.warn('the store was damaged and is set aside, peers give the history back', { where: store.setAside })
  }
  try {
    return await assemble(options, keys, store)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function assemble(options: StartOptions, keys: Keys, store: Store): Promise<RunningAgent> {
  const { log, clock = systemClock } = options
  const { hostKey, meshKey, swarmKey } = keys
  let { config } = keys
  const mesh = meshKey.meshId
  const self = hostKey.hostId
  const stopping = new AbortController()
  const supervisor = createSupervisor(log)
  const listeners = new Set<(event: AgentEvent) => void>()
  const emit = (event: AgentEvent): void => {
    for (const listener of listeners) listener(event)
  }

  const book = createCertificateBook(meshKey.publicKey)
  const issued = { host: self, name: config.host, serial: Math.floor(clock.unixMs() / 1_000) }
  const certificate = issueCertificate(meshKey, { ...issued, issuedAtUnixMs: Math.round(clock.unixMs()) })
  const certificateBytes = encodeCertificate(book.admit(certificate))
  const seal = createSealOfOrigin({ hostKey, mesh, book })
  const sign = createSigner({ hostKey, meshId: mesh })
  const meshWakuKey = deriveKeyPair(swarmKey, 'mesh')

  let loop: Loop | null = null
  const theLoop = (): Loop => {
    if (loop === null) throw new Error('assertion failed: the loop runs')
    return loop
  }
  const inbound = createInbound({ mesh, seal, loop: theLoop, log })
  const keeping = createKeeping({ store, seal, clock, log, read: inbound.stored })
  const incarnation = await store.nextIncarnation()
  const first = createState(
    {
      mesh,
      self,
      name: config.host,
      presence: config.presence,
      remindMs: config.notify.remindMs,
      tickMs: tickMsOf(config),
      seed: randomInt(2 ** 32 - 1),
      without: [],
    },
    await keeping.restore(incarnation),
    clock.now(),
  )

  let waku: WakuNode | null = null
  const telling = createTelling({
    waku: () => waku,
    meshWakuKey,
    sign,
    certificate: certificateBytes,
    store,
    clock,
    log,
    loop: theLoop,
    signal: stopping.signal,
  })

  let performing: Performing | null = null
  const swarm: Swarm = createSwarm(
    { privateKey: hostKey.seed, swarmKeys: [swarmKey], listen: config.swarm.listen },
    {
      onFrame: async (from, bytes, road) => inbound.frame(from, bytes, road),
      onProbe: (from, nonce) => performer().askedForProbe(from, Buffer.from(nonce).toString('utf8').slice(0, 64)),
      async *onCatchUp(from, request) {
        yield* performer().framesOf(await performer().askedForCatchUp(from, inbound.digest(request)))
      },
      async admit(from, hello) {
        const known = book.admit(decodeEnvelope(hello, CERTIFICATE_BYTES_MAX))
        return known.body.host === from
      },
      hello: () => certificateBytes,
      onPeer: (host, change) =>
        theLoop().dispatch({ kind: change === 'up' ? 'connected' : 'disconnected', peer: host }),
    },
    { log, clock, random: Math.random },
  )
  const performer = (): Performing => {
    if (performing === null) throw new Error('assertion failed: the performer is made')
    return performing
  }
  performing = createPerforming({
    mesh,
    swarm: () => swarm,
    seal,
    inbound,
    keeping,
    telling,
    store,
    supervisor,
    log,
    loop: theLoop,
    signal: stopping.signal,
    onChange(effect) {
      if (effect.kind === 'incident') emit({ kind: 'incident', incident: effect.incident })
      if (effect.kind === 'report') {
        log[effect.level](effect.phrase, nameHosts(theLoop().state(), effect.fields))
        emit(effect)
      }
      if (effect.kind === 'concluded') {
        log.warn(
          'a host is silent',
          nameHosts(theLoop().state(), { host: effect.subject, how: effect.how, ageMs: effect.ageMs }),
        )
      }
      if (effect.kind === 'keep-record' && effect.record.domain === 'record') upkeep.follow()
    },
  })
  loop = createLoop(first, {
    now: () => clock.now(),
    perform: performer().perform,
    onDropped: () => log.warn('too much at once, an event was dropped', {}),
  })

  const runner: Runner = createRunner(config.checks, {
    onResult: ({ check, observation, judgement, because }) =>
      theLoop().dispatch({ kind: 'observed', results: [{ check: check.spec.name, observation, judgement, because }] }),
    onBug: (check, error) => log.warn('a check failed in itself', { check: check.spec.name, reason: reasonOf(error) }),
  })

  const upkeep = createMeshUpkeep({
    self,
    config: () => config,
    certificate: certificateBytes,
    swarm,
    waku: () => waku,
    telling,
    loop: theLoop,
    log,
  })

  const port = createAgentPort({
    store,
    configFile: options.folder.config,
    defaultHost: hostNameOf(hostname()),
    keys: { hostKey, meshKey, meshWakuKey },
    sign,
    certificate: certificateBytes,
    loop: theLoop,
    swarm,
    waku: () => waku,
    runner,
    config: () => config,
    setConfig(next) {
      config = next
      runner.replace(config.checks)
      theLoop().dispatch({ kind: 'configured', checks: config.checks.map(({ spec }) => spec), spentMs: {} })
      upkeep.follow()
    },
    clock,
    log,
    listeners,
    version: VERSION,
    failingStoreSince: () => keeping.failingSince(),
  })

  const timers: NodeJS.Timeout[] = []
  let frontEnd: { stop(): Promise<void> } | null = null
  try {
    frontEnd = (await options.frontEnd?.(port, config)) ?? null
    await supervisor.run(
      { name: 'swarm', start: (signal) => swarm.start(signal), stop: () => swarm.stop() },
      { mustStart: true },
    )
    await supervisor.run(
      wakuPart({
        config: () => config,
        hostSeed: hostKey.seed,
        store,
        clock,
        log,
        use(node) {
          waku = node
          if (node === null) telling.stop()
          else upkeep.follow()
        },
      }),
      { mustStart: true },
    )
  } catch (error) {
    stopping.abort(error)
    await frontEnd?.stop()
    await supervisor.stop()
    throw error
  }

  theLoop().dispatch({
    kind: 'configured',
    checks: config.checks.map(({ spec }) => spec),
    spentMs: await keeping.checkTimes(),
  })
  upkeep.announce()
  upkeep.follow()
  runner.start()
  timers.push(setInterval(() => theLoop().dispatch({ kind: 'tick' }), tickMsOf(config)))
  timers.push(setInterval(lookAround, UPKEEP_MS))
  timers.push(setInterval(() => supervisor.background('trim', trim(store, clock)), TRIM_EVERY_MS))
  log.info('muster runs', { host: config.host, version: VERSION, incarnation })

  function lookAround(): void {
    upkeep.announce()
    const workedAtMs = waku?.status().workedAtMonotonicMs
    if (workedAtMs !== undefined && clock.monotonicMs() - workedAtMs < WAKU_FRESH_MS) {
      theLoop().dispatch({ kind: 'waku-worked' })
    }
    theLoop().dispatch({ kind: 'route', up: areLoopback(config.swarm.listen) || hasRoute() })
    telling.followRecipients(theLoop().state())
    emit({ kind: 'state' })
  }

  return {
    port,
    async stop() {
      for (const timer of timers) clearInterval(timer)
      await runner.stop()
      if (!theLoop().state().stopping) theLoop().dispatch({ kind: 'command', command: { kind: 'stop' } })
      await theLoop().settled()
      // Sending is not awaited by the loop: the goodbye needs a moment to leave.
      await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS))
      await frontEnd?.stop()
      telling.stop()
      stopping.abort(new Error('stopping'))
      await supervisor.stop()
      await theLoop().stop()
      await store.close()
      log.info('muster has stopped', {})
    },
  }
}

function tickMsOf({ presence }: Config): number {
  return presence.everyMs + presence.graceMs < FAST_CLASS_MS ? FAST_TICK_MS : TICK_MS
}

async function trim(store: Store, clock: Clock): Promise<void> {
  while ((await store.log.trim(clock.unixMs() - HISTORY_MS)) > 0);
}

/** Hosts by name, for people. */
function nameHosts(state: State, fields: Readonly<Record<string, string | number | boolean>>): Record<string, unknown> {
  const named: Record<string, unknown> = { ...fields }
  for (const key of ['host', 'by']) {
    const id = fields[key]
    if (typeof id === 'string') named[key] = nameOf(state, id)
  }
  return named
}
