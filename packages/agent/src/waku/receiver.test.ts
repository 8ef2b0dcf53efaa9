import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from './ports.ts'
import { createReceiver, type ReceivedPayload, type Receiver } from './receiver.ts'
import { generateKeyPair, open, seal } from './seal.ts'
import { type Cleanup, createCleanup, memoryLog, startNode, type TestNode, until } from './testing/kit.ts'
import { currentTopic, topicsAround } from './topics.ts'

const cleanup = createCleanup()
afterEach(() => cleanup.run())

const device = generateKeyPair()
const mesh = generateKeyPair()
const never = new AbortController().signal
const now = (): number => systemClock.unixMs()
const noticeTopic = (): string => currentTopic('notice', device.publicKey, now())

async function tell(from: TestNode, words: string): Promise<string> {
  const payload = await seal({
    content: Buffer.from(words),
    recipientPublicKey: device.publicKey,
    signingKey: mesh.privateKey,
  })
  const outcome = await from.node.publish({ contentTopic: noticeTopic(), payload, timestampMs: now() }, never)
  return outcome.hash ?? ''
}

function listen(cleanupOf: Cleanup, nodes: readonly string[]): { receiver: Receiver; got: ReceivedPayload[] } {
  const got: ReceivedPayload[] = []
  const receiver = createReceiver(
    {
      privateKey: device.privateKey,
      nodes,
      contentTopics: (unixMs) => topicsAround('notice', device.publicKey, unixMs),
      onPayload: (payload) => got.push(payload),
    },
    { clock: systemClock, log: memoryLog() },
  )
  cleanupOf.add(() => receiver.stop())
  return { receiver, got }
}

const words = (got: readonly ReceivedPayload[]): string[] => got.map(({ payload }) => Buffer.from(payload).toString())

async function spawnNode(seed: number, peers: readonly string[]): Promise<{ child: ChildProcess; ws: string }> {
  const script = new URL('./testing/node-process.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [script, String(seed), ...peers], { stdio: ['pipe', 'pipe', 'inherit'] })
  cleanup.add(async () => {
    const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
    child.kill('SIGKILL')
    await exited
  })
  const [line] = await once(child.stdout, 'data')
  return { child, ws: String(line).trim() }
}

describe('a receiver', () => {
  test('opens what is sealed for it, knows the signer, and counts copies', async () => {
    const a = await startNode(cleanup, 1)
    const { receiver, got } = listen(cleanup, [a.tcp, a.ws])
    await until(() => a.node.status().subscribers === 1)
    // Connected means that the first look into the store is over: what comes now is pushed.
    await until(() => receiver.node() === a.ws)
    const hash = await tell(a, 'vps-1 is silent')
    await until(() => got.length === 1)
    expect(words(got)).toEqual(['vps-1 is silent'])
    expect(got[0]).toMatchObject({ hash, from: 'live', contentTopic: noticeTopic() })
    expect(got[0]?.signaturePublicKey).toEqual(mesh.publicKey)
    expect(await receiver.copies(() => true, never)).toBe(1)
    expect(await receiver.copies(() => false, never)).toBe(0)
    expect(receiver.node()).toBe(a.ws)
  })

  // How long it takes depends on what happened to the node: a dead process closes its sockets, a hung one does not.
  test.each(['SIGKILL', 'SIGSTOP'] as const)('moves on from a node that %s hit, and misses nothing', async (signal) => {
    const b = await startNode(cleanup, 2)
    const c = await startNode(cleanup, 3, { peers: [b.tcp] })
    const { child, ws } = await spawnNode(1, [b.ws, c.ws])
    b.node.setPeers([ws])
    await until(() => b.node.status().peers === 2 && c.node.status().peers === 2)
    const { receiver, got } = listen(cleanup, [ws])
    await until(() => receiver.node() === ws)
    receiver.addNodes([b.ws, c.ws])
    await tell(b, 'one')
    await until(() => got.length === 1)
    child.kill(signal)
    // Told in the gap, while nobody may be listening.
    await tell(c, 'two')
    await until(() => got.length === 2)
    await tell(c, 'three')
    await until(() => got.length === 3)
    expect(words(got)).toEqual(['one', 'two', 'three'])
    expect([b.ws, c.ws]).toContain(receiver.node())
  })

  test('finds in the store what was told while it was away', async () => {
    const a = await startNode(cleanup, 1)
    for (let index = 0; index < 25; index += 1) await tell(a, `told ${index}`)
    const { got } = listen(cleanup, [a.ws])
    await until(() => got.length === 25)
    expect(new Set(words(got)).size).toBe(25)
    expect(got.every(({ from }) => from === 'store')).toBe(true)
  })

  test('answers over the node, sealed to who signed the notice', async () => {
    const a = await startNode(cleanup, 1)
    const topic = currentTopic('answer', device.publicKey, now())
    const answers: Uint8Array[] = []
    a.node.subscribe([topic], ({ payload }) => answers.push(payload))
    const { receiver } = listen(cleanup, [a.ws])
    const payload = await seal({
      content: Buffer.from('delivered'),
      recipientPublicKey: mesh.publicKey,
      signingKey: device.privateKey,
    })
    // It waits for the connection by itself.
    expect(await receiver.sendReply({ contentTopic: topic, payload, timestampMs: now() }, never)).toEqual({
      accepted: true,
    })
    await until(() => answers.length === 1)
    const opened = await open(answers[0] ?? new Uint8Array(), mesh.privateKey)
    expect(Buffer.from(opened.content).toString()).toBe('delivered')
    expect(opened.signerPublicKey).toEqual(device.publicKey)
  })

  test('passes over garbage on its own topic', async () => {
    const a = await startNode(cleanup, 1)
    const { got } = listen(cleanup, [a.ws])
    await until(() => a.node.status().subscribers === 1)
    for (const payload of [Buffer.of(4), Buffer.alloc(200, 4), Buffer.alloc(2000, 1)]) {
      await a.node.publish({ contentTopic: noticeTopic(), payload, timestampMs: now() }, never)
    }
    await tell(a, 'still here')
    await until(() => got.length === 1)
    expect(words(got)).toEqual(['still here'])
  })

  test('gives up a reply when its signal ends, with no node in reach', async () => {
    const { receiver } = listen(cleanup, ['/ip4/127.0.0.1/tcp/9/ws'])
    const reply = { contentTopic: noticeTopic(), payload: Buffer.of(1), timestampMs: 1 }
    expect(await receiver.sendReply(reply, AbortSignal.timeout(300))).toEqual({ accepted: false })
    expect(receiver.node()).toBeUndefined()
  })
})
