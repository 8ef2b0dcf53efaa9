/**
 * The ground truth of a run, for checkers: which links, processes, Waku roads and recipients worked when, and who
 * heard whom. Nothing in it comes from a core's own opinion.
 */
import type { HostId, Life, RecipientId } from '@muster/protocol'
import type { Cause, Mode } from '../happening.ts'
import { type Blind, createBlind } from './blind.ts'
import { type Checker, watching } from './checker.ts'
import { createTimeline, type Timeline } from './timeline.ts'

/** A signed heartbeat that arrived. */
export interface Hearing {
  readonly atMs: number
  /** When it left its host, at the latest: its arrival less the age that the relay stated. */
  readonly heardMs: number
  readonly life: Life
  readonly beat: number
}

/** One process change. */
export interface ModeChange {
  readonly mode: Mode
  readonly cause: Cause
}

/** Questions about what truly was. All times are the world's. */
export interface Truth {
  /** What it learns from, to be shown everything before any checker. */
  readonly listeners: readonly Checker[]
  readonly mode: (host: HostId) => Timeline<ModeChange>
  /** The process ran, undisturbed and the same one. */
  readonly ranThroughout: (host: HostId, fromMs: number, toMs: number) => boolean
  /** For how long of a time the process ran: what its awake clock counts. */
  readonly ranMs: (host: HostId, fromMs: number, toMs: number) => number
  /** Both directions of the link worked. */
  readonly linkedThroughout: (a: HostId, b: HostId, fromMs: number, toMs: number) => boolean
  readonly linkAt: (from: HostId, to: HostId, atMs: number) => boolean
  /** How much longer than usual a message between two hosts took at most, one way. */
  readonly slownessMs: (a: HostId, b: HostId, fromMs: number, toMs: number) => number
  readonly quietNetwork: (fromMs: number, toMs: number) => boolean
  readonly wakuThroughout: (host: HostId, fromMs: number, toMs: number) => boolean
  /** The host's Waku took nothing that it might lose. */
  readonly wakuHonest: (host: HostId, fromMs: number, toMs: number) => boolean
  readonly onlineThroughout: (recipient: RecipientId, fromMs: number, toMs: number) => boolean
  /** What `by` heard of `of`, oldest first. */
  readonly hearings: (by: HostId, of: HostId) => readonly Hearing[]
  /** The hosts that can reach each other at a time, over links that work both ways and processes that run. */
  readonly groupOf: (host: HostId, atMs: number) => ReadonlySet<HostId>
  /** How many such groups there are. */
  readonly sides: (atMs: number) => number
  /** Ends of processes, and stops and suspends that began, within a time. */
  readonly crashes: (fromMs: number, toMs: number) => number
  readonly gaps: (fromMs: number, toMs: number) => number
  readonly linkChanges: (fromMs: number, toMs: number) => number
  readonly healedMs: () => number
  /** Whether a place of a host's log was written by that host without its knowing what it had written before. */
  readonly wroteBlindly: Blind['wrote']
  /** Before when a host may lack entries of its own. */
  readonly lacksOwnBeforeMs: Blind['lacksBeforeMs']
}

const OFF: ModeChange = { mode: 'off', cause: 'stop' }

/** Makes an empty truth about these hosts. */
export function createTruth(hosts: readonly HostId[]): Truth {
  const modes = new Map(hosts.map((host) => [host, createTimeline<ModeChange>(OFF)]))
  const links = new Map<string, Timeline<boolean>>()
  const waku = new Map(hosts.map((host) => [host, createTimeline({ works: true, lies: false })]))
  const online = new Map<RecipientId, Timeline<boolean>>()
  const hearings = new Map<HostId, Map<HostId, Hearing[]>>()
  const noise = createTimeline(false)
  const slowness = new Map<HostId, Timeline<number>>()
  const blind = createBlind()
  let healedMs = Number.POSITIVE_INFINITY

  const modeOf = (host: HostId): Timeline<ModeChange> => modes.get(host) ?? createTimeline(OFF)
  const isTrue = (value: boolean): boolean => value
  const linkAt = (from: HostId, to: HostId, atMs: number): boolean => links.get(`${from}>${to}`)?.at(atMs) ?? true
  const runs = (host: HostId, atMs: number): boolean => modeOf(host).at(atMs).mode === 'running'
  const slownessOf = (host: HostId, fromMs: number, toMs: number): number => {
    const timeline = slowness.get(host)
    if (timeline === undefined) return 0
    return Math.max(timeline.at(fromMs), ...timeline.changes(fromMs, toMs).map(({ value }) => value))
  }
  const groupOf = (host: HostId, atMs: number): ReadonlySet<HostId> => {
    const group = new Set<HostId>([host])
    for (const from of group) {
      for (const to of hosts) {
        if (!group.has(to) && runs(to, atMs) && linkAt(from, to, atMs) && linkAt(to, from, atMs)) group.add(to)
      }
    }
    return group
  }
  const countModes = (fromMs: number, toMs: number, accepts: (change: ModeChange) => boolean): number => {
    let count = 0
    for (const timeline of modes.values()) {
      for (const { value } of timeline.changes(fromMs, toMs)) if (accepts(value)) count += 1
    }
    return count
  }

  const learner = watching(['mode', 'link', 'slow', 'noise', 'waku', 'online', 'heard', 'healed'], (happening) => {
    const { atMs } = happening
    switch (happening.kind) {
      case 'mode':
        return modes.get(happening.host)?.set(atMs, { mode: happening.mode, cause: happening.cause })
      case 'link': {
        const key = `${happening.from}>${happening.to}`
        const timeline = links.get(key) ?? createTimeline(true)
        links.set(key, timeline)
        return timeline.set(atMs, happening.up)
      }
      case 'slow': {
        const timeline = slowness.get(happening.host) ?? createTimeline(0)
        slowness.set(happening.host, timeline)
        return timeline.set(atMs, timeline.at(atMs) + happening.byMs)
      }
      case 'noise':
        return noise.set(atMs, happening.noisy)
      case 'waku':
        return waku.get(happening.host)?.set(atMs, { works: happening.works, lies: happening.lies })
      case 'online': {
        const timeline = online.get(happening.recipient) ?? createTimeline(true)
        online.set(happening.recipient, timeline)
        return timeline.set(atMs, happening.online)
      }
      case 'heard': {
        const { by, of, life, beat, ageMs } = happening
        const ofAll = hearings.get(by) ?? new Map<HostId, Hearing[]>()
        hearings.set(by, ofAll)
        const known = ofAll.get(of)
        const last = known?.at(-1)
        const hearing = { atMs, heardMs: atMs - ageMs, life, beat }
        if (known === undefined || last === undefined) ofAll.set(of, [hearing])
        // Heard again is not heard anew: a replay tells nothing of now.
        else if (isAfter(hearing, last)) known.push(hearing)
        return
      }
      case 'healed':
        healedMs = atMs
        return
      default:
        return happening satisfies never
    }
  })

  return {
    listeners: [blind.listener, learner],
    mode: modeOf,
    ranThroughout: (host, fromMs, toMs) =>
      modeOf(host).always(fromMs, toMs, ({ mode }) => mode === 'running') &&
      modeOf(host).changes(fromMs, toMs).length === 0,
    ranMs: (host, fromMs, toMs) => {
      let ranMs = 0
      let sinceMs = fromMs
      let isRunning = runs(host, fromMs)
      for (const { atMs, value } of modeOf(host).changes(fromMs, toMs)) {
        if (isRunning) ranMs += atMs - sinceMs
        sinceMs = atMs
        isRunning = value.mode === 'running'
      }
      return isRunning ? ranMs + toMs - sinceMs : ranMs
    },
    linkedThroughout: (a, b, fromMs, toMs) =>
      (links.get(`${a}>${b}`)?.always(fromMs, toMs, isTrue) ?? true) &&
      (links.get(`${b}>${a}`)?.always(fromMs, toMs, isTrue) ?? true),
    linkAt,
    slownessMs: (a, b, fromMs, toMs) => slownessOf(a, fromMs, toMs) + slownessOf(b, fromMs, toMs),
    quietNetwork: (fromMs, toMs) => noise.always(fromMs, toMs, (noisy) => !noisy),
    wakuThroughout: (host, fromMs, toMs) => waku.get(host)?.always(fromMs, toMs, ({ works }) => works) ?? false,
    wakuHonest: (host, fromMs, toMs) => waku.get(host)?.always(fromMs, toMs, ({ lies }) => !lies) ?? false,
    onlineThroughout: (recipient, fromMs, toMs) => online.get(recipient)?.always(fromMs, toMs, isTrue) ?? true,
    hearings: (by, of) => hearings.get(by)?.get(of) ?? [],
    groupOf,
    sides: (atMs) => {
      const groups: ReadonlySet<HostId>[] = []
      for (const host of hosts) {
        if (runs(host, atMs) && !groups.some((group) => group.has(host))) groups.push(groupOf(host, atMs))
      }
      return groups.length
    },
    crashes: (fromMs, toMs) => countModes(fromMs, toMs, ({ mode }) => mode === 'off'),
    gaps: (fromMs, toMs) =>
      countModes(fromMs, toMs, ({ cause }) => cause === 'freeze' || cause === 'suspend' || cause === 'resume'),
    linkChanges: (fromMs, toMs) => {
      let count = 0
      for (const timeline of links.values()) count += timeline.changes(fromMs, toMs).length
      return count
    },
    healedMs: () => healedMs,
    wroteBlindly: blind.wrote,
    lacksOwnBeforeMs: blind.lacksBeforeMs,
  }
}

/** Whether `a` is a heartbeat made after `b`. */
function isAfter(a: Hearing, b: Hearing): boolean {
  return a.life.incarnation > b.life.incarnation || (a.life.incarnation === b.life.incarnation && a.beat > b.beat)
}
