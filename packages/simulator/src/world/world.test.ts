import type { Effect } from '@muster/protocol'
import { describe, expect, it } from 'vitest'
import type { Fault } from '../faults/fault.ts'
import { inject } from '../faults/inject.ts'
import type { Happening } from '../happening.ts'
import { DEFAULT_CLASS, makeHost } from '../scenarios/hosts.ts'
import { entry, notice } from '../testing/history.ts'
import { createTinyCore, type Script } from '../testing/tiny-core.ts'
import { createWorld, type World } from './world.ts'

const HEAL_MS = 600_000

interface Played {
  readonly world: World
  readonly happenings: Happening[]
  readonly seen: string[]
}

/** Three hosts that beat every second, with faults at 10 s, up to 60 s. */
function play(faults: readonly Fault[], script?: Script, losesUnsynced = false, seed = 7): Played {
  const hosts = [0, 1, 2].map((index) => makeHost(seed, index, DEFAULT_CLASS, { losesUnsynced }))
  const core = createTinyCore(
    hosts.map(({ id }) => id),
    script,
  )
  const happenings: Happening[] = []
  const world = createWorld({
    seed,
    mesh: 'mesh',
    hosts,
    recipients: 1,
    core,
    without: [],
    onHappening: (happening) => happenings.push(happening),
  })
  for (const host of world.hosts) world.after(0, host.start)
  for (const fault of faults) world.after(10_000, () => inject(world, fault, HEAL_MS))
  world.run(60_000)
  world.end()
  return { world, happenings, seen: core.seen }
}

/** How many heartbeats of host `of` reached host `by` within a time. */
function hearings({ happenings, world }: Played, by: number, of: number, fromMs: number, toMs: number): number {
  const [byId, ofId] = [world.hosts[by]?.setup.id, world.hosts[of]?.setup.id]
  return happenings.filter(
    (one) => one.kind === 'heard' && one.by === byId && one.of === ofId && one.atMs > fromMs && one.atMs <= toMs,
  ).length
}

function hash(happenings: readonly Happening[]): string {
  return JSON.stringify(happenings, (_, value: unknown) => (value instanceof Map ? [...value] : value))
}

describe('a world', () => {
  it('is the same for the same seed, and another for another', () => {
    const noise: Fault = { kind: 'loss', share: 0.3, forMs: 20_000 }
    expect(hash(play([noise]).happenings)).toBe(hash(play([noise]).happenings))
    expect(hash(play([noise]).happenings)).not.toBe(hash(play([noise], undefined, false, 8).happenings))
  })

  it('delivers heartbeats between running hosts', () => {
    expect(hearings(play([]), 0, 1, 10_000, 20_000)).toBeGreaterThanOrEqual(7)
  })

  it.each<[string, Fault, by: number, of: number, expected: 'none' | 'some']>([
    ['a dead host', { kind: 'power-cut', host: 1, backAfterMs: null }, 0, 1, 'none'],
    ['a killed host', { kind: 'kill', host: 1, backAfterMs: null }, 0, 1, 'none'],
    ['a stopped host', { kind: 'freeze', host: 1, forMs: 30_000 }, 0, 1, 'none'],
    ['a suspended host', { kind: 'suspend', host: 1, forMs: 30_000 }, 0, 1, 'none'],
    ['a cut link', { kind: 'link-cut', a: 0, b: 1, forMs: 30_000 }, 0, 1, 'none'],
    ['another link', { kind: 'link-cut', a: 0, b: 2, forMs: 30_000 }, 0, 1, 'some'],
    ['the cut direction', { kind: 'one-way-cut', from: 1, to: 0, forMs: 30_000 }, 0, 1, 'none'],
    ['the other side', { kind: 'partition', side: [0], forMs: 30_000 }, 0, 1, 'none'],
    ['the same side', { kind: 'partition', side: [0, 1], forMs: 30_000 }, 0, 1, 'some'],
    ['an isolated host', { kind: 'isolation', host: 0, forMs: 30_000, waku: true, route: true }, 0, 1, 'none'],
    ['total loss', { kind: 'loss', share: 1, forMs: 30_000 }, 0, 1, 'none'],
  ])('over %s: %o', (_, fault, by, of, expected) => {
    const heard = hearings(play([fault]), by, of, 12_000, 30_000)
    expect(heard > 0).toBe(expected === 'some')
  })

  it('gives back what was cut', () => {
    expect(hearings(play([{ kind: 'link-cut', a: 0, b: 1, forMs: 5_000 }]), 0, 1, 25_000, 60_000)).toBeGreaterThan(20)
    expect(hearings(play([{ kind: 'power-cut', host: 1, backAfterMs: 5_000 }]), 0, 1, 25_000, 60_000)).toBeGreaterThan(
      20,
    )
  })

  it('stops the monotonic clock in suspend, and only there', () => {
    const readings: string[] = []
    const note: Script = (self, event) => {
      if (event.kind === 'tick') readings.push(`${self} ${event.at.bootMs - event.at.monotonicMs}`)
      return []
    }
    const { world } = play(
      [
        { kind: 'suspend', host: 0, forMs: 20_000 },
        { kind: 'freeze', host: 1, forMs: 20_000 },
      ],
      note,
    )
    expect(readings.findLast((line) => line.startsWith(`${world.hosts[0]?.setup.id} `))).toContain(' 20000')
    expect(readings.findLast((line) => line.startsWith(`${world.hosts[1]?.setup.id} `))).toContain(' 0')
  })

  it('raises the incarnation at each start', () => {
    const { world } = play([{ kind: 'kill', host: 0, backAfterMs: 1_000 }])
    expect(world.hosts[0]?.view()?.life.incarnation).toBe(2)
    expect(world.hosts[1]?.view()?.life.incarnation).toBe(1)
  })

  it('lets power go between two effects: the first is done, the second is not', () => {
    const own = entry('x', 1, 1)
    const script: Script = (self, event) => {
      if (event.kind !== 'waku-worked') return []
      const mine = { ...own, signer: self }
      const keep = (seq: number): Effect => ({
        kind: 'keep-entry',
        entry: { ...mine, body: { ...mine.body, seq } },
        head: { incarnation: 1, seq, cid: `${seq}` },
        ageMs: 0,
        sync: true,
      })
      return [keep(1), keep(2)]
    }
    const { world } = play([], script)
    const host = world.hosts[0]
    if (host === undefined) throw new Error('no host')
    const before = host.disk.log(host.setup.id).length
    host.crashAfter((effect) => effect.kind === 'keep-entry')
    world.run(90_000)
    expect(host.mode()).toBe('off')
    expect(host.disk.log(host.setup.id).length - before).toBe(1)
  })

  it('ends a probe with the answer, through a relay when the straight road is cut, or with nothing', () => {
    const ended: string[] = []
    const script: Script = (self, event) => {
      if (event.kind === 'probe-ended') ended.push(`${event.answer?.signer ?? 'nobody'} ${event.direct}`)
      if (event.kind !== 'route' || !event.up || !self.startsWith('atlas') || event.at.bootMs < 1_005_000) return []
      const [target, relay] = [self.replace('atlas', 'birch'), self.replace('atlas', 'cedar')]
      return [{ kind: 'probe', target, nonce: 'n', relays: [relay], timeoutMs: 2_000 }]
    }
    const probe = (world: World): void => world.hosts[0]?.deliver((at) => ({ kind: 'route', at, up: true }))
    const { world } = play([], script)
    probe(world)
    world.run(65_000)
    inject(world, { kind: 'link-cut', a: 0, b: 1, forMs: 10_000 }, HEAL_MS)
    probe(world)
    world.run(70_000)
    inject(world, { kind: 'freeze', host: 1, forMs: 60_000 }, HEAL_MS)
    probe(world)
    world.run(75_000)
    const birch = world.hosts[1]?.setup.id
    expect(ended).toEqual([`${birch} true`, `${birch} false`, 'nobody false'])
  })

  it('hands a notice to Waku only after asking, and keeps it for a recipient that is offline', () => {
    const script: Script = (self, event) => {
      if (event.kind === 'departing') return [{ kind: 'depart', attempt: event.attempt }]
      if (event.kind !== 'waku-worked' || !self.startsWith('atlas') || event.at.bootMs > 1_025_000) return []
      return [{ kind: 'send-notice', attempt: 1, recipient: 'recipient-7', notice: notice(), timeoutMs: 3_000 }]
    }
    const offline: Fault = { kind: 'recipient-offline', recipient: 0, forMs: 30_000 }
    const { happenings, seen, world } = play([offline], script)
    const copies = happenings.filter(({ kind }) => kind === 'copy')
    const shown = happenings.filter(({ kind }) => kind === 'shown')
    expect(copies.length).toBeGreaterThan(0)
    expect(shown[0]).toMatchObject({ shown: 'fired', recipient: world.recipients[0]?.id })
    expect(seen.filter((line) => line.endsWith('departing')).length).toBe(copies.length)
  })
})
