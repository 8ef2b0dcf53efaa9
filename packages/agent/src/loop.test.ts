import { createState, type Effect, type Event } from '@muster/protocol'
import { expect, it } from 'vitest'
import { createLoop } from './loop.ts'

const first = createState(
  {
    mesh: 'm',
    self: 'a',
    name: 'a',
    presence: { everyMs: 10_000, graceMs: 5_000, sleeps: false, restartMs: 300_000 },
    remindMs: 1,
    tickMs: 250,
    seed: 1,
    without: [],
  },
  { incarnation: 1, heads: {}, entries: [], carried: [], incidents: [] },
  { monotonicMs: 0, bootMs: 0, unixMs: 0 },
)

const recipient = { kind: 'recipient', name: 'phone', publicKey: new Uint8Array(33), atUnixMs: 1 } as const

it('performs the effects of an event in order, each stored before the next is sent', async () => {
  const performed: string[] = []
  const loop = createLoop(first, {
    now: () => ({ monotonicMs: 1, bootMs: 1, unixMs: 1 }),
    perform(effect: Effect) {
      if (effect.kind !== 'keep-record') {
        performed.push(effect.kind)
        return undefined
      }
      return new Promise((resolve) => {
        setImmediate(() => {
          performed.push(effect.kind)
          resolve()
        })
      })
    },
    onDropped: () => undefined,
    onFailed: () => undefined,
  })
  loop.dispatch({ kind: 'command', command: { kind: 'publish', record: recipient } })
  await loop.settled()
  expect(performed.slice(0, 2)).toEqual(['keep-record', 'gossip'])
})

it('goes on taking events while the disk is slow, and says nothing before its time', async () => {
  const performed: string[] = []
  let monotonicMs = 1
  let write = (): void => undefined
  const loop = createLoop(first, {
    now: () => ({ monotonicMs, bootMs: monotonicMs, unixMs: 1 }),
    perform(effect) {
      performed.push(effect.kind)
      if (effect.kind !== 'keep-record') return undefined
      return new Promise((resolve) => {
        write = resolve
      })
    },
    onDropped: () => undefined,
    onFailed: () => undefined,
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  loop.dispatch({ kind: 'command', command: { kind: 'publish', record: recipient } })
  // An fsync of nine seconds, which would be a gap if the core did not see time pass.
  for (; monotonicMs < 9_000; monotonicMs += 250) {
    loop.dispatch({ kind: 'tick' })
    await turn()
  }
  expect(loop.state().clock.awakeMs).toBeGreaterThan(8_000)
  expect(loop.state().quiet?.sinceMs ?? 0).toBe(0)
  expect(performed).toEqual(['keep-record'])
  write()
  await loop.settled()
  expect(performed.slice(0, 2)).toEqual(['keep-record', 'gossip'])
})

/** A core whose disk ends no write before `write` is called, and how it fares in the ticks of 15 seconds. */
async function hangFor15Seconds(records: number) {
  const reports: string[] = []
  let monotonicMs = 1
  const writes: (() => void)[] = []
  const loop = createLoop(first, {
    now: () => ({ monotonicMs, bootMs: monotonicMs, unixMs: 1 }),
    perform(effect) {
      if (effect.kind === 'report') reports.push(effect.phrase)
      if (effect.kind !== 'keep-record') return undefined
      return new Promise((resolve) => writes.push(resolve))
    },
    onDropped: () => undefined,
    onFailed: () => undefined,
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  for (let atUnixMs = 1; atUnixMs <= records; atUnixMs += 1) {
    loop.dispatch({ kind: 'command', command: { kind: 'publish', record: { ...recipient, atUnixMs } } })
  }
  for (; monotonicMs < 15_000; monotonicMs += 250) {
    loop.dispatch({ kind: 'tick' })
    await turn()
  }
  const sawMs = loop.state().clock.monotonicMs
  const settled = loop.settled()
  let isOver = false
  void settled.then(() => {
    isOver = true
  })
  while (!isOver) {
    for (const write of writes.splice(0)) write()
    await turn()
  }
  return { sawMs, reports }
}

const GAP = 'this host was not awake, it judges nobody for a while'

it('goes on while a disk hangs', async () => {
  const { sawMs, reports } = await hangFor15Seconds(1)
  expect(sawMs).toBeGreaterThan(14_000)
  expect(reports).not.toContain(GAP)
})

it('waits for a disk that is a thousand effects behind, and then the core sees the gap', async () => {
  const { sawMs, reports } = await hangFor15Seconds(1_100)
  expect(sawMs).toBe(1)
  expect(reports).toContain(GAP)
})

it('takes events one at a time, in the order of their arrival', async () => {
  const seen: Event['kind'][] = []
  const loop = createLoop(first, {
    now: () => ({ monotonicMs: 1, bootMs: 1, unixMs: 1 }),
    perform: () => undefined,
    observe: (event) => seen.push(event.kind),
    onDropped: () => undefined,
    onFailed: () => undefined,
  })
  loop.dispatch({ kind: 'tick' })
  loop.dispatch({ kind: 'waku-worked' })
  loop.dispatch({ kind: 'tick' })
  await loop.settled()
  expect(seen).toEqual(['tick', 'waku-worked', 'tick'])
})

it('drops what is more than it can hold, and says so', async () => {
  let dropped = 0
  const loop = createLoop(first, {
    now: () => ({ monotonicMs: 1, bootMs: 1, unixMs: 1 }),
    perform: () => new Promise(() => undefined),
    onDropped: () => {
      dropped += 1
    },
    onFailed: () => undefined,
  })
  loop.dispatch({ kind: 'command', command: { kind: 'publish', record: recipient } })
  for (let count = 0; count < 20_010; count += 1) loop.dispatch({ kind: 'tick' })
  expect(dropped).toBeGreaterThan(0)
  expect(dropped).toBeLessThanOrEqual(11)
})

it('takes nothing more after it was stopped', async () => {
  let steps = 0
  const loop = createLoop(first, {
    now: () => ({ monotonicMs: 1, bootMs: 1, unixMs: 1 }),
    perform: () => undefined,
    observe: () => {
      steps += 1
    },
    onDropped: () => undefined,
    onFailed: () => undefined,
  })
  await loop.stop()
  loop.dispatch({ kind: 'tick' })
  await loop.settled()
  expect(steps).toBe(0)
})

it('goes on with the next effect and the next event when one effect fails', async () => {
  const performed: string[] = []
  const failed: string[] = []
  const loop = createLoop(first, {
    now: () => ({ monotonicMs: 1, bootMs: 1, unixMs: 1 }),
    perform(effect) {
      if (effect.kind === 'keep-record') throw new Error('does not fit')
      performed.push(effect.kind)
      return undefined
    },
    onDropped: () => undefined,
    onFailed: (effect) => failed.push(effect.kind),
  })
  loop.dispatch({ kind: 'command', command: { kind: 'publish', record: recipient } })
  loop.dispatch({ kind: 'probed', from: 'b', ask: 1, nonce: 'n' })
  await loop.settled()
  expect(failed).toEqual(['keep-record'])
  expect(performed).toContain('gossip')
  expect(performed).toContain('answer-probe')
})
