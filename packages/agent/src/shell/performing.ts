/** Carries out the core's effects: stores before it sends, and never waits for the network. */
import {
  type Digest,
  type Effect,
  encodeDigest,
  encodeFrames,
  type HostId,
  type LogHead,
  type MeshId,
  parseRecord,
  wireLimits,
} from '@muster/protocol'
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
 * The hands of the core. `perform` gives a promise where the next effect must wait for this one (what is stored), and
 * undefined where it need not (what is sent).
 */
export interface Performing {
  perform(effect: Effect): Promise<void> | undefined
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
  readonly supervisor: Supervisor
  readonly log: Log
  readonly loop: () => Loop
  readonly signal: AbortSignal
  /** Members, recipients or incidents may have changed. */
  readonly onChange: (effect: Effect) => void
}

/** Makes the performer of one agent. */
export function createPerforming(deps: PerformingDeps): Performing {
  const { swarm, seal, inbound, keeping, telling, store, supervisor, log, loop, signal, mesh } = deps
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
        page.map(({ bytes }) => ({ record: parseRecord(bytes, { mesh, bytesMax: wireLimits.recordBytes }), ageMs: 0 })),
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

  function perform(effect: Effect): Promise<void> | undefined {
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
        const frame = sealedFrame(seal, [{ record: effect.heartbeat, ageMs: 0 }, ...effect.riders])
        swarm().sendHeartbeat(effect.to, frame)
        return undefined
      }
      case 'send': {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(SEND_MS)])
        return background('send', swarm().send(effect.to, [sealedFrame(seal, effect.carried)], limit))
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
        catchUpsAsked.get(effect.ask)?.(effect)
        catchUpsAsked.delete(effect.ask)
        return undefined
      }
      case 'send-notice':
        return background('notice', telling.prepare(effect))
      case 'depart':
        return background('notice', telling.depart(effect.attempt))
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

/** An ask that the core has not answered in time is given up: its stream must not hang for ever. */
function forgetLater(asked: Map<number, unknown>, ask: number, reject: (error: Error) => void): void {
  setTimeout(() => {
    if (asked.delete(ask)) reject(new Error('not answered in time'))
  }, ASK_MS).unref()
}
