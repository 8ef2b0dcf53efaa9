/**
 * A virtual host: a machine with clocks and a disk, and a process on it that hands events to a core and performs what
 * the core asks for, one effect after the other. Power may go between any two of them.
 */
import type { Carried, Clock, Command, Effect, Event, HostId, Moment } from '@muster/protocol'
import type { CoreView } from '../core.ts'
import type { Cause, FinalView, Mode } from '../happening.ts'
import { createClocks } from './clocks.ts'
import { createDisk, type Disk } from './disk.ts'
import { createDuties } from './duties.ts'
import { observe, type VirtualCheck } from './virtual-check.ts'
import type { HostSetup, World } from './world.ts'

/** Makes an event of a reading of the host's clocks, at the moment when the process meets it. */
export type EventMaker = (at: Moment) => Event

/** A machine of the world. */
export interface VirtualHost {
  readonly index: number
  readonly setup: HostSetup
  readonly disk: Disk
  readonly mode: () => Mode
  /** Counts processes: what was meant for one process never reaches the next. */
  readonly generation: () => number
  readonly view: () => CoreView | null
  readonly start: () => void
  /** Ends the process: at once (`kill`, `power`), or politely after its goodbye (`stop`, `leave`). */
  readonly end: (cause: 'kill' | 'power' | 'stop' | 'leave') => void
  readonly freeze: () => void
  readonly suspend: () => void
  readonly resume: () => void
  readonly jumpWall: (byMs: number) => void
  readonly command: (command: Command) => void
  /** Power goes right after the first effect from now on that `isDue` accepts. */
  readonly crashAfter: (isDue: (effect: Effect) => boolean) => void
  /** Hands an event to the process; a stopped one meets it when it goes on, a dead one never. */
  readonly deliver: (make: EventMaker) => void
  /** The same, `delayMs` from now, for the present process only. */
  readonly later: (delayMs: number, make: EventMaker) => void
  /** Plays an old record to the core again: first aside, then for real. False when it has none. */
  readonly replay: (isInjected: boolean) => boolean
  readonly finalView: () => FinalView
}

/** How often a working Waku shows that it works. */
const WAKU_SIGN_MS = 20_000
/** How often the operating system writes back what was not synced. */
const WRITE_BACK_MS = 5_000
/** From the goodbye of a stop to the end of the process. */
const GOODBYE_MS = 300
/** How often a store is trimmed within the time that it keeps. */
const TRIMS = 8
/** Old records that a replayer has at hand. */
const REMEMBERED = 24

/** Makes a host that is off. */
export function createHost(world: World, index: number, setup: HostSetup): VirtualHost {
  const { core } = world.setup
  const chance = world.chance.process
  const clocks = createClocks(setup.skewMs, 1_000_000 + index * 1_000)
  const disk = createDisk(setup.losesUnsynced)
  let mode: Mode = 'off'
  let generation = 0
  let starts = 0
  let view: CoreView | null = null
  /** The core's clock after the ticks since the last event, which all brought nothing. */
  let idle: Clock | null = null
  let crashIsDue: ((effect: Effect) => boolean) | null = null
  let pile: EventMaker[] = []
  /** Checks whose time came while the process stood still. */
  const missed = new Set<VirtualCheck>()
  let seen = 0
  const remembered: Carried[] = []

  const setMode = (next: Mode, cause: Cause): void => {
    mode = next
    world.state({ kind: 'mode', atMs: world.now(), host: setup.id, mode, cause })
  }

  /** Notes what a peer said before the core hears it, for the ground truth. */
  const note = (event: Event): void => {
    if (event.kind === 'probe-ended' && event.answer !== null) {
      const { life, beat } = event.answer.body
      world.state({ kind: 'heard', atMs: world.now(), by: setup.id, of: event.answer.signer, life, beat, ageMs: 0 })
    }
    if (event.kind === 'probed' || event.kind === 'catch-up-asked') {
      world.state({ kind: 'frame', atMs: world.now(), host: setup.id, from: event.from })
    }
    if (event.kind === 'catch-up-ended' && event.ok) {
      world.state({ kind: 'frame', atMs: world.now(), host: setup.id, from: event.peer })
    }
    if (event.kind !== 'received') return
    const { record, ageMs, from } = event
    if (record.domain === 'heartbeat') {
      const { life, beat } = record.body
      world.state({ kind: 'heard', atMs: world.now(), by: setup.id, of: record.signer, life, beat, ageMs })
    }
    world.state({ kind: 'arrived', atMs: world.now(), host: setup.id, from, record })
    seen += 1
    if (remembered.length < REMEMBERED) remembered.push({ record, ageMs })
    else if (seen % 7 === 0) remembered[(seen / 7) % REMEMBERED] = { record, ageMs }
  }

  const handle = (make: EventMaker): void => {
    if (view === null) return
    const event = make(clocks.read(world.now()))
    note(event)
    const before = view
    const mine = generation
    const stepped = core.step(before, event, idle ?? undefined)
    idle = null
    view = stepped.state
    for (const effect of stepped.effects) {
      duties.perform(effect)
      world.state({ kind: 'effect', atMs: world.now(), host: setup.id, effect, before })
      if (crashIsDue?.(effect) === true) {
        crashIsDue = null
        host.end('power')
      }
      if (generation !== mine) return
    }
  }

  /** A tick that brings nothing moves the clock, which the next event will want to know. */
  const handleTick = (): void => {
    if (view === null) return
    const passed = core.passTick?.(view, clocks.read(world.now()), idle ?? undefined) ?? null
    if (passed === null) handle(tick)
    else idle = passed
  }

  const deliver = (make: EventMaker): void => {
    if (mode === 'running') handle(make)
    else if (mode !== 'off') pile.push(make)
  }
  /** Runs something again and again while the present process lives. */
  const repeat = (firstMs: number, everyMs: number, run: () => void): void => {
    const mine = generation
    const again = (): void => {
      if (generation !== mine) return
      run()
      world.after(everyMs, again)
    }
    world.after(firstMs, again)
  }
  /** Who may play a record again: its signer, or any other peer that can reach this host. A frame is never forged. */
  const replayer = (signer: HostId): HostId | undefined => {
    const peers = world.hosts.filter(
      (peer) =>
        peer.index !== index &&
        peer.mode() === 'running' &&
        world.network.isOpen(index, peer.index) &&
        world.network.isUp(peer.index, index),
    )
    return (peers.find((peer) => peer.setup.id === signer) ?? peers[0])?.setup.id
  }
  const tick: EventMaker = (at) => ({ kind: 'tick', at })

  const run = (check: VirtualCheck): void => {
    const observed = observe(check, world.now())
    if (observed !== null) handle((at) => ({ kind: 'observed', at, results: [observed] }))
  }

  const begin = (): void => {
    // A new process has heard nothing: what it hears again, it hears for the first time.
    remembered.length = 0
    seen = 0
    const raised = disk.raiseIncarnation(world.setup.without.includes('persisted-incarnation'))
    starts += 1
    const options = {
      mesh: world.setup.mesh,
      self: setup.id,
      name: setup.name,
      presence: setup.presence,
      remindMs: 240_000,
      tickMs: setup.tickMs,
      seed: (Math.imul(world.setup.seed, 2_654_435_761) + index * 7_919 + starts) >>> 0,
      without: world.setup.without,
    }
    view = core.createState(options, disk.restore(raised, world.now()), clocks.read(world.now()))
    if (disk.hasLost()) world.state({ kind: 'data-lost', atMs: world.now(), host: setup.id })
    repeat(setup.historyMs / TRIMS, setup.historyMs / TRIMS, () => {
      if (mode === 'running') disk.trim(world.now() - setup.historyMs)
    })
    world.ticks.start(index, world.now() + chance.int(1, setup.tickMs), setup.tickMs, () => {
      if (mode === 'running') handleTick()
    })
    repeat(chance.int(500, 3_000), WAKU_SIGN_MS, () => {
      if (world.waku.works(index)) deliver((at) => ({ kind: 'waku-worked', at }))
    })
    repeat(WRITE_BACK_MS, WRITE_BACK_MS, () => {
      if (mode === 'running') disk.flush()
    })
    for (const check of setup.checks) {
      repeat(check.phaseMs, check.spec.everyMs, () => {
        if (mode === 'running') run(check)
        else missed.add(check)
      })
    }
    handle((at) => ({ kind: 'route', at, up: true }))
    handle((at) => ({
      kind: 'configured',
      at,
      checks: setup.checks.map(({ spec }) => spec),
      spentMs: disk.checkTimes(),
    }))
    host.command({
      kind: 'publish',
      record: {
        kind: 'member',
        name: setup.name,
        addresses: [],
        wakuAddresses: [],
        everyMs: setup.presence.everyMs,
        graceMs: setup.presence.graceMs,
        sleeps: setup.presence.sleeps,
        certificate: new Uint8Array(),
        serial: starts,
      },
    })
    world.connections.dialAll(index)
  }

  const leaveProcess = (cause: 'kill' | 'power' | 'stop' | 'leave'): void => {
    generation += 1
    world.ticks.stop(index)
    view = null
    idle = null
    pile = []
    missed.clear()
    crashIsDue = null
    duties.forget()
    clocks.resume(world.now())
    if (cause === 'power') {
      disk.losePower(world.chance.disk)
      clocks.reboot(world.now())
    } else {
      disk.flush()
    }
    setMode('off', cause)
    world.connections.hostLost(index, cause === 'power' ? 'power' : 'kill')
  }

  const host: VirtualHost = {
    index,
    setup,
    disk,
    mode: () => mode,
    generation: () => generation,
    view: () => view,
    start: () => {
      if (mode !== 'off') return
      generation += 1
      setMode('running', 'start')
      begin()
    },
    end: (cause) => {
      if (mode === 'off') return
      // Whoever cannot run cannot say goodbye either.
      if (cause === 'kill' || cause === 'power' || mode !== 'running') {
        return leaveProcess(cause === 'power' ? 'power' : 'kill')
      }
      host.command({ kind: cause })
      const mine = generation
      world.after(GOODBYE_MS, () => {
        if (generation === mine && mode !== 'off') leaveProcess(cause)
      })
    },
    freeze: () => {
      if (mode !== 'running') return
      setMode('frozen', 'freeze')
      world.connections.hostStalled(index)
    },
    suspend: () => {
      if (mode !== 'running') return
      clocks.suspend(world.now())
      setMode('suspended', 'suspend')
      world.connections.hostStalled(index)
    },
    resume: () => {
      if (mode !== 'frozen' && mode !== 'suspended') return
      clocks.resume(world.now())
      setMode('running', 'resume')
      const waiting = pile
      pile = []
      // The first timer after a stop may fire before the first tick, or after it.
      if (chance.chance(0.5)) waiting.unshift(tick)
      else waiting.push(tick)
      for (const make of waiting) deliver(make)
      // The timers of checks are late, not lost: one run is due, not one for each that was missed.
      const due = [...missed]
      missed.clear()
      for (const check of due) if (host.mode() === 'running') run(check)
      world.connections.dialAll(index)
    },
    jumpWall: clocks.jumpWall,
    command: (command) => deliver((at) => ({ kind: 'command', at, command })),
    crashAfter: (isDue) => {
      crashIsDue = isDue
    },
    deliver,
    later: (delayMs, make) => {
      const mine = generation
      world.after(delayMs, () => {
        if (generation === mine) deliver(make)
      })
    },
    replay: (isInjected) => {
      if (mode !== 'running' || view === null || remembered.length === 0) return false
      // The same bytes once more: an age is part of them.
      const { record, ageMs } = chance.pick(remembered)
      const from = replayer(record.signer)
      if (from === undefined) return false
      const make: EventMaker = (at) => ({ kind: 'received', at, from, record, ageMs, road: 'gossip' })
      const at = clocks.read(world.now())
      const before = core.step(view, tick(at), idle ?? undefined).state
      const { state: after, effects } = core.step(before, make(at))
      world.state({ kind: 'replayed', atMs: world.now(), host: setup.id, record, before, after, effects })
      if (isInjected) deliver(make)
      return true
    },
    finalView: () => ({
      host: setup.id,
      mode,
      view,
      logs: new Map(disk.logHosts().map((of) => [of, disk.log(of)])),
    }),
  }
  const duties = createDuties(world, host)
  return host
}
