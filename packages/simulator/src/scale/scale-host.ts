/**
 * A host of a large mesh: a real core, and a shell that keeps nothing on disk but performs every effect on the network.
 */
import {
  type AnySigned,
  type Carried,
  createState,
  type Effect,
  type Event,
  type HostId,
  type Moment,
  type SignedAs,
  type State,
  step,
} from '@muster/protocol'
import type { EventMaker } from '../world/host.ts'
import type { ScaleWorld } from './scale-world.ts'
import { CHECK_EVERY_MS, observedOf, PRESENCE_CLASS } from './settled-mesh.ts'
import { digestBytes, frameBytes, overhead, streamBytes } from './wire-costs.ts'

/** A host of the mesh. */
export interface ScaleHost {
  readonly index: number
  readonly id: HostId
  readonly state: () => State
  readonly isUp: () => boolean
  /** Starts its timers: ticks, checks, signs of a working Waku. */
  readonly begin: () => void
  /** Power is gone: nothing leaves it and nothing reaches it any more. */
  readonly losePower: () => void
  readonly deliver: (make: EventMaker) => void
  readonly receive: (from: HostId, record: AnySigned, ageMs: number, road: 'direct' | 'gossip' | 'catch-up') => void
  readonly askProbe: (from: HostId, nonce: string, answer: (heartbeat: SignedAs<'heartbeat'>) => void) => void
  readonly askCatchUp: (from: HostId, digest: CatchUp['digest'], answer: (stream: readonly Carried[]) => void) => void
}

type CatchUp = Extract<Effect, { kind: 'catch-up' }>

const TICK_MS = 250
const WAKU_SIGN_MS = 20_000
/** Checks of one period start this far apart on average, as the agent's schedule has it. */
const CHECK_SPACING_MS = 20
/** The nonce and the kind of a probe's question, bytes; a relayed one names its target too. */
const PROBE_BYTES = 40
const RELAYED_BYTES = 54
/** A catch-up that brings nothing for so long has ended. */
const CATCH_UP_MS = 10_000
const EPOCH_UNIX_MS = 1_700_000_100_000

/** Makes a host with what a settled mesh has on its disk. */
export function createScaleHost(world: ScaleWorld, index: number): ScaleHost {
  const { settled, ledger, overlay, chance } = world
  const id = settled.hosts[index] ?? ''
  const bootedMs = chance.int(1_000, 100_000_000)
  const at = (): Moment => {
    const monotonicMs = bootedMs + world.now()
    return { monotonicMs, bootMs: monotonicMs, unixMs: EPOCH_UNIX_MS + world.now() }
  }
  let isUp = true
  let nextAsk = 1
  const probes = new Map<number, (heartbeat: SignedAs<'heartbeat'>) => void>()
  const catchUps = new Map<number, (stream: readonly Carried[]) => void>()
  let state = createState(
    {
      mesh: settled.mesh,
      self: id,
      name: `host-${index + 1}`,
      presence: PRESENCE_CLASS,
      remindMs: 14_400_000,
      tickMs: TICK_MS,
      seed: (Math.imul(world.setup.seed, 2_654_435_761) + index * 7_919) >>> 0,
      without: [],
    },
    settled.restored,
    at(),
  )

  const deliver = (make: EventMaker): void => {
    if (!isUp) return
    const event = make(at())
    const before = state
    const startMs = world.stopwatch()
    const stepped = step(state, event)
    world.stepTimes.note(kindOf(event, before, stepped.state), world.stopwatch() - startMs)
    state = stepped.state
    for (const effect of stepped.effects) perform(effect)
  }
  const receive: ScaleHost['receive'] = (from, record, ageMs, road) =>
    deliver((moment) => ({ kind: 'received', at: moment, from, record, ageMs, road }))
  const repeat = (firstMs: number, everyMs: number, run: () => void): void => {
    const again = (): void => {
      if (!isUp) return
      run()
      world.after(everyMs, again)
    }
    world.after(firstMs, again)
  }

  /** Sends something that arrives, unless the other end is dead: then its bytes are spent all the same. */
  const carry = (to: number, run: (peer: ScaleHost) => void): void => {
    world.after(overlay.latencyMs(index, to), () => {
      const peer = world.hosts[to]
      if (peer?.isUp() === true) run(peer)
    })
  }
  const sendHeartbeat = ({ to, heartbeat, riders }: Extract<Effect, { kind: 'send-heartbeat' }>): void => {
    const carried = [{ record: heartbeat, ageMs: 0 }, ...riders]
    for (const host of to) {
      const peer = world.indexOf(host)
      // Whom the agent is not connected to it cannot tell; it dials, and tells the next time.
      if (!overlay.isConnected(index, peer)) {
        world.dial(index, peer)
        continue
      }
      ledger.add(index, 'heartbeats', frameBytes(carried) + overhead.heartbeat)
      carry(peer, (other) => {
        ledger.add(peer, 'heartbeats', overhead.acknowledgement)
        for (const { record, ageMs } of carried) other.receive(id, record, ageMs, 'direct')
      })
    }
  }
  const send = (to: HostId, carried: readonly Carried[]): void => {
    const peer = world.indexOf(to)
    if (!overlay.isConnected(index, peer)) return
    ledger.add(index, 'answers', streamBytes(frameBytes(carried)))
    carry(peer, (other) => {
      ledger.add(peer, 'answers', overhead.stream, 0)
      for (const { record, ageMs } of carried) other.receive(id, record, ageMs, 'direct')
    })
  }
  const probe = ({ target, nonce, relays, timeoutMs }: Extract<Effect, { kind: 'probe' }>): void => {
    const to = world.indexOf(target)
    let isEnded = false
    const finish = (answer: SignedAs<'heartbeat'> | null, direct: boolean): void => {
      if (isEnded) return
      isEnded = true
      deliver((moment) => ({ kind: 'probe-ended', at: moment, target, nonce, answer, direct }))
    }
    world.after(timeoutMs, () => finish(null, false))
    for (const relay of [null, ...relays.map(world.indexOf)]) {
      const asker = relay ?? index
      const ask = (): void => {
        ledger.add(asker, 'probes', streamBytes(PROBE_BYTES))
        world.after(overlay.latencyMs(asker, to), () => {
          world.hosts[to]?.askProbe(world.hosts[asker]?.id ?? id, nonce, (heartbeat) => {
            const bytes = streamBytes(frameBytes([{ record: heartbeat }]))
            ledger.add(to, 'probes', bytes)
            if (relay !== null) ledger.add(relay, 'probes', bytes)
            const backMs = overlay.latencyMs(to, asker) + (relay === null ? 0 : overlay.latencyMs(relay, index))
            world.after(backMs, () => finish(heartbeat, relay === null))
          })
        })
      }
      if (relay === null) ask()
      else {
        ledger.add(index, 'probes', streamBytes(PROBE_BYTES + RELAYED_BYTES))
        carry(relay, ask)
      }
    }
  }
  /** Tells the core once how a catch-up ended. Made apart, so that what waits for its end does not hold its digest. */
  const endingOf = (host: HostId): ((ok: boolean) => void) => {
    let isEnded = false
    const end = (ok: boolean): void => {
      if (isEnded) return
      isEnded = true
      deliver((moment) => ({ kind: 'catch-up-ended', at: moment, peer: host, ok }))
    }
    world.after(CATCH_UP_MS, () => end(false))
    return end
  }
  const catchUp = ({ peer: host, digest }: CatchUp): void => {
    const peer = world.indexOf(host)
    const end = endingOf(host)
    ledger.add(index, 'digests', streamBytes(digestBytes(digest)))
    carry(peer, (other) =>
      other.askCatchUp(id, digest, (stream) => {
        ledger.add(peer, 'catch-up', streamBytes(stream.length === 0 ? 0 : frameBytes(stream)))
        world.after(overlay.latencyMs(peer, index), () => {
          for (const { record, ageMs } of stream) receive(host, record, ageMs, 'catch-up')
          end(true)
        })
      }),
    )
  }
  const perform = (effect: Effect): void => {
    switch (effect.kind) {
      case 'gossip':
        return world.gossip(index, effect.record)
      case 'send-heartbeat':
        return sendHeartbeat(effect)
      case 'send':
        return send(effect.to, effect.carried)
      case 'probe':
        return probe(effect)
      case 'answer-probe':
        probes.get(effect.ask)?.(effect.heartbeat)
        probes.delete(effect.ask)
        return
      case 'catch-up':
        return catchUp(effect)
      case 'answer-catch-up': {
        const stored = effect.logs.flatMap(({ host, after }) =>
          world.entriesBetween(host, after, state.heads.get(host)),
        )
        catchUps.get(effect.ask)?.([...effect.carried, ...stored])
        catchUps.delete(effect.ask)
        return
      }
      case 'keep-entry':
        if (effect.sync) world.keepEntry(effect.entry)
        return
      case 'send-notice':
        return world.prepareNotice(host, effect)
      case 'depart':
        return world.departNotice(host, effect.attempt)
      case 'concluded':
        return world.note({ kind: 'concluded', atMs: world.now(), by: index, subject: effect.subject })
      default:
        return
    }
  }

  const host: ScaleHost = {
    index,
    id,
    state: () => state,
    isUp: () => isUp,
    begin: () => {
      deliver((moment) => ({ kind: 'route', at: moment, up: true }))
      deliver((moment) => ({ kind: 'configured', at: moment, checks: settled.checks, spentMs: {} }))
      repeat(chance.int(1, TICK_MS), TICK_MS, () => deliver((moment) => ({ kind: 'tick', at: moment })))
      repeat(chance.int(1, WAKU_SIGN_MS), WAKU_SIGN_MS, () =>
        deliver((moment) => ({ kind: 'waku-worked', at: moment })),
      )
      const firstMs = chance.int(1, CHECK_EVERY_MS)
      for (const spec of settled.checks) {
        let runs = 0
        repeat(firstMs + chance.int(0, CHECK_SPACING_MS * settled.checks.length), spec.everyMs, () => {
          runs += 1
          deliver((moment) => ({ kind: 'observed', at: moment, results: [observedOf(spec, runs)] }))
        })
      }
    },
    losePower: () => {
      isUp = false
    },
    deliver,
    receive,
    askProbe: (from, nonce, answer) => {
      const ask = nextAsk++
      probes.set(ask, answer)
      deliver((moment) => ({ kind: 'probed', at: moment, from, ask, nonce }))
    },
    askCatchUp: (from, digest, answer) => {
      const ask = nextAsk++
      catchUps.set(ask, answer)
      deliver((moment) => ({ kind: 'catch-up-asked', at: moment, from, ask, digest }))
    },
  }
  return host
}

/** A name for the work that an event makes: records by their domain, and ticks by whether anything was due. */
function kindOf(event: Event, before: State, after: State): string {
  if (event.kind === 'received') return event.record.domain
  if (event.kind !== 'tick') return event.kind
  return after.clock.awakeMs < before.dueAtMs ? 'tick, nothing due' : 'tick'
}
