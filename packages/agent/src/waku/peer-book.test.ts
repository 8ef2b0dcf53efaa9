import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { REDIAL_MAX_MS, REDIAL_MIN_MS } from './limits.ts'
import { createPeerBook, type PeerBook } from './peer-book.ts'
import { memoryLog } from './testing/kit.ts'

const LOW = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'
const HIGH = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const address = (peer: string, port = 1): string => `/ip4/127.0.0.1/tcp/${port}/p2p/${peer}`

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A book whose dials fail until `reachable`, with the longest jitter. */
function makeBook(selfId: string): {
  book: PeerBook
  dialsMs: number[]
  world: { isReachable: boolean; isConnected: boolean }
} {
  const dialsMs: number[] = []
  const startMs = Date.now()
  const world = { isReachable: false, isConnected: false }
  const book = createPeerBook(
    {
      selfId,
      isConnected: () => world.isConnected,
      dial: async (addresses) => {
        dialsMs.push(Date.now() - startMs)
        if (!world.isReachable) throw new Error('nobody there')
        world.isConnected = true
        return addresses[0]?.getComponents().at(-1)?.value ?? ''
      },
    },
    {
      clock: { monotonicMs: () => Date.now(), unixMs: () => Date.now() },
      log: memoryLog(),
      random: () => 1,
    },
  )
  return { book, dialsMs, world }
}

describe('a peer book', () => {
  test('dials for ever, with pauses that double up to a bound', async () => {
    const { book, dialsMs } = makeBook(LOW)
    book.set([address(HIGH)])
    await vi.advanceTimersByTimeAsync(60 * 60_000)
    const pauses = dialsMs.slice(1).map((at, index) => at - (dialsMs[index] ?? 0))
    expect(pauses.slice(0, 3)).toEqual([REDIAL_MIN_MS, 2 * REDIAL_MIN_MS, 4 * REDIAL_MIN_MS])
    expect(pauses.at(-1)).toBe(REDIAL_MAX_MS)
    expect(pauses.length).toBeGreaterThan(100)
    await book.stop()
  })

  test('dials at once, and with short pauses again, when asked to', async () => {
    const { book, dialsMs } = makeBook(LOW)
    book.set([address(HIGH)])
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    const before = dialsMs.length
    book.redialNow()
    await vi.advanceTimersByTimeAsync(REDIAL_MIN_MS)
    expect(dialsMs.length).toBe(before + 2)
    await book.stop()
  })

  test('dials again as soon as a settled peer has gone', async () => {
    const { book, dialsMs, world } = makeBook(LOW)
    world.isReachable = true
    book.set([address(HIGH)])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dialsMs).toEqual([0])
    expect(book.has(HIGH)).toBe(true)
    world.isConnected = false
    book.disconnected(HIGH)
    await vi.advanceTimersByTimeAsync(REDIAL_MIN_MS)
    expect(dialsMs.length).toBe(2)
    await book.stop()
  })

  test('does not dial in a tight loop where connections are closed at once', async () => {
    const { book, dialsMs, world } = makeBook(LOW)
    world.isReachable = true
    const closing = setInterval(() => {
      world.isConnected = false
      book.disconnected(HIGH)
    }, 1)
    book.set([address(HIGH)])
    await vi.advanceTimersByTimeAsync(60_000)
    clearInterval(closing)
    expect(dialsMs.length).toBeLessThan(12)
    await book.stop()
  })

  test('lets the lower id dial first, and never dials itself', async () => {
    const { book, dialsMs, world } = makeBook(HIGH)
    book.set([address(LOW), address(HIGH)])
    world.isConnected = true
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dialsMs).toEqual([])
    await book.stop()
  })

  test('takes addresses of one peer together, and forgets who is no longer named', async () => {
    const { book, dialsMs } = makeBook(LOW)
    book.set([address(HIGH, 1), address(HIGH, 2)])
    await vi.advanceTimersByTimeAsync(0)
    expect(dialsMs).toHaveLength(1)
    book.set([])
    expect(book.has(HIGH)).toBe(false)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dialsMs).toHaveLength(1)
    await book.stop()
  })
})
