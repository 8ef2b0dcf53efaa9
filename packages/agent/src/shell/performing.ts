/** Carries out the core's effects. Their order is kept by whoever calls; nothing here waits for the network. */
import {
  type Carried,
  type Digest,
  type Effect,
  encodeDigest,
  encodeFrames,
  type HostId,
  type LogHead,
  type MeshId,
  type Moment,
  parseRecord,
  wireLimits,
} from '@muster/protocol'
import type { Clock } from '../clock.ts'
import { lateMs } from '../effect-order.ts'
import { type Log, reasonOf } from '../log.ts'
import type { Loop } from '../loop.ts'
import type { Store } from '../storage/index.ts'
import type { Supervisor } from '../supervisor.ts'
import type { Swarm } from '../swarm/swarm.ts'
import { type Inbound, sealedFrame } from './inbound.ts'
import type { Keeping } from './keeping.ts'
import type { SealOfOrigin } from './seal-of-origin.ts'
import type { Telling } from './telling.ts'

/** Entries read from the store at a time. */
const ENTRIES_PER_PAGE = 200
const CATCH_UP_MS = 10_000
const SEND_MS = 5_000
const ASK_MS = 10_000
/**
 * How long ago the core's last look at a notice may be when it leaves, milliseconds. A claim is looked at within 1.5 s and
 * handing over takes 3 s at most, which leaves this of the 5 s for which others respect it.
 */
const DEPART_LATE_MS = 500

/**
 * The hands of the core. `perform` gives a promise of what is stored, and undefined for what is sent. An effect that was
 * decided some time ago, because the disk is slow, is sent with that added to the ages that it tells.
 */
export interface Performing {
  perform(effect: Effect, decidedAt: Moment): Promise<void> | undefined
  /** Waits for the core's answer to a probe or a catch-up that a peer asked for. */
  askedForProbe(from: HostId, nonce: string): Promise<Uint8Array>
  askedForCatchUp(from: HostId, digest: Digest): Promise<Extract<Effect, { kind: 'answer-catch-up' }>>
  /** The frames of an answer, records first, then the logs from the store. */
  framesOf(answer: Extract<Effect, { kind: 'answer-catch-up' }>): AsyncIterable<Uint8Array>
}

/**
 * The parts that carry effects out. `swarm` and `loop` are asked for late, because they are made later; `signal` aborts
 * when the agent stops, and ends what is under way.
 */
export interface PerformingDeps {
  readonly mesh: MeshId
  readonly swarm: () => Swarm
  readonly seal: SealOfOrigin
  readonly inbound: Inbound
  readonly keeping: Keeping
  readonly telling: Telling
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
  readonly supervisor: Supervisor
  readonly log: Log
  readonly loop: () => Loop
  readonly signal: AbortSignal
  /** Members, recipients or incidents may have changed. */
  readonly onChange: (effect: Effect) => void
}

/** Makes the performer of one agent. */
export function createPerforming(deps: PerformingDeps): Performing {
  const { swarm, seal, inbound, keeping, telling, store, clock, supervisor, log, loop, signal, mesh } = deps
  const probesAsked = new Map<number, (frame: Uint8Array) => void>()
  const catchUpsAsked = new Map<number, (answer: Extract<Effect, { kind: 'answer-catch-up' }>) => void>()
  let nextAsk = 1

  async function probe({ target, nonce, relays, timeoutMs }: Extract<Effect, { kind: 'probe' }>): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const isGenuine = (bytes: Uint8Array): boolean => inbound.probeAnswer(target, nonce, bytes) !== null
    try {
      const request = { target, nonce: Buffer.from(nonce), relays, isGenuine }
      const { frame, via } = await swarm().probe(request, limit)
      const answer = inbound.probeAnswer(target, nonce, frame)
      loop().dispatch({ kind: 'probe-ended', target, nonce, answer, direct: via === 'direct' })
    } catch {
      loop().dispatch({ kind: 'probe-ended', target, nonce, answer: null, direct: false })
    }
  }

  async function catchUp({ peer, digest }: Extract<Effect, { kind: 'catch-up' }>): Promise<void> {
    let ok = true
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(CATCH_UP_MS)])
      for await (const frame of swarm().catchUp(peer, encodeDigest(digest), limit)) {
        inbound.caughtUp(peer, frame)
        // Taken in before the next is read: a long history must not crowd out heartbeats.
        await loop().settled()
      }
    } catch (error) {
      ok = false
      log.debug('a catch-up broke off', { peer, reason: reasonOf(error) })
    }
    loop().dispatch({ kind: 'catch-up-ended', peer, ok })
  }

  async function* framesOf(answer: Extract<Effect, { kind: 'answer-catch-up' }>): AsyncIterable<Uint8Array> {
    yield* encodeFrames(answer.carried.map(({ record, ageMs }) => ({ record: seal.signed(record), ageMs })))
    for (const { host, after } of answer.logs) yield* entriesOf(host, after)
  }

  async function* entriesOf(host: HostId, after: LogHead | null): AsyncIterable<Uint8Array> {
    let from = after === null ? undefined : { incarnation: after.incarnation, seq: after.seq + 1 }
    for (;;) {
      const range = from === undefined ? { host, limit: ENTRIES_PER_PAGE } : { host, from, limit: ENTRIES_PER_PAGE }
      const page = await store.log.read({ ...range, signal })
      yield* encodeFrames(
        page.map(({ bytes, storedAtUnixMs }) => ({
          record: parseRecord(bytes, { mesh, bytesMax: wireLimits.recordBytes }),
          ageMs: Math.max(0, Math.round(clock.now().unixMs - storedAtUnixMs)),
        })),
      )
      const last = page.at(-1)
      if (last === undefined || page.length < ENTRIES_PER_PAGE) return
      from = { incarnation: last.incarnation, seq: last.seq + 1 }
    }
  }

  function background(what: string, work: Promise<unknown>): undefined {
    supervisor.background(what, work)
    return undefined
  }

  /** Hands a notice over, unless the core's word that it may leave is old: then another may have told meanwhile. */
  async function depart(attempt: number, waitedMs: number): Promise<void> {
    if (waitedMs <= DEPART_LATE_MS) return await telling.depart(attempt)
    telling.abandon(attempt)
    loop().dispatch({ kind: 'sent', attempt, outcome: 'refused' })
  }

  function perform(effect: Effect, decidedAt: Moment): Promise<void> | undefined {
    const waitedMs = Math.round(lateMs(decidedAt, clock.now()))
    switch (effect.kind) {
      case 'keep-life':
      case 'keep-entry':
      case 'keep-record':
      case 'drop-record':
      case 'keep-check-time':
      case 'incident': {
        const kept = keeping.keep(effect)
        return kept.then(() => deps.onChange(effect))
      }
      case 'gossip':
        return background('gossip', swarm().gossip(sealedFrame(seal, [{ record: effect.record, ageMs: 0 }])))
      case 'send-heartbeat': {
        const frame = sealedFrame(seal, [{ record: effect.heartbeat, ageMs: 0 }, ...aged(effect.riders, waitedMs)])
        swarm().sendHeartbeat(effect.to, frame)
        return undefined
      }
      case 'send': {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(SEND_MS)])
        return background('send', swarm().send(effect.to, [sealedFrame(seal, aged(effect.carried, waitedMs))], limit))
      }
      case 'probe':
        return background('probe', probe(effect))
      case 'answer-probe': {
        probesAsked.get(effect.ask)?.(sealedFrame(seal, [{ record: effect.heartbeat, ageMs: 0 }]))
        probesAsked.delete(effect.ask)
        return undefined
      }
      case 'catch-up':
        return background('catch-up', catchUp(effect))
      case 'answer-catch-up': {
        catchUpsAsked.get(effect.ask)?.({ ...effect, carried: aged(effect.carried, waitedMs) })
        catchUpsAsked.delete(effect.ask)
        return undefined
      }
      case 'send-notice':
        return background('notice', telling.prepare(effect))
      case 'depart':
        return background('notice', depart(effect.attempt, waitedMs))
      case 'abandon':
        telling.abandon(effect.attempt)
        return undefined
      case 'concluded':
      case 'report':
        deps.onChange(effect)
        return undefined
      default:
        return effect satisfies never
    }
  }

  return {
    perform,
    framesOf,
    askedForProbe(from, nonce) {
      const ask = nextAsk++
      return new Promise((resolve, reject) => {
        probesAsked.set(ask, resolve)
        forgetLater(probesAsked, ask, reject)
        loop().dispatch({ kind: 'probed', from, ask, nonce })
      })
    },
    askedForCatchUp(from, digest) {
      const ask = nextAsk++
      return new Promise((resolve, reject) => {
        catchUpsAsked.set(ask, resolve)
        forgetLater(catchUpsAsked, ask, reject)
        loop().dispatch({ kind: 'catch-up-asked', from, ask, digest })
      })
    },
  }
}

/** The records as they are now that some time has passed. */
function aged(carried: readonly Carried[], waitedMs: number): readonly Carried[] {
  return waitedMs === 0 ? carried : carried.map(({ record, ageMs }) => ({ record, ageMs: ageMs + waitedMs }))
}

/** An ask that the core has not answered in time is given up: its stream must not hang for ever. */
function forgetLater(asked: Map<number, unknown>, ask: number, reject: (error: Error) => void): void {
  setTimeout(() => {
    if (asked.delete(ask)) reject(new Error('not answered in time'))
  }, ASK_MS).unref()
}
