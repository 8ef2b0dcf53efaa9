/** Questions between hosts and their answers: probes, straight or through relays, and catch-up streams. */
import type { Carried, Effect, SignedAs } from '@muster/protocol'
import type { VirtualHost } from './host.ts'
import type { World } from './world.ts'

type Probe = Extract<Effect, { kind: 'probe' }>
type CatchUp = Extract<Effect, { kind: 'catch-up' }>
type AnswerProbe = Extract<Effect, { kind: 'answer-probe' }>
type AnswerCatchUp = Extract<Effect, { kind: 'answer-catch-up' }>

/** The questions that a process has put, and those that were put to it. */
export interface Asks {
  readonly probe: (effect: Probe) => void
  readonly answerProbe: (effect: AnswerProbe) => void
  readonly catchUp: (effect: CatchUp) => void
  readonly answerCatchUp: (effect: AnswerCatchUp) => void
  readonly putProbe: (from: VirtualHost, nonce: string, answer: (heartbeat: SignedAs<'heartbeat'>) => void) => void
  readonly putCatchUp: (from: VirtualHost, effect: CatchUp, answer: (stream: readonly Carried[]) => void) => void
  readonly forget: () => void
}

/** Records that travel together in a catch-up stream, and the time between two such batches. */
const BATCH = 16
const BATCH_MS = 4
/** A catch-up that brings nothing for so long has ended. */
const CATCH_UP_MS = 8_000

const asksOf = new WeakMap<VirtualHost, Asks>()

/** Makes the questions of one host: none yet. */
export function createAsks(world: World, host: VirtualHost): Asks {
  const { network, meter } = world
  let nextAsk = 1
  const probes = new Map<number, (heartbeat: SignedAs<'heartbeat'>) => void>()
  const catchUps = new Map<number, (stream: readonly Carried[]) => void>()

  /** Walks a path of hosts, hop by hop; the last one gets `arrive`, if it still is the same process. */
  const walk = (path: readonly number[], arrive: () => void): void => {
    const [from, to] = path
    if (from === undefined || to === undefined) return arrive()
    if (!network.isUp(from, to)) return
    const atMs = network.arrivals(from, to, world.now())[0]
    if (atMs === undefined) return
    const generation = world.hosts[to]?.generation()
    world.after(atMs - world.now(), () => {
      const mode = world.hosts[to]?.mode()
      if (world.hosts[to]?.generation() !== generation || mode === 'off' || mode === 'suspended') return
      // Only the last hop may wait in the buffers of a stopped process.
      if (path.length > 2 && mode !== 'running') return
      if (network.isUp(from, to)) walk(path.slice(1), arrive)
    })
  }

  const asks: Asks = {
    probe: ({ target, nonce, relays, timeoutMs }) => {
      const index = world.indexOf(target)
      const peer = world.hosts[index]
      const generation = host.generation()
      let isEnded = false
      const finish = (answer: SignedAs<'heartbeat'> | null, direct: boolean): void => {
        if (isEnded || host.generation() !== generation) return
        isEnded = true
        host.deliver((at) => ({ kind: 'probe-ended', at, target, nonce, answer, direct }))
      }
      world.after(timeoutMs, () => finish(null, false))
      const others = relays.map((relay) => world.indexOf(relay)).filter((relay) => relay >= 0 && relay !== index)
      for (const between of [[], ...others.map((relay) => [relay])]) {
        const path = [host.index, ...between, index]
        walk(path, () => {
          if (peer === undefined) return
          asksOf.get(peer)?.putProbe(host, nonce, (heartbeat) => {
            // Who asked has closed its stream by now: a stopped process that goes on answers nobody.
            if (isEnded) return
            meter.direct(index, [heartbeat])
            walk(path.toReversed(), () => finish(heartbeat, between.length === 0))
          })
        })
      }
    },
    putProbe: (from, nonce, answer) => {
      const ask = nextAsk
      nextAsk += 1
      probes.set(ask, answer)
      host.deliver((at) => ({ kind: 'probed', at, from: from.setup.id, ask, nonce }))
    },
    answerProbe: ({ ask, heartbeat }) => {
      probes.get(ask)?.(heartbeat)
      probes.delete(ask)
    },
    catchUp: (effect) => {
      const index = world.indexOf(effect.peer)
      const peer = world.hosts[index]
      const generation = host.generation()
      let isEnded = false
      const finish = (ok: boolean): void => {
        if (isEnded || host.generation() !== generation) return
        isEnded = true
        host.deliver((at) => ({ kind: 'catch-up-ended', at, peer: effect.peer, ok }))
      }
      if (peer === undefined || !network.isOpen(host.index, index)) {
        world.after(world.chance.network.int(1, 20), () => finish(false))
        return
      }
      world.after(CATCH_UP_MS, () => finish(false))
      walk([host.index, index], () => {
        asksOf.get(peer)?.putCatchUp(host, effect, (stream) => {
          const batches = Array.from({ length: Math.ceil(stream.length / BATCH) }, (_, batch) =>
            stream.slice(batch * BATCH, (batch + 1) * BATCH),
          )
          const next = (batch: number): void => {
            const carried = batches[batch]
            if (carried === undefined) return finish(true)
            meter.direct(
              index,
              carried.map(({ record }) => record),
            )
            // A lost batch breaks the stream: what was received stays, and the end is a failure.
            walk([index, host.index], () => {
              if (isEnded || host.generation() !== generation) return
              for (const { record, ageMs } of carried) {
                host.deliver((at) => ({
                  kind: 'received',
                  at,
                  from: effect.peer,
                  record,
                  ageMs,
                  road: 'catch-up',
                }))
              }
              world.after(BATCH_MS, () => next(batch + 1))
            })
          }
          if (batches.length === 0) walk([index, host.index], () => finish(true))
          else next(0)
        })
      })
    },
    putCatchUp: (from, { digest }, answer) => {
      const ask = nextAsk
      nextAsk += 1
      catchUps.set(ask, answer)
      host.deliver((at) => ({ kind: 'catch-up-asked', at, from: from.setup.id, ask, digest }))
    },
    answerCatchUp: ({ ask, carried, logs }) => {
      const stored = logs.flatMap(({ host: of, after }) => host.disk.entriesAfter(of, after, world.now()))
      catchUps.get(ask)?.([...carried, ...stored])
      catchUps.delete(ask)
    },
    forget: () => {
      probes.clear()
      catchUps.clear()
    },
  }
  asksOf.set(host, asks)
  return asks
}
