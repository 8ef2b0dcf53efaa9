import { describe, expect, it } from 'vitest'
import { createPrng } from '../prng.ts'
import { entry, notice, noticeRecord } from '../testing/history.ts'
import { createClocks } from './clocks.ts'
import { createDisk } from './disk.ts'
import { createNetwork } from './network.ts'
import { createQueue } from './queue.ts'
import { createDevice } from './recipient.ts'
import { createTicks } from './ticks.ts'
import { createWaku, type WakuTrouble } from './waku.ts'

describe('chance', () => {
  it('is the same for the same seed and stream, and another for another', () => {
    const draw = (seed: number, stream: string): number[] => {
      const chance = createPrng(seed, stream)
      return Array.from({ length: 8 }, chance.next)
    }
    expect(draw(1, 'a')).toEqual(draw(1, 'a'))
    expect(draw(1, 'a')).not.toEqual(draw(2, 'a'))
    expect(draw(1, 'a')).not.toEqual(draw(1, 'b'))
  })

  it('spreads evenly and stays within its bounds', () => {
    const chance = createPrng(5, 'spread')
    const counts = [0, 0, 0, 0]
    for (let draw = 0; draw < 4_000; draw += 1) {
      const index = chance.int(0, 3)
      counts[index] = (counts[index] ?? 0) + 1
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  })
})

describe('a queue', () => {
  it('gives things in the order of time, and equal times in the order in which they came', () => {
    const queue = createQueue()
    const chance = createPrng(3, 'queue')
    const added = Array.from({ length: 500 }, (_, order) => ({ atMs: chance.int(0, 40), order }))
    const taken: { atMs: number; order: number }[] = []
    for (const item of added) queue.add(item.atMs, () => taken.push(item))
    while (queue.size() > 0) queue.take()?.()
    expect(taken).toEqual(added.toSorted((left, right) => left.atMs - right.atMs || left.order - right.order))
  })
})

describe('ticks', () => {
  it('come as if they were in the queue, equal times in the order in which they were added', () => {
    const seen = (isQueued: boolean): string[] => {
      const queue = createQueue()
      const ticks = createTicks(3, queue)
      const chance = createPrng(4, 'ticks')
      const told: string[] = []
      let nowMs = 0
      for (const host of [0, 1, 2]) {
        const run = (): void => void told.push(`${nowMs} tick of ${host}`)
        const again = (): void => {
          run()
          queue.add(nowMs + 5, again)
        }
        if (isQueued) queue.add(host + 1, again)
        else ticks.start(host, host + 1, 5, run)
      }
      for (let item = 0; item < 100; item += 1) {
        queue.add(chance.int(0, 60), () => {
          told.push(`${nowMs} item ${item}`)
          queue.add(nowMs + 5, () => told.push(`${nowMs} after ${item}`))
        })
      }
      for (;;) {
        const isTick = ticks.isFirst()
        nowMs = isTick ? ticks.nextMs() : queue.nextMs()
        if (nowMs > 80) return told
        if (isTick) ticks.run()
        else queue.take()?.()
      }
    }
    expect(seen(false)).toEqual(seen(true))
    expect(seen(false).length).toBe(200 + 3 * 16)
  })

  it('end with a host, and begin anew in place of the old ones', () => {
    const queue = createQueue()
    const ticks = createTicks(1, queue)
    ticks.start(0, 3, 5, () => {})
    ticks.start(0, 4, 5, () => {})
    expect(ticks.nextMs()).toBe(4)
    ticks.stop(0)
    expect([ticks.isFirst(), ticks.nextMs()]).toEqual([false, Number.POSITIVE_INFINITY])
  })
})

describe('clocks', () => {
  it.each([
    ['running', 5_000, 5_000, 5_000],
    ['suspended', 2_000, 5_000, 5_000],
  ] as const)('%s: monotonic +%d, boot +%d, wall +%d', (how, monotonicMs, bootMs, unixMs) => {
    const clocks = createClocks(0, 1_000)
    const before = clocks.read(0)
    if (how === 'suspended') {
      clocks.suspend(1_000)
      clocks.resume(4_000)
    }
    const after = clocks.read(5_000)
    expect(after.monotonicMs - before.monotonicMs).toBe(monotonicMs)
    expect(after.bootMs - before.bootMs).toBe(bootMs)
    expect(after.unixMs - before.unixMs).toBe(unixMs)
  })

  it('jump on the wall only, and start anew at boot', () => {
    const clocks = createClocks(30, 1_000)
    const before = clocks.read(0)
    clocks.jumpWall(-500)
    expect(clocks.read(0)).toEqual({ ...before, unixMs: before.unixMs - 500 })
    clocks.reboot(100)
    expect(clocks.read(150)).toMatchObject({ monotonicMs: 50, bootMs: 50 })
  })
})

describe('a disk', () => {
  const write = (disk: ReturnType<typeof createDisk>): void => {
    disk.keepRecord('r1', noticeRecord('a', 'claim'), 0)
    disk.keepEntry(entry('a', 1, 1), { incarnation: 1, seq: 1, cid: 'x' }, true, 0)
    disk.keepRecord('r2', noticeRecord('b', 'claim'), 0)
    disk.keepCheckTime('backup', 9)
    disk.keepEntry(entry('b', 1, 1), { incarnation: 1, seq: 1, cid: 'y' }, false, 0)
  }
  const chance = createPrng(1, 'disk')

  it('loses nothing at a power cut when it syncs all', () => {
    const disk = createDisk(false)
    write(disk)
    expect(disk.losePower(chance)).toBe(0)
    expect(disk.restore(2, 10).carried).toHaveLength(2)
    expect(disk.restore(2, 10).heads).toHaveProperty('b')
  })

  it('loses only what came after the last sync, and keeps a prefix of it', () => {
    const seenLost = new Set<number>()
    for (let time = 0; time < 40; time += 1) {
      const disk = createDisk(true)
      write(disk)
      const lost = disk.losePower(chance)
      seenLost.add(lost)
      const restored = disk.restore(2, 10)
      expect(restored.heads).toHaveProperty('a')
      expect(restored.carried.length).toBe(2)
      expect(Object.keys(disk.checkTimes())).toHaveLength(lost === 2 ? 0 : 1)
      expect(Object.hasOwn(restored.heads, 'b')).toBe(lost === 0)
    }
    expect([...seenLost].toSorted()).toEqual([0, 1, 2])
  })

  it('raises the incarnation at each start, unless it forgets', () => {
    const disk = createDisk(true)
    expect([disk.raiseIncarnation(false), disk.raiseIncarnation(false)]).toEqual([1, 2])
    expect(disk.raiseIncarnation(true)).toBe(1)
  })

  it('answers with the entries after a head, and the age of each record', () => {
    const disk = createDisk(false)
    for (const seq of [1, 2, 3]) disk.keepEntry(entry('a', 1, seq), { incarnation: 1, seq, cid: `${seq}` }, true, 0)
    expect(disk.entriesAfter('a', null, 5).map(({ ageMs }) => ageMs)).toEqual([5, 5, 5])
    expect(disk.entriesAfter('a', { incarnation: 1, seq: 2, cid: '2' }, 5)).toHaveLength(1)
    expect(disk.entriesAfter('b', null, 5)).toEqual([])
  })
})

describe('a disk that fails', () => {
  const head = (seq: number) => ({ incarnation: 1, seq, cid: `${seq}` })
  const keep = (disk: ReturnType<typeof createDisk>, seq: number): void =>
    disk.keepEntry(entry('a', 1, seq), head(seq), true, seq)

  it('takes nothing while it is full: what was written then is gone at the next start', () => {
    const disk = createDisk(false)
    disk.raiseIncarnation(false)
    keep(disk, 1)
    disk.fill(true)
    expect(disk.raiseIncarnation(false)).toBe(2)
    keep(disk, 2)
    disk.keepLife({ incarnation: 9, epoch: 0 })
    expect(disk.log('a')).toHaveLength(2)
    disk.fill(false)
    expect(disk.raiseIncarnation(false)).toBe(2)
    expect(disk.restore(2, 10).heads).toEqual({ a: head(1) })
    expect([disk.hasLost(), disk.hasLost()]).toEqual([true, false])
  })

  it('goes back to a copy, or to nothing, and the copy can be used again', () => {
    const disk = createDisk(true)
    disk.raiseIncarnation(false)
    keep(disk, 1)
    const copy = disk.copy()
    for (let time = 0; time < 2; time += 1) {
      keep(disk, 2)
      disk.raiseIncarnation(false)
      disk.replace(copy)
      expect(disk.restore(2, 10).heads).toEqual({ a: head(1) })
      expect(disk.raiseIncarnation(false)).toBe(2)
    }
    disk.replace(null)
    expect(disk.restore(1, 10)).toMatchObject({ heads: {}, entries: [], carried: [] })
    expect(disk.raiseIncarnation(false)).toBe(1)
  })

  it('trims what is old, but never the newest entry, and remembers the newest result of each check', () => {
    const disk = createDisk(false)
    const rare = entry('a', 1, 1)
    const result = { check: 'rare' } as (typeof rare.body.results)[number]
    disk.keepEntry({ ...rare, body: { ...rare.body, results: [result] } }, head(1), true, 1)
    keep(disk, 2)
    keep(disk, 3)
    disk.trim(3)
    expect(disk.log('a')).toEqual([head(3)])
    disk.trim(100)
    expect(disk.log('a')).toEqual([head(3)])
    expect(disk.restore(2, 10).entries.map(({ record }) => record.body.seq)).toEqual([1])
  })
})

describe('a network', () => {
  const forwards = (): boolean => true
  it('floods around a cut link, and not over connections that do not stand', () => {
    const network = createNetwork(3, createPrng(2, 'network'))
    network.setOpen(0, 1, true)
    network.setOpen(1, 2, true)
    expect(network.flood(0, 0, forwards).map(({ host, from }) => [host, from])).toEqual([
      [1, 0],
      [2, 1],
    ])
    expect(network.flood(0, 0, (host) => host !== 1).map(({ host }) => host)).toEqual([1])
    network.cut(0, 1, 1)
    expect(network.flood(0, 0, forwards)).toEqual([])
  })

  it('counts cuts: a direction works again when the last one is gone', () => {
    const network = createNetwork(2, createPrng(2, 'network'))
    expect(network.cut(0, 1, 1)).toBe(true)
    expect(network.cut(0, 1, 1)).toBe(false)
    network.cut(0, 1, -1)
    expect(network.isUp(0, 1)).toBe(false)
    expect(network.isUp(1, 0)).toBe(true)
    expect(network.cut(0, 1, -1)).toBe(true)
  })

  it('keeps the order of a stream', () => {
    const network = createNetwork(2, createPrng(2, 'network'))
    const times = Array.from({ length: 50 }, (_, sent) => network.arrivals(0, 1, sent)[0] ?? 0)
    expect(times).toEqual(times.toSorted((left, right) => left - right))
  })
})

describe('Waku', () => {
  it.each<[WakuTrouble, 'accepted' | 'refused' | null]>([
    ['down', null],
    ['refusing', 'refused'],
    ['slow', 'accepted'],
    ['losing', 'accepted'],
  ])('that is %s answers %s', (trouble, outcome) => {
    const waku = createWaku(1, createPrng(4, 'waku'))
    expect(waku.hand(0).outcome).toBe('accepted')
    waku.trouble(0, trouble, 1)
    expect(waku.hand(0).outcome).toBe(outcome)
    expect(waku.works(0)).toBe(false)
    waku.trouble(0, trouble, -1)
    expect(waku.works(0)).toBe(true)
  })
})

describe('a device', () => {
  const lines = (transitions: readonly Parameters<typeof notice>[0][]): (string | null)[] => {
    const device = createDevice()
    return transitions.flatMap((transition) => device.receive(notice(transition)).map((line) => line.shown))
  }
  it.each([
    { told: ['fired', 'fired', 'resolved', 'resolved'], shows: ['fired', null, 'resolved', null] },
    { told: ['resolved', 'fired'], shows: ['resolved', null] },
    { told: ['fired', 'worse', 'reminder-1', 'reminder-1'], shows: ['fired', 'worse', 'reminder', null] },
    { told: ['fired', 'resolved', 'reminder-1'], shows: ['fired', 'resolved', null] },
  ] as const)('shows $shows for $told', ({ told, shows }) => {
    expect(lines(told)).toEqual(shows)
  })
})
