import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { SwarmNode } from './node.ts'
import { createQuietPeers } from './quiet-peers.ts'

const PEER = `12D3KooW${'v'.repeat(44)}`

beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => vi.useRealTimers())

/** A node with two connections to one peer, and what became of them; `echo` answers when that is asked. */
function createWorld(echo: () => Promise<number>) {
  const life = new AbortController()
  const seen = { asked: 0, aborted: 0 }
  let nowMs = 0
  let heardMs: number | undefined
  const abort = (): void => {
    seen.aborted += 1
  }
  const connection = { remotePeer: { toString: () => PEER }, abort }
  const ping = (): Promise<number> => {
    seen.asked += 1
    return echo()
  }
  const node = { getConnections: () => [connection, connection], services: { ping: { ping } } } as unknown as SwarmNode
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }
  const clock = { monotonicMs: () => nowMs } as Parameters<typeof createQuietPeers>[1]['clock']
  createQuietPeers(() => heardMs, { clock, log }).begin(node, life.signal)
  return {
    seen,
    life,
    async pass(seconds: number, isHeard = false) {
      for (let second = 0; second < seconds; second += 1) {
        nowMs += 1_000
        if (isHeard && nowMs % 10_000 === 0) heardMs = nowMs
        await vi.advanceTimersByTimeAsync(1_000)
      }
    },
  }
}

test('who answers the roll every ten seconds is never asked', async () => {
  const world = createWorld(() => Promise.resolve(1))
  await world.pass(600, true)
  expect(world.seen).toEqual({ asked: 0, aborted: 0 })
})

test('who says nothing is asked again and again, and stays while it answers', async () => {
  const world = createWorld(() => Promise.resolve(1))
  await world.pass(60)
  // After twelve seconds of silence, at the next look: at 20, 35 and 50 s.
  expect(world.seen.asked).toBe(3)
  expect(world.seen.aborted).toBe(0)
})

test('who does not answer either loses all its connections, and is asked once at a time', async () => {
  const echo = Promise.withResolvers<number>()
  const world = createWorld(() => echo.promise)
  await world.pass(60)
  expect(world.seen).toEqual({ asked: 1, aborted: 0 })
  echo.reject(new Error('no echo'))
  await world.pass(1)
  expect(world.seen.aborted).toBe(2)
})

test('nobody is asked or closed once the swarm has stopped', async () => {
  const echo = Promise.withResolvers<number>()
  const world = createWorld(() => echo.promise)
  await world.pass(20)
  expect(world.seen.asked).toBe(1)
  world.life.abort()
  echo.reject(new Error('stopped'))
  await world.pass(60)
  expect(world.seen).toEqual({ asked: 1, aborted: 0 })
})
