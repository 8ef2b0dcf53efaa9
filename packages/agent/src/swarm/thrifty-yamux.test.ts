import { createHash, randomBytes } from 'node:crypto'
import type { MultiaddrConnection, Stream, StreamMuxerFactory } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { describe, expect, it } from 'vitest'
import { readFrames, writeFrame } from './framing.ts'
import { STREAM_WINDOW_BYTES } from './limits.ts'
import { until } from './testing/harness.ts'
import { thriftyYamux } from './thrifty-yamux.ts'

type Make = () => StreamMuxerFactory
const INIT = {
  streamOptions: { initialStreamWindowSize: STREAM_WINDOW_BYTES, maxStreamWindowSize: STREAM_WINDOW_BYTES },
}
const thrifty: Make = thriftyYamux(INIT)
const stock: Make = () => yamux(INIT)()
const signal = AbortSignal.timeout(30_000)

/** A stream from one muxer to another, what the other read of it, and how often that one wrote. */
async function connect(ours: Make, theirs: Make) {
  const [near, far] = multiaddrConnectionPair()
  const sender = ours().createStreamMuxer(near)
  const receiver = theirs().createStreamMuxer(far)
  const hash = createHash('sha256')
  const seen = { frames: 0, written: writesOf(far) }
  receiver.addEventListener('stream', ({ detail }) => {
    void (async () => {
      for await (const frame of readFrames(detail, { maxBytes: 64 * 1024, signal })) {
        hash.update(frame)
        seen.frames += 1
      }
    })()
  })
  const stream: Stream = await sender.createStream({ protocol: '/test/1' })
  return { stream, seen, hash }
}

function writesOf(connection: MultiaddrConnection): () => number {
  let count = 0
  const send = connection.send.bind(connection)
  connection.send = (data) => {
    count += 1
    return send(data)
  }
  return () => count
}

describe('yamux with fewer window updates', () => {
  it('writes next to nothing back for small messages, where the stock one writes for each', async () => {
    const writes: number[] = []
    for (const make of [thrifty, stock]) {
      const { stream, seen } = await connect(thrifty, make)
      for (let count = 1; count <= 50; count += 1) {
        await writeFrame(stream, randomBytes(100), signal)
        await until('it arrives', () => seen.frames === count)
      }
      writes.push(seen.written())
    }
    expect(writes[0]).toBeLessThanOrEqual(3)
    expect(writes[1]).toBeGreaterThanOrEqual(50)
  })

  it('lets many windows of bytes through, from and to a stock one too', async () => {
    for (const [ours, theirs] of [
      [thrifty, thrifty],
      [stock, thrifty],
      [thrifty, stock],
    ] as const) {
      const { stream, seen, hash } = await connect(ours, theirs)
      const sent = createHash('sha256')
      const frames = (5 * STREAM_WINDOW_BYTES) / (60 * 1024)
      for (let count = 0; count < frames; count += 1) {
        const frame = randomBytes(60 * 1024)
        sent.update(frame)
        await writeFrame(stream, frame, signal)
      }
      await until('all of it arrives', () => seen.frames >= frames)
      expect(hash.digest('hex')).toBe(sent.digest('hex'))
    }
  })
})
