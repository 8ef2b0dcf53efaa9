import type { CheckSpec, Event } from '@muster/protocol'
import { describe, expect, it } from 'vitest'
import type { Happening } from '../happening.ts'
import { DEFAULT_CLASS, makeHost } from '../scenarios/hosts.ts'
import { notice, noticeRecord } from '../testing/history.ts'
import { createTinyCore, type Script } from '../testing/tiny-core.ts'
import { createWorld, type World } from '../world/world.ts'
import type { Fault } from './fault.ts'
import { inject } from './inject.ts'

const HEAL_MS = 600_000
const DISK: CheckSpec = {
  name: 'disk',
  kind: 'disk',
  everyMs: 5_000,
  graceMs: 5_000,
  after: 1,
  recover: 1,
  forMs: 0,
  heartbeat: 'awake',
  tags: [],
}

/** Three hosts (atlas, birch, cedar) that beat every second, with a fault at 10 s, up to 60 s. */
function play(fault: Fault, script?: Script): { world: World; happenings: readonly Happening[]; events: Event[] } {
  const hosts = [0, 1, 2].map((index) =>
    makeHost(7, index, DEFAULT_CLASS, { checks: [{ spec: DISK, phaseMs: 2_000, spells: [] }] }),
  )
  const events: Event[] = []
  const happenings: Happening[] = []
  const core = createTinyCore(
    hosts.map(({ id }) => id),
    (self, event, beat) => {
      if (self === hosts[1]?.id) events.push(event)
      return script?.(self, event, beat) ?? []
    },
  )
  const world = createWorld({
    seed: 7,
    mesh: 'mesh',
    hosts,
    recipients: 1,
    core,
    without: [],
    onHappening: (happening) => happenings.push(happening),
  })
  for (const host of world.hosts) world.after(0, host.start)
  world.after(10_000, () => inject(world, fault, HEAL_MS))
  world.run(60_000)
  return { world, happenings, events }
}

/** How hosts changed: `atlas off stop`, in order. */
function changes(happenings: readonly Happening[], fromMs = 1): string[] {
  return happenings.flatMap((one) =>
    one.kind === 'mode' && one.atMs >= fromMs ? [`${one.host.split('-')[0]} ${one.mode} ${one.cause}`] : [],
  )
}

describe('a fault of all hosts', () => {
  it('blackout: all lose power at once, and each returns in its own time', () => {
    const { happenings } = play({ kind: 'blackout', backAfterMs: [3_000, 1_000, 2_000] })
    expect(changes(happenings)).toEqual([
      ...['atlas off power', 'birch off power', 'cedar off power'],
      ...['birch running start', 'cedar running start', 'atlas running start'],
    ])
  })

  it('restart of all: all say goodbye, and each returns in its own time', () => {
    const { happenings, events } = play({ kind: 'restart-of-all', backAfterMs: [3_000, 1_000, 2_000] })
    expect(changes(happenings)).toEqual([
      ...['atlas off stop', 'birch off stop', 'cedar off stop'],
      ...['birch running start', 'cedar running start', 'atlas running start'],
    ])
    expect(events.some((event) => event.kind === 'command' && event.command.kind === 'stop')).toBe(true)
  })

  it('notifier dies: whoever claims first loses power, and nobody after it', () => {
    const script: Script = (self, event) =>
      event.kind === 'waku-worked' && event.at.bootMs > 1_012_000
        ? [{ kind: 'gossip', record: noticeRecord(self, 'claim') }]
        : []
    const { happenings } = play({ kind: 'notifier-dies', backAfterMs: null }, script)
    expect(changes(happenings)).toHaveLength(1)
    expect(changes(happenings)[0]).toMatch(/ off power$/)
  })
})

describe('a fault of one host', () => {
  it('stalls: stands still time and again, and runs each check that it missed once', () => {
    const { happenings, events } = play({ kind: 'stalls', host: 1, stallsMs: [11_000, 3_000], pauseMs: 4_000 })
    expect(changes(happenings)).toEqual([
      ...['birch frozen freeze', 'birch running resume'],
      ...['birch frozen freeze', 'birch running resume'],
    ])
    const runs = events.flatMap((event) => (event.kind === 'observed' ? [event.at.bootMs - 1_001_000] : []))
    // Every 5 s from 2 s on; those of 12 and 17 s became one at 21 s, that of 27 s waited until 28 s.
    expect(runs.filter((atMs) => atMs > 10_000 && atMs < 40_000)).toEqual([21_000, 22_000, 28_000, 32_000, 37_000])
  })

  it('a slow link delays what the host sends and what it is sent, and nothing else', () => {
    const { happenings } = play({ kind: 'slow-link', host: 1, byMs: 2_500, forMs: 20_000 })
    /** Heartbeats between two hosts in the first two seconds of the fault: those on a slow road come later. */
    const heard = (by: string, of: string): number =>
      happenings.filter(
        (one) =>
          one.kind === 'heard' &&
          one.by.startsWith(by) &&
          one.of.startsWith(of) &&
          one.atMs > 10_200 &&
          one.atMs < 12_300,
      ).length
    expect([heard('atlas', 'birch'), heard('birch', 'atlas')]).toEqual([0, 0])
    expect(heard('atlas', 'cedar')).toBeGreaterThanOrEqual(2)
  })

  it('leave with a return: says goodbye, and starts again', () => {
    expect(changes(play({ kind: 'leave', host: 1, backAfterMs: 5_000 }).happenings)).toEqual([
      'birch off leave',
      'birch running start',
    ])
  })
})

describe('a fault of a disk', () => {
  const lostBy = (happenings: readonly Happening[]): number =>
    happenings.filter(({ kind }) => kind === 'data-lost').length
  const incarnation = (world: World): number | undefined => world.hosts[1]?.view()?.life.incarnation

  it('deleted data: the host starts as if it never had', () => {
    const { world, happenings } = play({ kind: 'data-deleted', host: 1, backAfterMs: 2_000 })
    expect([incarnation(world), lostBy(happenings)]).toEqual([1, 1])
  })

  it('restored data: the host starts as it would have when the copy was made', () => {
    const { world, happenings } = play({ kind: 'data-restored', host: 1, afterMs: 5_000, backAfterMs: 2_000 })
    expect([incarnation(world), lostBy(happenings)]).toEqual([2, 1])
    expect(changes(happenings)).toEqual(['birch off power', 'birch running start'])
  })

  it('a full disk: the start is counted in memory only, and so is the next one', () => {
    const { world, happenings } = play({ kind: 'disk-full', host: 1, backAfterMs: 2_000, againAfterMs: 10_000 })
    expect(changes(happenings)).toEqual([
      ...['birch off power', 'birch running start'],
      ...['birch off stop', 'birch running start'],
    ])
    expect(incarnation(world)).toBe(2)
  })
})

describe('a person', () => {
  const publishedAt = (events: readonly Event[]) =>
    events.flatMap((event) =>
      event.kind === 'command' && event.command.kind === 'publish' && event.command.record.kind !== 'member'
        ? [event.command.record]
        : [],
    )

  it('silences a host, or one of its checks, by the name that people use', () => {
    const silence = (check: string | null) =>
      publishedAt(play({ kind: 'silence', by: 1, host: 2, check, forMs: 30_000 }).events)
    expect(silence(null)).toMatchObject([{ kind: 'silence', matcher: 'cedar', forMs: 30_000 }])
    expect(silence('disk')).toMatchObject([{ kind: 'silence', matcher: 'cedar/disk', forMs: 30_000 }])
  })

  it('acknowledges what is open on the device', () => {
    const script: Script = (self, event) => {
      if (event.kind === 'departing') return [{ kind: 'depart', attempt: event.attempt }]
      if (event.kind !== 'waku-worked' || !self.startsWith('atlas') || event.at.bootMs > 1_005_000) return []
      return [{ kind: 'send-notice', attempt: 1, recipient: 'recipient-7', notice: notice(), timeoutMs: 3_000 }]
    }
    expect(publishedAt(play({ kind: 'ack', by: 1 }, script).events)).toMatchObject([{ kind: 'ack', incident: 'i1' }])
    expect(publishedAt(play({ kind: 'ack', by: 1 }).events)).toEqual([])
  })
})
