import type { Effect } from '@muster/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEffectOrder, DEPART_WAIT_MS, lateMs } from './effect-order.ts'

/** An effect of a kind: nothing looks further into it. */
const effect = (kind: Effect['kind'], id = 0): Effect => ({ kind, id }) as unknown as Effect
const moment = (ms: number, sleptMs = 0) => ({ monotonicMs: ms, bootMs: ms + sleptMs, unixMs: 0 })

const WRITES: readonly Effect['kind'][] = [
  'keep-life',
  'keep-entry',
  'keep-record',
  'drop-record',
  'keep-check-time',
  'incident',
]
const isWrite = ({ kind }: Effect): boolean => WRITES.includes(kind)

/** A disk that ends a write when it is told to, and all that began and ended, in its order. */
function createWorld() {
  const said: string[] = []
  const open: { readonly effect: Effect; end(): void }[] = []
  let nowMs = 0
  const failed: string[] = []
  const order = createEffectOrder({
    now: () => moment(nowMs),
    perform(each) {
      said.push(each.kind)
      if (!isWrite(each)) return undefined
      return new Promise((resolve) =>
        open.push({
          effect: each,
          end() {
            said.push(`${each.kind} is kept`)
            resolve()
          },
        }),
      )
    },
    onFailed: (each) => failed.push(each.kind),
  })
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    order,
    said,
    failed,
    take: (...kinds: readonly Effect['kind'][]) =>
      order.take(
        kinds.map((kind) => effect(kind)),
        moment(nowMs),
      ),
    pass(ms: number) {
      nowMs += ms
    },
    open: () => open.map(({ effect: { kind } }) => kind),
    /** The disk is done with the first writes under way. */
    async end(count = 1) {
      for (const each of open.splice(0, count)) each.end()
      await settle()
    },
  }
}

test('what is to be sent waits for what was to be kept before it, and for nothing after', async () => {
  const world = createWorld()
  world.take('gossip', 'keep-record', 'send')
  expect(world.said).toEqual(['gossip', 'keep-record'])
  world.take('gossip')
  world.take('keep-life')
  world.take('probe')
  await world.end()
  expect(world.said.slice(2)).toEqual(['keep-record is kept', 'send', 'gossip', 'keep-life'])
  await world.end()
  expect(world.said.slice(-2)).toEqual(['keep-life is kept', 'probe'])
  await world.order.settled()
})

test('without anything to keep, all is performed at once', () => {
  const world = createWorld()
  world.take('gossip', 'probe', 'report')
  expect(world.said).toEqual(['gossip', 'probe', 'report'])
})

test('what is kept shares an fsync with what waits beside it; a life has its own', async () => {
  const world = createWorld()
  world.take('keep-record', 'gossip', 'keep-entry', 'keep-record', 'keep-life', 'keep-record')
  expect(world.open()).toEqual(['keep-record', 'keep-entry', 'keep-record'])
  await world.end(3)
  expect(world.open()).toEqual(['keep-life'])
  await world.end()
  expect(world.open()).toEqual(['keep-record'])
  await world.end()
  expect(world.said.filter((what) => what === 'gossip')).toHaveLength(1)
})

describe('what does not wait', () => {
  test('a notice is made ready while its claim is written, and leaves after it', async () => {
    const world = createWorld()
    world.take('keep-record', 'gossip', 'send-notice')
    expect(world.said).toEqual(['keep-record', 'send-notice'])
    world.take('depart')
    await world.end()
    expect(world.said.slice(2)).toEqual(['keep-record is kept', 'gossip', 'depart'])
  })

  test('a notice leaves without the disk when that is slow', async () => {
    const world = createWorld()
    world.take('keep-record', 'gossip', 'depart', 'send')
    await expect.poll(() => world.said, { timeout: 20 * DEPART_WAIT_MS }).toEqual(['keep-record', 'depart'])
    await world.end()
    expect(world.said.slice(2)).toEqual(['keep-record is kept', 'gossip', 'send'])
  })

  test.each(['answer-probe', 'probe', 'send-heartbeat'] as const)(
    '%s, but for a life that is not yet on disk',
    async (kind) => {
      const world = createWorld()
      world.take('keep-entry', kind)
      expect(world.said).toEqual(['keep-entry', kind])
      world.take('keep-life', kind)
      await world.end()
      expect(world.said.slice(2)).toEqual(['keep-entry is kept', 'keep-life'])
      await world.end()
      expect(world.said.slice(4)).toEqual(['keep-life is kept', kind])
    },
  )
})

describe('a disk that falls behind', () => {
  test('by seconds is not waited for; one that hangs is: a host that says nothing but that it is there helps nobody', async () => {
    const world = createWorld()
    world.take('keep-record')
    world.pass(60_000)
    expect(world.order.behind()).toBeNull()
    world.pass(1)
    expect(world.order.behind()).not.toBeNull()
    await world.end()
    expect(world.order.behind()).toBeNull()
  })

  test('by a thousand effects is waited for', async () => {
    const world = createWorld()
    for (let count = 0; count < 1_000; count += 1) world.take(count % 2 === 0 ? 'keep-record' : 'gossip')
    expect(world.order.behind()).toBeNull()
    world.take('gossip')
    expect(world.order.behind()).not.toBeNull()
    for (let group = 0; group < 6; group += 1) await world.end(100)
    await world.order.settled()
    expect(world.said.filter((what) => what === 'gossip')).toHaveLength(501)
  })
})

test('an effect that fails costs itself', async () => {
  const performed: string[] = []
  const failed: string[] = []
  const order = createEffectOrder({
    now: () => moment(0),
    perform({ kind }) {
      if (kind === 'keep-record') return Promise.reject(new Error('no'))
      if (kind === 'send') throw new Error('no')
      performed.push(kind)
      return undefined
    },
    onFailed: ({ kind }) => failed.push(kind),
  })
  order.take([effect('keep-record'), effect('send'), effect('gossip')], moment(0))
  await order.settled()
  expect(failed).toEqual(['keep-record', 'send'])
  expect(performed).toEqual(['gossip'])
})

test('nothing is ever sent before what was to be kept is kept, in whatever way the disk ends its writes', async () => {
  const kind = fc.constantFrom<Effect['kind']>(
    ...WRITES,
    'gossip',
    'send',
    'send-heartbeat',
    'depart',
    'send-notice',
    'answer-probe',
  )
  const batches = fc.array(fc.array(kind, { maxLength: 8 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(batches, fc.infiniteStream(fc.nat({ max: 3 })), async (taken, choices) => {
      const begun: number[] = []
      const kept = new Set<number>()
      const open: (() => void)[] = []
      const all: Effect['kind'][] = taken.flat()
      const order = createEffectOrder({
        now: () => moment(0),
        perform(each) {
          const { id } = each as unknown as { id: number }
          begun.push(id)
          const isPresence = each.kind === 'answer-probe' || each.kind === 'send-heartbeat'
          const mustWait = each.kind !== 'send-notice' && !isPresence
          for (let before = 0; before < id; before += 1) {
            const isKeep = WRITES.includes(all[before] ?? 'report')
            if (!isKeep || isWrite(each)) continue
            if (mustWait || (isPresence && all[before] === 'keep-life')) expect(kept).toContain(before)
          }
          if (!isWrite(each)) return undefined
          return new Promise((resolve) =>
            open.push(() => {
              kept.add(id)
              resolve()
            }),
          )
        },
        onFailed: (_, error) => {
          throw error
        },
      })
      let next = 0
      const endSome = async (): Promise<void> => {
        const place = choices.next().value ?? 0
        open.splice(Math.min(place, open.length - 1), 1)[0]?.()
        await new Promise((resolve) => setImmediate(resolve))
      }
      for (const kinds of taken) {
        order.take(
          kinds.map((each) => effect(each, next++)),
          moment(0),
        )
        if (open.length > 0) await endSome()
      }
      while (open.length > 0) await endSome()
      await order.settled()
      expect([...begun].sort((a, b) => a - b)).toEqual(all.map((_, index) => index))
      const inOrder = (kinds: (each: Effect['kind']) => boolean): void => {
        const places = begun.filter((id) => kinds(all[id] ?? 'report'))
        expect(places).toEqual([...places].sort((a, b) => a - b))
      }
      inOrder((each) => WRITES.includes(each))
      // What shows that this host is there may overtake what waits for the disk.
      inOrder((each) => ['gossip', 'send', 'depart'].includes(each))
    }),
    { numRuns: 300 },
  )
})

test('how late an effect is counts a sleep of the machine', () => {
  expect(lateMs(moment(1_000), moment(1_200))).toBe(200)
  expect(lateMs(moment(1_000), moment(1_200, 60_000))).toBe(60_200)
  expect(lateMs(moment(1_000), moment(900))).toBe(0)
})
