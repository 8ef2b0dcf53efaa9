/** What the tests of the swarm share: hosts that record what happens to them, and waiting for conditions. */
import { createHash } from 'node:crypto'
import type { HostId } from '@muster/protocol'
import type { FrameVerdict, Road, Swarm, SwarmDeps, SwarmHandlers, SwarmOptions } from '../swarm.ts'

/** A host under test and what it saw. */
export interface TestHost {
  readonly swarm: Swarm
  readonly frames: { from: HostId; text: string; road: Road }[]
  readonly changes: string[]
  readonly logged: { level: string; phrase: string; fields: Record<string, unknown> }[]
  /** What its handlers do; tests replace parts of it. */
  readonly behaviour: Behaviour
}

/** What a host under test does when it is asked. */
export interface Behaviour {
  hello: string
  admits: (from: HostId, hello: string) => boolean
  judge: (text: string) => FrameVerdict | Promise<FrameVerdict>
  answerProbe: (nonce: Uint8Array) => Promise<Uint8Array>
  flow: (request: string, signal: AbortSignal) => AsyncIterable<Uint8Array>
}

/** Makes a swarm of some kind: the real one, or the fake. */
export type MakeSwarm = (options: SwarmOptions, handlers: SwarmHandlers, deps: SwarmDeps) => Swarm

/** A swarm key for tests. */
export const TEST_KEY = keyOf('a mesh')

/** 32 bytes that belong to a name: a seed or a swarm key. */
export function keyOf(name: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(name).digest())
}

/** A host with a name; the same name has the same identity. It admits everybody who says the same hello. */
export function testHost(make: MakeSwarm, name: string, options: Partial<SwarmOptions> = {}): TestHost {
  const frames: TestHost['frames'] = []
  const changes: string[] = []
  const logged: TestHost['logged'] = []
  const behaviour: Behaviour = {
    hello: 'we are one mesh',
    admits: (_from, hello) => hello === behaviour.hello,
    judge: () => 'accept',
    answerProbe: async (nonce) => bytesOf(`${name} answers ${textOf(nonce)}`),
    flow: async function* (request) {
      for (const part of request.split(' ')) yield bytesOf(part)
    },
  }
  const log =
    (level: string) =>
    (phrase: string, fields: Record<string, unknown> = {}): void => {
      logged.push({ level, phrase, fields })
    }
  const swarm = make(
    {
      privateKey: keyOf(name),
      swarmKeys: [TEST_KEY],
      listen: ['/ip4/127.0.0.1/tcp/0'],
      dialling: { backoffMinMs: 50, backoffMaxMs: 400, higherIdWaitsMs: 50, stableMs: 1_000 },
      ...options,
    },
    {
      async onFrame(from, frame, road) {
        const text = textOf(frame)
        frames.push({ from, text, road })
        return behaviour.judge(text)
      },
      onProbe: (_from, nonce) => behaviour.answerProbe(nonce),
      onCatchUp: (_from, request, signal) => behaviour.flow(textOf(request), signal),
      admit: async (from, hello) => behaviour.admits(from, textOf(hello)),
      hello: () => bytesOf(behaviour.hello),
      onPeer: (host, change) => changes.push(`${change} ${host}`),
    },
    {
      log: { debug: log('debug'), info: log('info'), warn: log('warn') },
      clock: { monotonicMs: () => performance.now() },
      random: Math.random,
    },
  )
  return { swarm, frames, changes, logged, behaviour }
}

/** Starts hosts and lets each know all those before it. */
export async function startTogether(...hosts: readonly TestHost[]): Promise<void> {
  const known: string[] = []
  for (const { swarm } of hosts) {
    await swarm.start()
    swarm.setPeerBook(known.map((address) => ({ addresses: [address] })))
    known.push(...swarm.addresses())
  }
  await until('all are connected', () => hosts.every(({ swarm }) => swarm.peers().length === hosts.length - 1))
}

/** Stops hosts, whatever their state. */
export async function stopAll(hosts: readonly TestHost[]): Promise<void> {
  await Promise.all(hosts.map(({ swarm }) => swarm.stop()))
}

/** Waits until a condition holds. The bound is against a hang, not a promise of speed. */
export async function until(what: string, holds: () => boolean, boundMs = 20_000): Promise<void> {
  const deadline = performance.now() + boundMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Text as bytes. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Bytes as text. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
