/**
 * The composition root: one host's agent, made of its parts.
 *
 * Order of starting: keys and config, the store (with this start's incarnation on disk), the core's first state, then
 * the API, swarm, Waku and checks under a supervisor. What fails later is restarted while the rest goes on.
 */
import { randomInt } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { createState, decodeEnvelope } from '@muster/protocol'
import type { AgentEvent, AgentPort } from './agent-port.ts'
import { type Clock, systemClock } from './clock.ts'
import { hostNameOf } from './config/init.ts'
import { type Config, loadConfig } from './config/load.ts'
import { CERTIFICATE_BYTES_MAX } from './identity/certificate.ts'
import { checkFolder, type Folder } from './identity/folder.ts'
import { readHostKey } from './identity/host-key.ts'
import { readSwarmKey } from './identity/swarm-key.ts'
import { type Log, reasonOf } from './log.ts'
import { createLoop, type Loop } from './loop.ts'
import { flightDiskOf, flightFolderOf } from './recorder/flight-disk.ts'
import { createFlightRecorder } from './recorder/flight-recorder.ts'
import { createAgentPort } from './shell/agent-port-of.ts'
import { createChecks } from './shell/checks-part.ts'
import { tellNews } from './shell/effect-news.ts'
import { type FrontEnd, frontEndPart } from './shell/front-end-part.ts'
import { createInbound, type Inbound } from './shell/inbound.ts'
import { createKeeping } from './shell/keeping.ts'
import { createMeshUpkeep } from './shell/mesh-upkeep.ts'
import { areLoopback, readNetwork } from './shell/network-facts.ts'
import { createNodeNewsRoad } from './shell/node-news-road.ts'
import { createOrigin, type Origin } from './shell/origin.ts'
import { createPerforming, type Performing } from './shell/performing.ts'
import { swarmPart } from './shell/swarm-part.ts'
import { createTelling } from './shell/telling.ts'
import { createTrimming } from './shell/trimming.ts'
import { wakuNodesOf } from './shell/waku-nodes.ts'
import { wakuPart } from './shell/waku-part.ts'
import { diskOf, type FallbackStore, openFallbackStore } from './storage/index.ts'
import { type Blamed, createSupervisor } from './supervisor.ts'
import { createSwarm } from './swarm/create-swarm.ts'
import type { SwarmHandlers } from './swarm/swarm.ts'
import { VERSION } from './version.ts'
import type { WakuNode } from './waku/node.ts'

/** Ticks of the core, milliseconds; a fast presence class needs finer ones. */
const TICK_MS = 250
const FAST_TICK_MS = 100
const FAST_CLASS_MS = 5_000
/** How often addresses, topics and the proof that Waku works are looked at again. */
const UPKEEP_MS = 5_000
/** How often the store is trimmed. */
const TRIM_EVERY_MS = 10 * 60_000
/** A Waku node that somebody confirmed within this time works. */
const WAKU_FRESH_MS = 60_000
/** What goes wrong in a row is said once in this time. */
const COMPLAINT_EVERY_MS = 60_000
/** How long a stop waits for the disk, each time. */
const DISK_LIMIT_MS = 5_000
/** How long a stop waits for the last heartbeat to leave. */
const GOODBYE_MS = 300

/**
 * What an agent is started with: the folder that holds its keys, config and store, and where its log lines go. Without
 * `clock` it reads the system's.
 */
export interface StartOptions {
  readonly folder: Folder
  readonly log: Log
  readonly clock?: Clock
  /** Starts the API (or another front end) on the agent, again when it fails later. When it cannot start, the agent does not. */
  readonly frontEnd?: (port: AgentPort, config: Config) => Promise<FrontEnd>
}

/** One host's agent, from its start until it is stopped. A stopped one cannot be started again: start another. */
export interface RunningAgent {
  readonly port: AgentPort
  /** Restarts the part that an error came out of which nobody caught. Null when that cannot be told. */
  blame(error: unknown): Blamed | null
  /** Tells peers that it is stopping, and stops. */
  stop(): Promise<void>
}

/**
 * Starts the agent of a folder.
 *
 * Throws a `ConfigError` for what the user can mend, a port in use among it, and a `StorageError` `locked` when another
 * agent runs on the folder.
 */
export async function startAgent(options: StartOptions): Promise<RunningAgent> {
  const { folder, log, clock = systemClock } = options
  const calledAtMs = clock.monotonicMs()
  await checkFolder(folder)
  const { config } = await loadConfig(folder.config, hostNameOf(hostname()))
  const swarmKey = await readSwarmKey(folder.swarmKey)
  const hostKey = await readHostKey(folder.identityKey)
  const store = await openFallbackStore(diskOf(folder.data), { clock, log })
  try {
    const origin = createOrigin({ swarmKey, hostKey, name: config.host }, clock)
    return await assemble(options, config, origin, store, calledAtMs)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function assemble(
  options: StartOptions,
  firstConfig: Config,
  origin: Origin,
  store: FallbackStore,
  calledAtMs: number,
): Promise<RunningAgent> {
  const { folder, log, clock = systemClock } = options
  const { self, mesh, seal, sign, certificate, meshWakuKey } = origin
  let config = firstConfig
  let waku: WakuNode | null = null
  const stopping = new AbortController()
  const supervisor = createSupervisor({ log, clock })
  const listeners = new Set<(event: AgentEvent) => void>()
  const emit = (event: AgentEvent): void => {
    for (const listener of listeners) listener(event)
  }

  // The parts know each other; the two that are made last are asked for when they are needed.
  const made: { loop?: Loop; performing?: Performing } = {}
  const loop = (): Loop => present(made.loop)
  const performing = (): Performing => present(made.performing)
  const inbound = createInbound({ mesh, seal, loop, log })
  const keeping = createKeeping({ store, seal, clock, log, read: inbound.storedLater })
  const trimming = createTrimming({ store, clock, state: () => loop().state(), read: inbound.stored })
  const telling = createTelling({
    waku: () => waku,
    meshWakuKey,
    sign,
    certificate,
    nodes: () => wakuNodesOf(loop().state(), waku, config),
    store,
    clock,
    log,
    loop,
    signal: stopping.signal,
  })
  const nodeNews = createNodeNewsRoad({
    waku: () => waku,
    meshWakuKey,
    sign,
    certificate,
    store,
    clock,
    log,
    signal: stopping.signal,
  })
  const swarm = createSwarm(
    { privateKey: origin.hostKey.seed, swarmKeys: [origin.swarmKey], listen: config.swarm.listen },
    swarmHandlers(origin, inbound, loop, performing),
    { log, clock, random: Math.random },
  )
  const upkeep = createMeshUpkeep({
    self,
    config: () => config,
    certificate,
    swarm,
    waku: () => waku,
    telling,
    loop,
    clock,
    log,
  })
  made.performing = createPerforming({
    mesh,
    swarm: () => swarm,
    seal,
    inbound,
    keeping,
    telling,
    store,
    clock,
    supervisor,
    log,
    loop,
    signal: stopping.signal,
    onChange(effect) {
      tellNews(effect, loop().state(), log, emit)
      if (effect.kind === 'keep-record' && effect.record.domain === 'record') upkeep.follow()
    },
  })
  const incarnation = await store.nextIncarnation()
  const openedAtMs = clock.monotonicMs()
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
    await store.readBack(() => keeping.restore(incarnation)),
    clock.now(),
  )
  const readAtMs = clock.monotonicMs()
  const disk = flightDiskOf(flightFolderOf(folder.data))
  const recorder = createFlightRecorder(first, { disk, release: VERSION, clock, log })
  made.loop = createLoop(first, {
    now: () => clock.now(),
    perform: performing().perform,
    observe: recorder.observe,
    onDropped: () => complain('too much at once, events are dropped'),
    onFailed: (effect, error) => complain('an effect could not be performed', effect.kind, error),
  })
  let complainedAtMs = Number.NEGATIVE_INFINITY
  function complain(phrase: string, what = '', error: unknown = ''): void {
    if (clock.monotonicMs() - complainedAtMs < COMPLAINT_EVERY_MS) return
    complainedAtMs = clock.monotonicMs()
    log.warn(phrase, { what, reason: reasonOf(error) })
  }
  const checks = createChecks({
    definitions: () => config.checks,
    clock,
    onResult: ({ check, observation, judgement, because }) =>
      loop().dispatch({ kind: 'observed', results: [{ check: check.spec.name, observation, judgement, because }] }),
    onBug: (check, error) => log.warn('a check failed in itself', { check: check.spec.name, reason: reasonOf(error) }),
  })
  const port = createAgentPort({
    store,
    origin,
    loop,
    swarm,
    waku: () => waku,
    runner: checks.runner,
    config: () => config,
    configFile: folder.config,
    defaultHost: hostNameOf(hostname()),
    setConfig(next) {
      config = next
      checks.runner.replace(config.checks)
      loop().dispatch({ kind: 'configured', checks: specsOf(config), spentMs: {} })
      upkeep.follow()
    },
    clock,
    log,
    listeners,
    version: VERSION,
    failingStore: () => store.trouble() ?? keeping.trouble(),
    brokenParts: supervisor.broken,
  })

  try {
    const mustStart = { mustStart: true }
    await supervisor.run(
      frontEndPart(async () => (await options.frontEnd?.(port, config)) ?? null),
      mustStart,
    )
    await supervisor.run(swarmPart(swarm, folder.config), mustStart)
    const use = (node: WakuNode | null): void => {
      waku = node
      if (node === null) telling.stop()
      else upkeep.follow()
    }
    const { seed: hostSeed } = origin.hostKey
    const { config: configFile } = folder
    await supervisor.run(wakuPart({ config: () => config, configFile, hostSeed, store, clock, log, use }), mustStart)
  } catch (error) {
    stopping.abort(error)
    await supervisor.stop()
    await inTime('the recording has no end', recorder.stop())
    throw error
  }

  loop().dispatch({ kind: 'configured', checks: specsOf(config), spentMs: await store.readBack(keeping.checkTimes) })
  upkeep.announce(readNetwork())
  upkeep.follow()
  await supervisor.run(checks.part)
  const timers = [
    setInterval(() => loop().dispatch({ kind: 'tick' }), tickMsOf(config)),
    setInterval(lookAround, UPKEEP_MS),
    setInterval(() => supervisor.background('trim', trimming.round()), TRIM_EVERY_MS),
  ]
  // The system's monotonic clock began with the process.
  log.debug('the start was spent', {
    loadingMs: Math.round(calledAtMs),
    openingMs: Math.round(openedAtMs - calledAtMs),
    readingMs: Math.round(readAtMs - openedAtMs),
    startingMs: Math.round(clock.monotonicMs() - readAtMs),
  })
  log.info('muster runs', { host: config.host, version: VERSION, incarnation })

  function lookAround(): void {
    const network = readNetwork()
    upkeep.announce(network)
    upkeep.follow()
    supervisor.background('nodes', nodeNews.look(loop().state(), wakuNodesOf(loop().state(), waku, config)))
    const workedAtMs = waku?.status().workedAtMonotonicMs
    if (workedAtMs !== undefined && clock.monotonicMs() - workedAtMs < WAKU_FRESH_MS) {
      loop().dispatch({ kind: 'waku-worked' })
    }
    loop().dispatch({ kind: 'route', up: areLoopback(config.swarm.listen) || network.hasRoute })
    emit({ kind: 'state' })
  }

  return {
    port,
    blame: supervisor.blame,
    async stop() {
      for (const timer of timers) clearInterval(timer)
      await checks.part.stop()
      if (!loop().state().stopping) loop().dispatch({ kind: 'command', command: { kind: 'stop' } })
      await inTime('the last words are not on disk', loop().settled())
      // Sending is not awaited by the loop: the goodbye needs a moment to leave.
      await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS))
      telling.stop()
      stopping.abort(new Error('stopping'))
      await supervisor.stop()
      await inTime('what was under way is not on disk', loop().stop())
      await inTime('the recording has no end', recorder.stop())
      await inTime('the store is not closed', store.close())
      log.info('muster has stopped', {})
    },
  }

  /** A disk that hangs must not keep the agent from ending. */
  async function inTime(otherwise: string, work: Promise<void>): Promise<void> {
    const limit = new AbortController()
    const late = wait(DISK_LIMIT_MS, true, { signal: limit.signal }).catch(() => false)
    const isLate = await Promise.race([work.then(() => false), late])
    limit.abort()
    if (isLate) log.warn('the disk does not answer, muster stops all the same', { otherwise })
  }
}

/** What the swarm asks of the agent. */
function swarmHandlers(
  { book, certificate }: Origin,
  inbound: Inbound,
  loop: () => Loop,
  performing: () => Performing,
): SwarmHandlers {
  return {
    onFrame: async (from, bytes, road) => inbound.frame(from, bytes, road),
    onProbe: (from, nonce) => performing().askedForProbe(from, Buffer.from(nonce).toString('utf8').slice(0, 64)),
    async *onCatchUp(from, request) {
      yield* performing().framesOf(await performing().askedForCatchUp(from, inbound.digest(request)))
    },
    admit: async (from, hello) => book.admit(decodeEnvelope(hello, CERTIFICATE_BYTES_MAX)).body.host === from,
    hello: () => certificate,
    onPeer: (host, change) => loop().dispatch({ kind: change === 'up' ? 'connected' : 'disconnected', peer: host }),
  }
}

function specsOf({ checks }: Config) {
  return checks.map(({ spec }) => spec)
}

function tickMsOf({ presence }: Config): number {
  return presence.everyMs + presence.graceMs < FAST_CLASS_MS ? FAST_TICK_MS : TICK_MS
}

function present<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('assertion failed: the part is made before it is asked for')
  return part
}
