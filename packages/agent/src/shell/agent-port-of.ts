/** The agent's door to its own front ends, over the running parts. */
import { createHash, randomBytes } from 'node:crypto'
import type { Ping as CheckPing, Runner } from '@muster/checks'
import {
  type HostId,
  hasLeft,
  type MeshRecord,
  meshRecords,
  parseRecord,
  recipientsOf,
  wireLimits,
} from '@muster/protocol'
import type { AgentEvent, AgentPort, HistoryEntry, HistoryQuery, Pairing, Ping, Reach } from '../agent-port.ts'
import type { Clock } from '../clock.ts'
import { ConfigError } from '../config/errors.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { restartKeysBetween } from '../config/restart-keys.ts'
import type { Log } from '../log.ts'
import type { Loop } from '../loop.ts'
import { encodeWelcome } from '../notices/welcome.ts'
import type { Store, StoreTrouble } from '../storage/index.ts'
import type { BrokenPart } from '../supervisor.ts'
import type { Swarm } from '../swarm/swarm.ts'
import type { WakuNode } from '../waku/node.ts'
import { awaitPairing } from '../waku/pairing.ts'
import { createPairingLink, LINK_LIFE_MS, LINK_NODES_MAX } from '../waku/pairing-link.ts'
import { compressPublicKey } from '../waku/seal.ts'
import { laterLifeUnixMs } from './later-life.ts'
import { isLoopbackAddress } from './network-facts.ts'
import type { Origin } from './origin.ts'
import { wakuNodesOf } from './waku-nodes.ts'

/** Entries read from the store at a time, and how long a device is told that it is paired. */
const HISTORY_PAGE = 200
const WELCOME_MS = 30_000
/** A Waku node that somebody confirmed within this time works. */
const WAKU_FRESH_MS = 60_000

/**
 * The running parts behind the door. Functions stand for what changes while the agent runs: the config by a reload,
 * Waku by a restart. `failingStore` is null while the store takes what it is given.
 */
export interface PortDeps {
  readonly store: Store
  readonly origin: Origin
  readonly loop: () => Loop
  readonly swarm: Swarm
  readonly waku: () => WakuNode | null
  readonly runner: Runner
  readonly config: () => Config
  readonly configFile: string
  readonly defaultHost: string
  readonly setConfig: (config: Config) => void
  readonly clock: Clock
  readonly log: Log
  readonly listeners: Set<(event: AgentEvent) => void>
  readonly version: string
  readonly failingStore: () => StoreTrouble | null
  /** Parts that do not run just now. */
  readonly brokenParts: () => readonly BrokenPart[]
}

/** Makes the door. */
export function createAgentPort(deps: PortDeps): AgentPort {
  const { store, origin, loop, runner, config, clock, listeners } = deps
  const { self } = origin
  const startedUnixMs = clock.unixMs()

  async function publish(record: MeshRecord): Promise<void> {
    loop().dispatch({ kind: 'command', command: { kind: 'publish', record } })
    await loop().settled()
  }

  async function addRecipient(name: string, publicKey: Uint8Array): Promise<readonly string[]> {
    const known = recipientsOf(loop().state()).find((recipient) => recipient.name === name)
    if (known !== undefined) throw new RecipientError('name-taken', `a recipient is called ${name} already`)
    const key = compressPublicKey(publicKey)
    await publish({ kind: 'recipient', name, publicKey: key, atUnixMs: Math.round(clock.unixMs()) })
    return reachWarnings(deps)
  }

  return {
    self,
    get name() {
      return config().host
    },
    version: deps.version,
    startedUnixMs,
    state: () => loop().state(),
    checks: () => config().checks,
    reach: () => reachOf(deps),
    history: (query) => history(deps, query),
    returnOf: (host, life) => laterLifeUnixMs(store.log, loop().state().options.mesh, host, life),
    historyDigest: () => historyDigest(store),
    async command(command) {
      loop().dispatch({ kind: 'command', command })
      await loop().settled()
    },
    ping: (check, ping) => runner.push(check, toCheckPing(ping)) === 'accepted',
    async runCheck(check, signal) {
      if (!config().checks.some(({ spec }) => spec.name === check)) return null
      return await runner.runOnce(check, signal)
    },
    pair: (name, signal) => pair(deps, name, signal, addRecipient),
    addRecipient,
    async reload() {
      try {
        const loaded = await loadConfig(deps.configFile, deps.defaultHost)
        const fixed = unchangeable(config(), loaded.config)
        if (fixed.length > 0) return { ok: false, lines: fixed }
        deps.setConfig(loaded.config)
        return { ok: true, lines: [] }
      } catch (error) {
        if (error instanceof ConfigError) return { ok: false, lines: error.message.split('\n') }
        throw error
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** The user's mistake with recipients. */
export class RecipientError extends Error {
  override readonly name = 'RecipientError'
  readonly code: 'name-taken' | 'no-waku-node'

  constructor(code: RecipientError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** What a running agent cannot swap: said, so that nobody waits for it. */
function unchangeable(before: Config, after: Config): readonly string[] {
  return restartKeysBetween(before, after).map(
    (key) => `${key} has changed: that takes a restart of the agent; nothing was swapped`,
  )
}

function toCheckPing({ kind, exitCode, body, runId }: Ping): CheckPing {
  return {
    signal: kind,
    body,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(runId === undefined ? {} : { runId }),
  }
}

function reachOf(deps: PortDeps): Reach {
  const { swarm, waku, clock } = deps
  const node = waku()
  const status = node?.status()
  const workedAtMs = status?.workedAtMonotonicMs
  return {
    configuredPeers: deps.config().swarm.peers,
    swarmAddresses: swarm.addresses(),
    wakuAddresses: node?.multiaddrs() ?? [],
    connected: swarm.peers().map(({ host, address }) => ({ host, address })),
    troubles: swarm.dialReports().map(({ explanation }) => explanation),
    waku: {
      serving: node !== null && deps.config().waku.serve,
      peers: status?.peers ?? 0,
      subscribers: status?.subscribers ?? 0,
      works: workedAtMs !== undefined && clock.monotonicMs() - workedAtMs < WAKU_FRESH_MS,
    },
    store: deps.failingStore(),
    brokenParts: deps.brokenParts(),
    warnings: reachWarnings(deps),
  }
}

/** Whether one host's death would leave the recipients unreachable, and the cure. */
function reachWarnings({ loop, config, failingStore, brokenParts }: PortDeps): readonly string[] {
  const warnings = brokenParts().map(brokenText)
  const { members } = loop().state()
  const serving = meshRecords(loop().state(), 'member').filter(
    ({ signer, body }) => body.wakuAddresses.length > 0 && !hasLeft(members.get(signer)?.state),
  )
  const open = serving.filter(({ body }) => body.wakuAddresses.some((address) => !isLoopbackAddress(address)))
  const roads = (open.length > 0 ? open.length : serving.length) + config().waku.nodes.length
  if (recipientsOf(loop().state()).length > 0 && roads < 2) {
    const only = serving[0]?.body.name ?? 'no host'
    warnings.push(
      `${only} is the only Waku node: if it dies, nobody can be told. Add a second public host, or an external node in waku.nodes`,
    )
  }
  const trouble = failingStore()
  if (trouble !== null) warnings.push(storeText(trouble))
  return warnings
}

function storeText({ sinceUnixMs, reason, inMemory }: StoreTrouble): string {
  const since = new Date(sinceUnixMs).toISOString()
  const what = inMemory ? 'waits in memory, and is written once the disk works' : 'is lost until it does'
  return `the store takes no writes since ${since}, what is to be kept ${what}: ${reason}`
}

/** The parts of an agent as a person knows them. */
const PART_NAMES: Readonly<Record<string, string>> = {
  swarm: 'the swarm',
  waku: 'Waku',
  api: 'the local API',
  checks: 'the checks',
}

function brokenText({ name, reason, sinceUnixMs }: BrokenPart): string {
  const since = new Date(sinceUnixMs).toISOString()
  return `${PART_NAMES[name] ?? name} stopped working at ${since} and is being restarted: ${reason}`
}

async function* history({ store, loop }: PortDeps, query: HistoryQuery): AsyncIterable<HistoryEntry> {
  const hosts = query.host === undefined ? await store.log.hosts() : [query.host]
  const { mesh } = loop().state().options
  let left = query.limit
  for (const host of hosts) {
    let to: { incarnation: number; seq: number } | undefined
    while (left > 0) {
      const range = { host, reverse: true, limit: HISTORY_PAGE }
      const page = await store.log.read(to === undefined ? range : { ...range, to })
      for (const { bytes, cid } of page) {
        const record = parseRecord(bytes, { mesh, bytesMax: wireLimits.recordBytes })
        if (record.domain !== 'entry') continue
        if (query.sinceUnixMs !== undefined && record.body.atUnixMs < query.sinceUnixMs) break
        if (query.check !== undefined && !record.body.results.some(({ check }) => check === query.check)) continue
        if (left <= 0) return
        left -= 1
        yield { host, cid, entry: record }
      }
      const last = page.at(-1)
      if (last === undefined || page.length < HISTORY_PAGE) break
      to = { incarnation: last.incarnation, seq: last.seq }
    }
  }
}

/** Count and hash of what is held of each host, in order. */
async function historyDigest(store: Store): Promise<Record<HostId, { entries: number; hash: string }>> {
  const digest: Record<HostId, { entries: number; hash: string }> = {}
  for (const host of await store.log.hosts()) {
    const hash = createHash('sha256')
    let entries = 0
    let from: { incarnation: number; seq: number } | undefined
    for (;;) {
      const page = await store.log.read(from === undefined ? { host } : { host, from })
      for (const { cid } of page) hash.update(cid)
      entries += page.length
      const last = page.at(-1)
      if (last === undefined || page.length < HISTORY_PAGE) break
      from = { incarnation: last.incarnation, seq: last.seq + 1 }
    }
    digest[host] = { entries, hash: hash.digest('hex') }
  }
  return digest
}

async function pair(
  deps: PortDeps,
  name: string,
  signal: AbortSignal,
  addRecipient: (name: string, publicKey: Uint8Array) => Promise<readonly string[]>,
): Promise<Pairing> {
  const { waku, origin, clock, log, loop } = deps
  const { meshKey, sign, certificate } = origin
  const node = waku()
  const nodes = wakuNodesOf(loop().state(), node, deps.config())
  if (node === null || nodes.length === 0) {
    throw new RecipientError('no-waku-node', 'no Waku node runs here: set waku.serve, or name one in waku.nodes')
  }
  if (recipientsOf(loop().state()).some((recipient) => recipient.name === name)) {
    throw new RecipientError('name-taken', `a recipient is called ${name} already`)
  }
  const expiresUnixMs = clock.unixMs() + LINK_LIFE_MS
  const secret = new Uint8Array(randomBytes(32))
  const link = { nodes: nodes.slice(0, LINK_NODES_MAX), secret, meshPublicKey: meshKey.publicKey, expiresUnixMs }
  const { privateKey, publicKey: meshWakuKey } = origin.meshWakuKey
  const over = AbortSignal.any([signal, node.ended])
  const answered = awaitPairing({ node, link, signingKey: privateKey, clock, log, signal: over })
  const paired = answered.then(async (device) => {
    await addRecipient(name, device.publicKey)
    const welcome = encodeWelcome({ recipient: name, nodes, meshWakuKey }, sign, certificate)
    await device.acknowledge(welcome, AbortSignal.any([signal, AbortSignal.timeout(WELCOME_MS)]))
    return { name }
  })
  // Whoever asked may have gone: an unobserved failure of the wait is no crash.
  paired.catch((error: unknown) => log.debug('a pairing ended', { reason: String(error) }))
  return { link: createPairingLink(link), expiresUnixMs, paired, warnings: reachWarnings(deps) }
}
