/** An agent for tests of its front ends: a hand-made port over a real core, in a small mesh that the test moves on. */
import { createECDH } from 'node:crypto'
import type { CheckDefinition } from '@muster/checks'
import {
  type AnySigned,
  createState,
  type Event,
  type Heartbeat,
  type HostId,
  type Life,
  type MeshRecord,
  type Observation,
  type SignedAs,
  type State,
  step,
  WIRE_VERSION,
} from '@muster/protocol'
import type { AgentEvent, AgentPort, HistoryEntry, Pairing, Ping, Reach } from '../../agent-port.ts'

const MESH = 'ab'.repeat(32)
const TICK_MS = 250
const BEAT_MS = 5_000

/** When the test's world begins: 2026-11-21 02:00:00 UTC. */
export const START_UNIX_MS = Date.UTC(2026, 10, 21, 2, 0, 0)

/** A port and the strings that move it. */
export interface TestAgent {
  readonly port: AgentPort
  readonly pings: (Ping & { readonly check: string })[]
  /** Lets time pass; hosts that live answer the roll. */
  advance(ms: number): void
  /** A host is here from now on, under its own name or another. */
  live(host: string, name?: string, says?: Partial<Pick<Heartbeat, 'sleeps' | 'mode'>>): void
  /** A host says goodbye. */
  leave(host: string): void
  /** A host says nothing more, and answers no probe. */
  die(name: string): void
  /** A host sends what another has signed `ageMs` ago, as in a catch-up. */
  hand<D extends 'verdict' | 'notice'>(signer: string, domain: D, body: SignedAs<D>['body'], ageMs: number): void
  /** The core meets an event. */
  meet(event: Omitting<Event>): void
  emit(event: AgentEvent): void
  /** What the next pairing becomes. */
  readonly pairing: { resolve: () => void; reject: (error: Error) => void; aborted: boolean }
  reload: () => Promise<{ readonly ok: boolean; readonly lines: readonly string[] }>
}

type Omitting<E> = E extends unknown ? Omit<E, 'at'> : never

/** A public key of a device: 33 bytes. */
export function testPublicKey(): Uint8Array {
  const ecdh = createECDH('secp256k1')
  ecdh.generateKeys()
  return new Uint8Array(ecdh.getPublicKey(null, 'compressed'))
}

/** The id of a host of the test. */
export function hostIdOf(name: string): HostId {
  return `12D3KooW${name.replaceAll('-', '')}`
}

/** An agent with the recipient `phone` whose peer `vps-1` died a minute ago, after 40 s. */
export async function createBereftAgent(): Promise<TestAgent> {
  const agent = createTestAgent()
  await agent.port.addRecipient('phone', testPublicKey())
  agent.live('vps-1')
  agent.advance(40_000)
  agent.die('vps-1')
  agent.advance(60_000)
  return agent
}

/** An agent on `laptop`, alone. */
export function createTestAgent(): TestAgent {
  let nowMs = 1_000
  let state: State = createState(
    {
      mesh: MESH,
      self: hostIdOf('laptop'),
      name: 'laptop',
      presence: { everyMs: 10_000, graceMs: 5_000, sleeps: false, restartMs: 300_000 },
      remindMs: 14_400_000,
      tickMs: TICK_MS,
      seed: 1,
      without: [],
    },
    { incarnation: 1, heads: {}, entries: [], carried: [], incidents: [] },
    momentOf(nowMs),
  )
  const living = new Map<string, { life: Life; beat: number; says: Partial<Heartbeat> }>()
  const listeners = new Set<(event: AgentEvent) => void>()
  const pings: (Ping & { check: string })[] = []
  const history: HistoryEntry[] = []

  function meet(event: Omitting<Event>): void {
    const { state: next, effects } = step(state, { ...event, at: momentOf(nowMs) } as Event)
    state = next
    for (const effect of effects) {
      if (effect.kind === 'keep-entry') {
        history.unshift({ host: effect.entry.signer, cid: effect.head.cid, entry: effect.entry })
      }
      if (effect.kind === 'incident') emit({ kind: 'incident', incident: effect.incident })
      if (effect.kind === 'catch-up') meet({ kind: 'catch-up-ended', peer: effect.peer, ok: true })
      if (effect.kind === 'send-notice') {
        meet({ kind: 'departing', attempt: effect.attempt })
        meet({ kind: 'sent', attempt: effect.attempt, outcome: 'accepted' })
      }
      if (effect.kind !== 'probe') continue
      const { target, nonce } = effect
      const name = [...living.keys()].find((each) => hostIdOf(each) === target)
      const answer = name === undefined ? null : heartbeat(name, nonce)
      meet({ kind: 'probe-ended', target, nonce, answer, direct: true })
    }
  }

  function emit(event: AgentEvent): void {
    for (const listener of listeners) listener(event)
  }

  function sign<D extends AnySigned['domain']>(name: string, domain: D, body: SignedAs<D>['body']): SignedAs<D> {
    const record = {
      domain,
      version: WIRE_VERSION,
      mesh: MESH,
      signer: hostIdOf(name),
      body,
      signature: new Uint8Array(),
    }
    return record as unknown as SignedAs<D>
  }

  function heartbeat(name: string, nonce: string | null): SignedAs<'heartbeat'> {
    const host = living.get(name)
    if (host === undefined) throw new Error(`${name} does not live`)
    host.beat += 1
    return sign(name, 'heartbeat', {
      life: host.life,
      beat: host.beat,
      everyMs: 10_000,
      graceMs: 5_000,
      sleeps: false,
      mode: 'up',
      restartMs: 300_000,
      head: null,
      observers: [...living.keys(), 'laptop'].filter((each) => each !== name).map(hostIdOf),
      wakuAgeMs: null,
      sets: '',
      nonce,
      ...host.says,
    })
  }

  function receive(name: string, record: AnySigned, ageMs = 0): void {
    meet({ kind: 'received', from: hostIdOf(name), record, ageMs, road: 'direct' })
  }

  function profile(name: string): MeshRecord {
    return {
      kind: 'member',
      name,
      addresses: [`/dns4/${name}.example.org/tcp/4650`],
      wakuAddresses: [`/dns4/${name}.example.org/tcp/4652/ws`],
      everyMs: 10_000,
      graceMs: 5_000,
      sleeps: false,
      certificate: new Uint8Array(),
      serial: 1,
    }
  }

  let incarnation = 0
  const pairing = { resolve: (): void => undefined, reject: (_: Error): void => undefined, aborted: false }
  const reach: Reach = {
    configuredPeers: [],
    swarmAddresses: ['/ip4/127.0.0.1/tcp/4650'],
    wakuAddresses: [],
    connected: [],
    troubles: [],
    waku: { serving: true, peers: 1, subscribers: 0, works: true },
    store: null,
    brokenParts: [],
    warnings: [],
  }

  const agent: TestAgent = {
    pings,
    pairing,
    meet,
    emit,
    reload: async () => ({ ok: true, lines: [] }),
    advance(ms) {
      for (const end = nowMs + ms; nowMs < end; ) {
        nowMs += TICK_MS
        if (nowMs % BEAT_MS === 0) for (const name of living.keys()) receive(name, heartbeat(name, null))
        meet({ kind: 'tick' })
      }
    },
    live(host, name = host, says = {}) {
      incarnation += 1
      living.set(host, { life: { incarnation, epoch: 0 }, beat: 0, says })
      meet({ kind: 'connected', peer: hostIdOf(host) })
      receive(host, sign(host, 'record', profile(name)))
      receive(host, heartbeat(host, null))
    },
    leave(host) {
      const life = living.get(host)?.life
      if (life === undefined) throw new Error(`${host} does not live`)
      living.delete(host)
      receive(host, sign(host, 'record', { kind: 'leave', life }))
    },
    hand(signer, domain, body, ageMs) {
      receive(signer, sign(signer, domain, body), ageMs)
    },
    die(name) {
      living.delete(name)
      meet({ kind: 'disconnected', peer: hostIdOf(name) })
    },
    port: {
      self: hostIdOf('laptop'),
      name: 'laptop',
      version: '0.1.0',
      startedUnixMs: START_UNIX_MS,
      state: () => state,
      checks: (): readonly CheckDefinition[] => [],
      reach: () => reach,
      async *history({ host, sinceUnixMs = 0, limit }) {
        const wanted = history.filter((each) => host === undefined || each.host === host)
        for (const each of wanted.filter(({ entry }) => entry.body.atUnixMs >= sinceUnixMs).slice(0, limit)) yield each
      },
      returnOf: async () => null,
      historyDigest: async () => ({}),
      async command(command) {
        meet({ kind: 'command', command })
      },
      ping(check, ping) {
        if (check !== 'backup') return false
        pings.push({ check, ...ping })
        return true
      },
      runCheck: async () => null,
      async pair(name, signal): Promise<Pairing> {
        const { promise, resolve, reject } = Promise.withResolvers<{ name: string }>()
        pairing.resolve = () => resolve({ name })
        pairing.reject = reject
        signal.addEventListener('abort', () => {
          pairing.aborted = true
          reject(new Error('cancelled'))
        })
        promise.catch(() => undefined)
        return {
          link: 'muster:pair#abc',
          expiresUnixMs: Date.now() + 3_600_000,
          paired: promise,
          warnings: ['only one Waku node'],
        }
      },
      async addRecipient(name, publicKey) {
        meet({
          kind: 'command',
          command: { kind: 'publish', record: { kind: 'recipient', name, publicKey, atUnixMs: START_UNIX_MS } },
        })
        return []
      },
      reload: () => agent.reload(),
      subscribe(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
  }
  return agent
}

function momentOf(nowMs: number): Event['at'] {
  return { monotonicMs: nowMs, bootMs: nowMs, unixMs: START_UNIX_MS + nowMs }
}

/** A run of a check that found one value. */
export function observation(values: Observation['values'], text: string): Observation {
  return { values, durationMs: 12, text }
}
