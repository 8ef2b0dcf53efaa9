/** The world of a large mesh: one queue, the network with its costs, Waku that works, and a device that listens. */
import type { AnySigned, Carried, Effect, HostId, LogHead, SignedAs } from '@muster/protocol'
import { observersOf } from '@muster/protocol'
import { createPrng, type Prng } from '../prng.ts'
import { createQueue } from '../world/queue.ts'
import { createDevice } from '../world/recipient.ts'
import { createLedger, type Ledger, type Traffic } from './ledger.ts'
import { createOverlay, D, type Overlay } from './overlay.ts'
import { createScaleHost, type ScaleHost } from './scale-host.ts'
import { createSettledMesh, headOf, type SettledMesh } from './settled-mesh.ts'
import { createStepClock, type StepClock } from './step-times.ts'
import { frameBytes, overhead } from './wire-costs.ts'

/** What a world is made of. `stopwatch` reads a clock of the machine in milliseconds, to time `step` with. */
export interface ScaleWorldSetup {
  readonly seed: number
  readonly hosts: number
  readonly checks: number
  readonly stopwatch: () => number
}

/** What happened, for whoever asks what became of a death. Hosts that act are numbers. */
export type ScaleNote =
  | { readonly kind: 'concluded'; readonly atMs: number; readonly by: number; readonly subject: HostId }
  /** A notice of a death came to the device, which shows it or folds it into what it shows already. */
  | { readonly kind: 'told'; readonly atMs: number; readonly subject: HostId; readonly isShown: boolean }

/** What the hosts of a large mesh share. */
export interface ScaleWorld {
  readonly setup: ScaleWorldSetup
  readonly settled: SettledMesh
  readonly chance: Prng
  readonly ledger: Ledger
  readonly overlay: Overlay
  readonly stepTimes: StepClock
  readonly stopwatch: () => number
  readonly hosts: readonly ScaleHost[]
  readonly notes: readonly ScaleNote[]
  readonly now: () => number
  readonly after: (delayMs: number, run: () => void) => void
  readonly indexOf: (host: HostId) => number
  readonly note: (note: ScaleNote) => void
  readonly gossip: (origin: number, record: AnySigned) => void
  readonly dial: (a: number, b: number) => void
  readonly keepEntry: (entry: SignedAs<'entry'>) => void
  /** A host's entries after one head, up to another, oldest first. */
  readonly entriesBetween: (host: HostId, after: LogHead | null, upTo: LogHead | undefined) => readonly Carried[]
  readonly prepareNotice: (host: ScaleHost, effect: SendNotice) => void
  readonly departNotice: (host: ScaleHost, attempt: number) => void
  /** The power of a host goes; its peers notice their dead connections some seconds later. */
  readonly cutPower: (host: number) => void
  readonly run: (untilMs: number) => void
}

type SendNotice = Extract<Effect, { kind: 'send-notice' }>

/** The kind of traffic that a gossiped record is. */
const GOSSIPED: Readonly<Record<AnySigned['domain'], Traffic>> = {
  heartbeat: 'answers',
  vote: 'votes',
  verdict: 'verdicts',
  entry: 'entries',
  notice: 'notices',
  record: 'records',
}
/** gossipsub tells what came within its last three seconds, once a second. */
const HISTORY_BEATS = 3

/** Makes a world whose hosts are all about to start. */
export function createScaleWorld(setup: ScaleWorldSetup): ScaleWorld {
  const queue = createQueue()
  const chance = createPrng(setup.seed, 'scale')
  const settled = createSettledMesh(setup.seed, setup.hosts, setup.checks)
  const numbers = new Map(settled.hosts.map((host, index) => [host, index]))
  const indexOf = (host: HostId): number => numbers.get(host) ?? -1
  const hosts: ScaleHost[] = []
  const notes: ScaleNote[] = []
  const device = createDevice()
  const ledger = createLedger(setup.hosts)
  const logs = new Map(settled.restored.entries.map(({ record, ageMs }) => [record.signer, [keptOf(record, -ageMs)]]))
  const underWay = new Map<string, SendNotice>()
  /** Messages that each host got in each of its last beats of gossip. */
  const heard = Array.from({ length: HISTORY_BEATS }, () => new Uint32Array(setup.hosts))
  let nowMs = 0
  const after = (delayMs: number, run: () => void): void => queue.add(nowMs + delayMs, run)
  const overlay = createOverlay(setup.hosts, chance)

  const tellConnected = (a: number, b: number): void => {
    for (const [host, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      hosts[host]?.deliver((at) => ({ kind: 'connected', at, peer: settled.hosts[peer] ?? '' }))
    }
  }
  /** What gossip and connections cost without any message: once a second, all hosts at once. */
  const payUpkeep = (beat: number): void => {
    for (const { index, isUp } of hosts) {
      if (!isUp()) continue
      ledger.add(index, 'connections', overhead.connectionPerSecond * overlay.peersOf(index).size, 0)
      const ids = heard.reduce((sum, counts) => sum + (counts[index] ?? 0), 0)
      const told = ids === 0 ? 0 : overlay.lazyPeers(index)
      ledger.add(index, 'gossip control', told * (overhead.have + overhead.haveId * ids), told)
    }
    heard[(beat + 1) % HISTORY_BEATS]?.fill(0)
    after(1_000, () => payUpkeep(beat + 1))
  }

  const world: ScaleWorld = {
    setup,
    settled,
    chance,
    ledger,
    overlay,
    stepTimes: createStepClock(),
    stopwatch: setup.stopwatch,
    hosts,
    notes,
    now: () => nowMs,
    after,
    indexOf,
    note: (note) => void notes.push(note),
    gossip: (origin, record) => {
      const kind = GOSSIPED[record.domain]
      const bytes = frameBytes([{ record }])
      const { reached, copies, refusals, wants } = overlay.spread(
        origin,
        nowMs,
        bytes,
        (host) => hosts[host]?.isUp() === true,
      )
      const beat = heard[Math.floor(nowMs / 1_000) % HISTORY_BEATS]
      for (const [index, count] of copies.entries()) {
        if (count > 0) ledger.add(index, kind, count * (bytes + overhead.gossipCopy), count)
        const [refused, wanted] = [refusals[index] ?? 0, wants[index] ?? 0]
        const control = refused * overhead.doNotWant + wanted * (overhead.have + overhead.haveId)
        if (control > 0) ledger.add(index, 'gossip control', control, refused + wanted)
      }
      for (const { host, from, atMs } of reached) {
        if (beat !== undefined) beat[host] = (beat[host] ?? 0) + 1
        queue.add(atMs, () => hosts[host]?.receive(settled.hosts[from] ?? '', record, 0, 'gossip'))
      }
    },
    dial: (a, b) =>
      after(chance.int(50, 500), () => {
        if (hosts[a]?.isUp() === true && hosts[b]?.isUp() === true && overlay.connect(a, b)) tellConnected(a, b)
      }),
    keepEntry: (entry) => void logs.get(entry.signer)?.push(keptOf(entry, nowMs)),
    entriesBetween: (host, from, upTo) => {
      const log = logs.get(host) ?? []
      const place = (head: LogHead | null | undefined): number =>
        log.findLastIndex(({ head: { cid } }) => cid === head?.cid)
      return log.slice(place(from) + 1, place(upTo) + 1).map(({ record, atMs }) => ({ record, ageMs: nowMs - atMs }))
    },
    prepareNotice: (host, effect) => {
      underWay.set(`${host.index}/${effect.attempt}`, effect)
      after(chance.int(1, 40), () => host.deliver((at) => ({ kind: 'departing', at, attempt: effect.attempt })))
    },
    departNotice: (host, attempt) => {
      const sending = underWay.get(`${host.index}/${attempt}`)
      if (sending === undefined) return
      underWay.delete(`${host.index}/${attempt}`)
      const answerMs = chance.int(10, 120)
      after(answerMs, () => host.deliver((at) => ({ kind: 'sent', at, attempt, outcome: 'accepted' })))
      after(answerMs + chance.int(20, 400), () =>
        host.deliver((at) => ({ kind: 'sent', at, attempt, outcome: 'stored' })),
      )
      after(answerMs + chance.int(20, 250), () => receiveNotice(sending))
    },
    cutPower: (host) => {
      hosts[host]?.losePower()
      // As the connection monitor has it: a ping every 10 s that nobody answers for 5 s.
      after(chance.int(6_000, 15_000), () => {
        for (const peer of overlay.disconnect(host)) {
          hosts[peer]?.deliver((at) => ({ kind: 'disconnected', at, peer: settled.hosts[host] ?? '' }))
        }
        after(1_000, () => overlay.graft())
      })
    },
    run: (untilMs) => {
      while (queue.nextMs() <= untilMs) {
        nowMs = queue.nextMs()
        queue.take()?.()
      }
      nowMs = untilMs
    },
  }

  const receiveNotice = ({ notice, recipient }: SendNotice): void => {
    const { transition, incidents } = notice
    for (const { host: subject, shown } of device.receive(notice)) {
      if (transition === 'fired') notes.push({ kind: 'told', atMs: nowMs, subject, isShown: shown !== null })
    }
    const ids = incidents.map(({ id }) => id)
    // The device's answer reaches every Waku node of the mesh.
    for (const host of hosts) {
      after(chance.int(50, 600), () =>
        host.deliver((at) => ({ kind: 'delivered', at, incidents: ids, transition, recipient })),
      )
    }
  }

  for (let index = 0; index < setup.hosts; index += 1) hosts.push(createScaleHost(world, index))
  for (const { index, id, state } of hosts) {
    for (const observer of observersOf(state(), id)) overlay.connect(index, indexOf(observer))
  }
  overlay.graft(D)
  for (const host of hosts) after(0, host.begin)
  for (const { index } of hosts) {
    for (const peer of overlay.peersOf(index)) {
      if (index < peer) after(chance.int(20, 3_000), () => tellConnected(index, peer))
    }
  }
  after(1_000, () => payUpkeep(0))
  return world
}

interface Kept {
  readonly record: SignedAs<'entry'>
  readonly head: LogHead
  readonly atMs: number
}

function keptOf(record: SignedAs<'entry'>, atMs: number): Kept {
  return { record, head: headOf(record.body), atMs }
}
