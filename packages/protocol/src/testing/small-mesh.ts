/**
 * A few real cores on one table: every message arrives at once, and time passes in ticks.
 *
 * For tests that ask what the core does, step by step. Loss, delay and chance belong to the simulator.
 */
import { createState } from '../create-state.ts'
import type { Carried, Effect } from '../effect.ts'
import type { Command, Event, Road } from '../event.ts'
import type { HostId, RecipientId } from '../ids.ts'
import type { Incident } from '../incidents/incident.ts'
import type { Notice } from '../notifier/notice.ts'
import type { CheckSpec, Judgement } from '../observation.ts'
import type { Presence } from '../options.ts'
import type { State } from '../state.ts'
import { step } from '../step.ts'
import type { Moment } from '../time.ts'
import { recipientIdOf } from '../wire/names.ts'
import type { MeshRecord } from '../wire/records.ts'
import { MESH } from './fixed-records.ts'
import {
  copyOfDisk,
  type Disk,
  emptyDisk,
  type Host,
  isAfter,
  isClaim,
  memberRecord,
  newHost,
  restoredFrom,
  type Waku,
} from './small-host.ts'

/** Milliseconds between two ticks of every host. */
export const TICK_MS = 100

/** The key of the one person who is told. */
export const PHONE_KEY = new Uint8Array(33).fill(2)
/** The id of that key. */
export const PHONE: RecipientId = recipientIdOf(PHONE_KEY)

/** A notice that the recipient has got. */
export interface Told {
  readonly atMs: number
  readonly by: HostId
  readonly notice: Notice
}

/** A conclusion of one host. */
export interface Concluded {
  readonly atMs: number
  readonly by: HostId
  readonly subject: HostId
  readonly how: 'votes' | 'adopted' | 'alone'
}

/** What a mesh is made of. */
export interface SmallMeshOptions {
  readonly presence?: Readonly<Record<HostId, Partial<Presence>>>
  readonly remindMs?: number
}

/** The mesh, and what can be done to it. Times are milliseconds since it began. */
export interface SmallMesh {
  nowMs(): number
  readonly told: readonly Told[]
  readonly concluded: readonly Concluded[]
  /** Lets time pass. */
  run(ms: number): void
  /** Lets time pass until something holds. Throws when it does not within `mostMs`. */
  runUntil(holds: () => boolean, mostMs: number): void
  /** Power off, and on again with what is on its disk. */
  crash(host: HostId): void
  start(host: HostId): void
  /** A backup of a host's disk, and putting one in place of the disk of a host that is down (null: an empty one). */
  backUp(host: HostId): Disk
  replaceDisk(host: HostId, disk: Disk | null): void
  /** No event reaches the host. `suspended`: its monotonic clock stands still as well. */
  freeze(host: HostId, how: 'stopped' | 'suspended'): void
  thaw(host: HostId): void
  cut(a: HostId, b: HostId): void
  mend(a: HostId, b: HostId): void
  /** All links of one host. */
  unplug(host: HostId): void
  plug(host: HostId): void
  setWaku(host: HostId, waku: Waku): void
  command(host: HostId, command: Command): void
  publish(host: HostId, record: MeshRecord): void
  configure(host: HostId, checks: readonly CheckSpec[]): void
  observe(host: HostId, check: string, judgement: Judgement): void
  /** The state of a host that is up. */
  stateOf(host: HostId): State
  /** The incidents that a host knows, by the time they were opened. */
  incidentsOf(host: HostId): readonly Incident[]
  /** The phrases that a host has reported. */
  reportsOf(host: HostId): readonly string[]
}

/** A mesh of these hosts with one recipient, that has run for long enough to know itself. */
export function createSmallMesh(ids: readonly HostId[], options: SmallMeshOptions = {}): SmallMesh {
  let nowMs = 0
  let asks = 0
  const hosts = new Map<HostId, Host>(ids.map((id) => [id, newHost(id, options.presence?.[id])]))
  const cuts = new Set<string>()
  const told: Told[] = []
  const concluded: Concluded[] = []
  const askers = new Map<number, { readonly from: HostId; readonly answer: (effect: Effect) => void }>()
  const later: { readonly atMs: number; readonly run: () => void }[] = []
  const notices = new Map<string, Notice>()
  /** Events wait in order, so that no step begins inside another. */
  const waiting: (() => void)[] = []

  const hostOf = (id: HostId): Host => {
    const host = hosts.get(id)
    if (host === undefined) throw new Error(`no host ${id}`)
    return host
  }
  const pair = (a: HostId, b: HostId): string => [a, b].sort().join('|')
  const isUp = (id: HostId): boolean => hosts.get(id)?.state != null && hosts.get(id)?.frozen === null
  const isLinked = (a: HostId, b: HostId): boolean => a !== b && isUp(a) && isUp(b) && !cuts.has(pair(a, b))
  const momentOf = (host: Host): Moment => ({
    monotonicMs: nowMs - host.suspendedMs,
    bootMs: nowMs,
    unixMs: 1_795_000_000_000 + nowMs,
  })

  /** Everybody whom gossip of a host reaches, through others too. */
  const reachedBy = (origin: HostId): readonly HostId[] => {
    const reached = new Set([origin])
    for (const from of reached) for (const to of ids) if (isLinked(from, to)) reached.add(to)
    reached.delete(origin)
    return [...reached]
  }

  type Happening = Event extends infer E ? (E extends Event ? Omit<E, 'at'> : never) : never

  const post = (to: HostId, happening: Happening): void => {
    waiting.push(() => {
      const host = hostOf(to)
      if (host.state === null || host.frozen !== null) return
      const done = step(host.state, { ...happening, at: momentOf(host) } as Event)
      host.state = done.state
      for (const effect of done.effects) if (host.state !== null) perform(host, effect)
    })
  }
  const settle = (): void => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next()
  }
  const deliver = (from: HostId, to: HostId, carried: readonly Carried[], road: Road): void => {
    for (const { record, ageMs } of carried) post(to, { kind: 'received', from, record, ageMs, road })
  }

  const perform = (host: Host, effect: Effect): void => {
    const { id, disk } = host
    switch (effect.kind) {
      case 'keep-life':
        disk.incarnation = Math.max(disk.incarnation, effect.life.incarnation)
        return
      case 'keep-check-time':
        return
      case 'keep-entry':
        disk.heads.set(effect.entry.signer, effect.head)
        disk.entries.push({ record: effect.entry, atMs: nowMs - effect.ageMs })
        return
      case 'keep-record':
        disk.records.set(effect.id, { record: effect.record, atMs: nowMs - effect.ageMs })
        return
      case 'drop-record':
        disk.records.delete(effect.id)
        return
      case 'incident':
        disk.incidents.set(effect.incident.id, effect.incident)
        return
      case 'concluded':
        concluded.push({ atMs: nowMs, by: id, subject: effect.subject, how: effect.how })
        return
      case 'report':
        host.reports.push(effect.phrase)
        return
      case 'gossip':
        for (const to of reachedBy(id)) deliver(id, to, [{ record: effect.record, ageMs: 0 }], 'gossip')
        if (host.waku === 'dies-with-claim' && isClaim(effect.record)) power(host, null)
        return
      case 'send-heartbeat':
        for (const to of effect.to) {
          if (isLinked(id, to)) deliver(id, to, [{ record: effect.heartbeat, ageMs: 0 }, ...effect.riders], 'direct')
        }
        return
      case 'send':
        if (isLinked(id, effect.to)) deliver(id, effect.to, effect.carried, 'direct')
        return
      case 'probe':
        return probe(id, effect)
      case 'catch-up':
        return catchUp(id, effect)
      case 'answer-probe':
      case 'answer-catch-up':
        askers.get(effect.ask)?.answer(effect)
        askers.delete(effect.ask)
        return
      case 'send-notice':
        notices.set(`${id}/${effect.attempt}`, effect.notice)
        post(id, { kind: 'departing', attempt: effect.attempt })
        return
      case 'depart': {
        const notice = notices.get(`${id}/${effect.attempt}`)
        if (notice === undefined) throw new Error('a notice departs that was never made')
        if (host.waku === 'refuses') return post(id, { kind: 'sent', attempt: effect.attempt, outcome: 'refused' })
        told.push({ atMs: nowMs, by: id, notice })
        post(id, { kind: 'sent', attempt: effect.attempt, outcome: 'accepted' })
        post(id, { kind: 'sent', attempt: effect.attempt, outcome: 'stored' })
        return
      }
      case 'abandon':
        notices.delete(`${id}/${effect.attempt}`)
        return
      default:
        return effect satisfies never
    }
  }

  const probe = (from: HostId, { target, nonce, relays, timeoutMs }: Extract<Effect, { kind: 'probe' }>): void => {
    const direct = isLinked(from, target)
    if (!direct && !relays.some((relay) => isLinked(from, relay) && isLinked(relay, target))) {
      const run = () => post(from, { kind: 'probe-ended', target, nonce, answer: null, direct: false })
      later.push({ atMs: nowMs + timeoutMs, run })
      return
    }
    asks += 1
    askers.set(asks, {
      from,
      answer: (effect) => {
        if (effect.kind !== 'answer-probe') return
        post(from, { kind: 'probe-ended', target, nonce, answer: effect.heartbeat, direct })
      },
    })
    post(target, { kind: 'probed', from, ask: asks, nonce })
  }

  const catchUp = (from: HostId, { peer, digest }: Extract<Effect, { kind: 'catch-up' }>): void => {
    if (!isLinked(from, peer)) return post(from, { kind: 'catch-up-ended', peer, ok: false })
    asks += 1
    askers.set(asks, {
      from,
      answer: (effect) => {
        if (effect.kind !== 'answer-catch-up') return
        deliver(peer, from, effect.carried, 'catch-up')
        for (const { host, after } of effect.logs) {
          const entries = hostOf(peer).disk.entries.filter(
            ({ record }) => record.signer === host && isAfter(record.body, after),
          )
          deliver(
            peer,
            from,
            entries.map(({ record, atMs }) => ({ record, ageMs: nowMs - atMs })),
            'catch-up',
          )
        }
        post(from, { kind: 'catch-up-ended', peer, ok: true })
      },
    })
    post(peer, { kind: 'catch-up-asked', from, ask: asks, digest })
  }

  const connect = (a: HostId, b: HostId, kind: 'connected' | 'disconnected'): void => {
    if (isUp(a)) post(a, { kind, peer: b })
    if (isUp(b)) post(b, { kind, peer: a })
  }
  const link = (a: HostId, b: HostId, whole: boolean): void => {
    if (whole) cuts.delete(pair(a, b))
    else cuts.add(pair(a, b))
    if (isUp(a) && isUp(b)) connect(a, b, whole ? 'connected' : 'disconnected')
    settle()
  }
  const power = (host: Host, state: State | null): void => {
    const others = ids.filter((other) => other !== host.id && !cuts.has(pair(host.id, other)) && isUp(other))
    if (state === null) for (const other of others) post(other, { kind: 'disconnected', peer: host.id })
    host.state = state
    if (state !== null) for (const other of others) connect(host.id, other, 'connected')
  }
  const start = (id: HostId): void => {
    const host = hostOf(id)
    host.disk.incarnation += 1
    const core = {
      mesh: MESH,
      self: id,
      name: id,
      presence: host.presence,
      remindMs: options.remindMs ?? 4 * 3_600_000,
      tickMs: TICK_MS,
      seed: ids.indexOf(id) + 1,
      without: [],
    }
    power(host, createState(core, restoredFrom(host.disk, nowMs), momentOf(host)))
    publish(id, memberRecord(id, host))
  }
  const command = (id: HostId, given: Command): void => {
    post(id, { kind: 'command', command: given })
    settle()
  }
  const publish = (id: HostId, record: MeshRecord): void => command(id, { kind: 'publish', record })

  const tick = (): void => {
    nowMs += TICK_MS
    for (const host of hosts.values()) if (host.frozen === 'suspended') host.suspendedMs += TICK_MS
    for (const due of later.filter(({ atMs }) => atMs <= nowMs)) {
      later.splice(later.indexOf(due), 1)
      due.run()
    }
    for (const id of ids) post(id, { kind: 'tick' })
    settle()
  }
  const run = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += TICK_MS) tick()
  }

  for (const id of ids) start(id)
  const [first] = ids
  if (first !== undefined) {
    publish(first, { kind: 'recipient', name: 'phone', publicKey: PHONE_KEY, atUnixMs: 0 })
  }
  run(40_000)

  return {
    nowMs: () => nowMs,
    told,
    concluded,
    run,
    runUntil(holds, mostMs) {
      const endMs = nowMs + mostMs
      while (!holds()) {
        if (nowMs >= endMs) throw new Error(`still not so after ${mostMs} ms`)
        tick()
      }
    },
    crash: (id) => {
      power(hostOf(id), null)
      settle()
    },
    start,
    backUp: (id) => copyOfDisk(hostOf(id).disk),
    replaceDisk: (id, disk) => {
      hostOf(id).disk = disk === null ? emptyDisk() : copyOfDisk(disk)
    },
    freeze: (id, how) => {
      hostOf(id).frozen = how
    },
    thaw: (id) => {
      hostOf(id).frozen = null
    },
    cut: (a, b) => link(a, b, false),
    mend: (a, b) => link(a, b, true),
    unplug: (id) => {
      for (const other of ids) if (other !== id) link(id, other, false)
    },
    plug: (id) => {
      for (const other of ids) if (other !== id) link(id, other, true)
    },
    setWaku: (id, waku) => {
      hostOf(id).waku = waku
      if (waku !== 'refuses') post(id, { kind: 'waku-worked' })
      settle()
    },
    command,
    publish,
    configure: (id, checks) => {
      post(id, { kind: 'configured', checks, spentMs: {} })
      settle()
    },
    observe: (id, check, judgement) => {
      const observation = { values: {}, durationMs: 1, text: judgement }
      post(id, { kind: 'observed', results: [{ check, observation, judgement, because: `it is ${judgement}` }] })
      settle()
    },
    stateOf: (id) => {
      const { state } = hostOf(id)
      if (state === null) throw new Error(`${id} is down`)
      return state
    },
    incidentsOf: (id) => {
      const { state } = hostOf(id)
      return [...(state?.incidents.values() ?? [])].sort((a, b) => a.openedAtMs - b.openedAtMs)
    },
    reportsOf: (id) => hostOf(id).reports,
  }
}
