import { createHash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { ConnectionProtector, Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { xsalsa20 } from '@noble/ciphers/salsa.js'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it } from 'vitest'
import { readFrames, writeFrame } from './framing.ts'
import { swarmKeyProtector } from './swarm-key-protector.ts'
import { keyOf, until } from './testing/harness.ts'
import type { TcpProxy } from './testing/tcp-proxy.ts'
import { createTcpProxy } from './testing/tcp-proxy.ts'
import { createKeystream } from './xsalsa20-keystream.ts'

const NEW = keyOf('new')
const THIRD = keyOf('third')
const OLD = keyOf('old')
const ECHO = '/test/echo/1'
const FRAME_BYTES = 100_000
/** Far above anything here: what ends sooner was refused, not timed out. */
const UPGRADE_TIMEOUT_MS = 30_000

type MakeProtector = () => (() => ConnectionProtector) | ((...args: never[]) => ConnectionProtector)

const ours =
  (...keys: Uint8Array[]): MakeProtector =>
  () =>
    swarmKeyProtector(keys)

/** The stock protector reads a key file. */
const stock =
  (key: Uint8Array): MakeProtector =>
  () => {
    const file = `/key/swarm/psk/1.0.0/\n/base16/\n${Buffer.from(key).toString('hex')}`
    return preSharedKey({ psk: new TextEncoder().encode(file) })
  }

describe('the keystream', () => {
  it('is one stream, however it is cut', () => {
    const nonce = randomBytes(24)
    const text = randomBytes(5_000)
    const whole = xsalsa20(NEW, nonce, text)
    for (const sizes of [[1], [63, 1, 64, 65], [128], [4_999, 1], [7, 1_000, 3]]) {
      const keystream = createKeystream(NEW, nonce)
      const pieces: Uint8Array[] = []
      for (let at = 0, n = 0; at < text.byteLength; n++) {
        const size = sizes[n % sizes.length] ?? 1
        pieces.push(keystream.xor(text.subarray(at, at + size)))
        at += size
      }
      expect(Buffer.concat(pieces).equals(whole), `cut into ${sizes}`).toBe(true)
    }
  })

  it('does nothing once it is forgotten, and leaves the key of others alone', () => {
    for (const key of [new Uint8Array(NEW), Buffer.from(NEW)]) {
      const keystream = createKeystream(key, randomBytes(24))
      keystream.forget()
      expect(() => keystream.xor(Uint8Array.of(1))).toThrow('forgotten')
      expect(Buffer.compare(key, NEW)).toBe(0)
    }
  })
})

describe('the swarm key protector', () => {
  const nodes: Libp2p[] = []
  const proxies: TcpProxy[] = []
  const strangers: Socket[] = []

  afterEach(async () => {
    for (const stranger of strangers.splice(0)) stranger.destroy()
    await Promise.all(nodes.splice(0).map((node) => node.stop()))
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
  })

  const makeNode = async (protector: MakeProtector): Promise<Libp2p> => {
    const node = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionProtector: protector() as () => ConnectionProtector,
      connectionManager: {
        inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
        dialTimeout: UPGRADE_TIMEOUT_MS,
        addressDialTimeout: UPGRADE_TIMEOUT_MS,
        maxIncomingPendingConnections: 1_000,
        inboundConnectionThreshold: 1_000,
      },
    })
    nodes.push(node)
    await node.handle(ECHO, async (stream) => {
      const signal = AbortSignal.timeout(UPGRADE_TIMEOUT_MS)
      try {
        for await (const frame of readFrames(stream, { maxBytes: FRAME_BYTES, signal })) {
          await writeFrame(stream, frame, signal)
        }
        await stream.close()
      } catch (error) {
        stream.abort(error as Error)
      }
    })
    return node
  }

  const portOf = (node: Libp2p): number => Number(/tcp\/(\d+)/.exec(String(node.getMultiaddrs()[0]))?.[1])

  const dial = async (from: Libp2p, port: number): Promise<Stream> => {
    const connection = await from.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`))
    return connection.newStream([ECHO])
  }

  /** Sends so many bytes, and says whether the same came back. */
  const echoes = async (stream: Stream, bytes: number): Promise<boolean> => {
    const signal = AbortSignal.timeout(UPGRADE_TIMEOUT_MS)
    const [sent, received] = [createHash('sha256'), createHash('sha256')]
    const reading = (async () => {
      for await (const frame of readFrames(stream, { maxBytes: FRAME_BYTES, signal })) received.update(frame)
    })()
    for (let at = 0; at < bytes; at += FRAME_BYTES) {
      const frame = randomBytes(Math.min(FRAME_BYTES, bytes - at))
      sent.update(frame)
      await writeFrame(stream, frame, signal)
    }
    await stream.close({ signal })
    await reading
    return sent.digest('hex') === received.digest('hex')
  }

  it.each([
    ['us', 'us', ours(NEW), ours(NEW)],
    ['us', 'stock', ours(NEW), stock(NEW)],
    ['stock', 'us', stock(NEW), ours(NEW)],
    ['stock with the old key', 'us with both', stock(OLD), ours(NEW, OLD)],
    ['stock with the new key', 'us with both', stock(NEW), ours(NEW, OLD)],
    ['us with the new key first', 'stock with the new key', ours(NEW, OLD), stock(NEW)],
    ['us with the old key first', 'stock with the old key', ours(OLD, NEW), stock(OLD)],
    ['us with the old key first', 'us with the new key first', ours(OLD, NEW), ours(NEW, OLD)],
  ])('%s dials %s', async (_dialler, _listener, dialler, listener) => {
    const [from, to] = [await makeNode(dialler), await makeNode(listener)]
    expect(await echoes(await dial(from, portOf(to)), 3_000_000)).toBe(true)
  })

  it.each([
    ['byte by byte at first', (n: number) => (n < 200 ? 1 : Infinity)],
    ['in odd pieces', (n: number) => 1 + ((n * 37) % 1_000)],
  ])('meets stock peers when the wire delivers %s', async (_how, pieces) => {
    for (const [dialler, listener] of [
      [ours(NEW), stock(NEW)],
      [stock(NEW), ours(OLD, NEW)],
    ] as const) {
      const [from, to] = [await makeNode(dialler), await makeNode(listener)]
      const proxy = await createTcpProxy(portOf(to), pieces)
      proxies.push(proxy)
      expect(await echoes(await dial(from, proxy.port), 200_000)).toBe(true)
    }
  })

  it.each([
    ['us', 'us', ours(NEW), ours(OLD)],
    ['us', 'us', ours(NEW, OLD), ours(THIRD)],
    // Not "us to stock": a stock listener does not look, and hangs or not as chance has it.
    ['stock', 'us', stock(OLD), ours(NEW)],
  ])('refuses a wrong key at once: %s dials %s', async (_dialler, _listener, dialler, listener) => {
    const [from, to] = [await makeNode(dialler), await makeNode(listener)]
    // The upgrade times out only after this test does.
    await expect(from.dial(multiaddr(`/ip4/127.0.0.1/tcp/${portOf(to)}`))).rejects.toThrow()
    await until('nothing is left', () => from.getConnections().length + to.getConnections().length === 0)
  })

  it('hangs up on garbage at once, and members still connect while strangers are silent', async () => {
    const [member, door] = [await makeNode(ours(NEW)), await makeNode(ours(NEW, OLD))]
    const stranger = (words: Uint8Array | undefined): Socket => {
      const socket = connect(portOf(door), '127.0.0.1')
      socket.on('error', () => {})
      socket.on('data', () => {})
      if (words !== undefined) socket.write(words)
      strangers.push(socket)
      return socket
    }
    for (let i = 0; i < 30; i++) stranger(undefined)
    for (let i = 0; i < 30; i++) stranger(randomBytes(10))
    const loud = Array.from({ length: 30 }, (_, i) => stranger(randomBytes(44 + i * 1_000)))
    await until('the loud ones are gone', () => loud.every((socket) => socket.closed))
    expect(await echoes(await dial(member, portOf(door)), 10_000)).toBe(true)
    expect(strangers.filter((socket) => !socket.closed)).toHaveLength(60)
  })

  it.each([[[]], [[new Uint8Array(31)]]])('needs keys of 32 bytes', (keys) => {
    expect(() => swarmKeyProtector(keys)).toThrow('32 bytes')
  })
})
