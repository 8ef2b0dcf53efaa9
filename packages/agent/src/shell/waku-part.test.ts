/** A real Waku node that breaks from within is found, made anew, and serves its devices and peers again. */
import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { hostNameOf } from '../config/init.ts'
import { parseConfig } from '../config/load.ts'
import { createMemoryStore } from '../storage/index.ts'
import { createSupervisor, LOOK_EVERY_MS } from '../supervisor.ts'
import { closeListener } from '../swarm/testing/close-listener.ts'
import type { WakuNode } from '../waku/node.ts'
import { systemClock } from '../waku/ports.ts'
import { createReceiver } from '../waku/receiver.ts'
import { generateKeyPair, seal } from '../waku/seal.ts'
import { createCleanup, memoryLog, startNode, until } from '../waku/testing/kit.ts'
import { currentTopic, topicsAround } from '../waku/topics.ts'
import { wakuPart } from './waku-part.ts'

const cleanup = createCleanup()
afterEach(() => cleanup.run())

const device = generateKeyPair()
const mesh = generateKeyPair()
/** How much faster than in an agent looks and restarts come. */
const HURRY = 40

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The part of an agent under a supervisor. `node` is the one that runs now. */
async function supervised(port: number, peers: readonly string[]) {
  const text = `waku: {listen: [/ip4/127.0.0.1/tcp/${port}/ws], nodes: ${JSON.stringify(peers)}}\n`
  const { config } = parseConfig(text, { file: 'muster.yaml', defaultHost: hostNameOf('here') })
  const log = memoryLog()
  const { family } = await createMemoryStore()
  const running: (WakuNode | null)[] = []
  const supervisor = createSupervisor({
    log: { debug: () => undefined, info: (phrase) => log.info(phrase), warn: (phrase) => log.warn(phrase) },
    setTimer(delayMs, fire) {
      const timer = setTimeout(fire, delayMs <= LOOK_EVERY_MS ? delayMs / HURRY : delayMs)
      return () => clearTimeout(timer)
    },
  })
  cleanup.add(() => supervisor.stop())
  const part = wakuPart({
    config: () => config,
    configFile: 'muster.yaml',
    hostSeed: new Uint8Array(32).fill(7),
    store: { family, readBack: (read) => read() },
    clock: { ...systemClock, now: () => ({ monotonicMs: 0, bootMs: 0, unixMs: 0 }) },
    log,
    use: (node) => running.push(node),
  })
  await supervisor.run(part, { mustStart: true })
  return { part, log, running, node: () => running.at(-1) ?? null }
}

async function tell(node: WakuNode | null, words: string) {
  const payload = await seal({
    content: Buffer.from(words),
    recipientPublicKey: device.publicKey,
    signingKey: mesh.privateKey,
  })
  const timestampMs = systemClock.unixMs()
  const contentTopic = currentTopic('notice', device.publicKey, timestampMs)
  return await node?.publish({ contentTopic, payload, timestampMs }, AbortSignal.timeout(10_000))
}

test('a node whose socket closes is made anew, and devices and peers come back to it', async () => {
  const peer = await startNode(cleanup, 1)
  const port = await freePort()
  const { part, log, running, node } = await supervised(port, [peer.tcp])
  const address = node()?.multiaddrs()[0] ?? ''
  peer.node.setPeers([address])
  const got: string[] = []
  const receiver = createReceiver(
    {
      privateKey: device.privateKey,
      nodes: [address],
      contentTopics: (unixMs) => topicsAround('notice', device.publicKey, unixMs),
      onPayload: ({ payload }) => got.push(Buffer.from(payload).toString()),
    },
    { clock: systemClock, log: memoryLog() },
  )
  cleanup.add(() => receiver.stop())
  const isServing = (): boolean => {
    const status = node()?.status()
    return status?.subscribers === 1 && status.peers === 1
  }
  await until(isServing)
  expect(await tell(node(), 'before')).toMatchObject({ accepted: true, stored: 1 })
  await until(() => got.length === 1)
  const [first] = running
  expect(part.health?.()).toBeNull()

  closeListener(port)
  expect(part.health?.()).toBe(`it no longer listens on /ip4/127.0.0.1/tcp/${port}/ws`)
  await until(() => log.lines.some((line) => line.startsWith('info part runs again')))
  // The agent was told of the loss and of the new node, which is the same to the world.
  expect(running).toEqual([first, null, node()])
  expect(node()).not.toBe(first)
  expect(node()?.multiaddrs()).toEqual([address])
  expect(first?.ended.aborted).toBe(true)
  expect(part.health?.()).toBeNull()
  await until(isServing)
  expect(await tell(node(), 'after')).toMatchObject({ accepted: true, stored: 1 })
  await until(() => got.length === 2)
  expect(got).toEqual(['before', 'after'])
})

test('an address that cannot be listened on is the user’s to mend, and said with its key', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  cleanup.add(() => new Promise((resolve) => taken.close(resolve)))
  const { port } = taken.address() as { port: number }
  await expect(supervised(port, [])).rejects.toMatchObject({
    name: 'ConfigError',
    exitCode: 2,
    code: 'port-in-use',
    message: expect.stringMatching(`^waku.listen: /ip4/127.0.0.1/tcp/${port}/ws is in use by another program\n`),
  })
})
