/** The shell's duties of a virtual host: what each effect means in this world. */
import { type AnySigned, type Carried, type Effect, type HostId, isNoNews, limits } from '@muster/protocol'
import { createAsks } from './asks.ts'
import type { VirtualHost } from './host.ts'
import { createOutbox } from './outbox.ts'
import type { World } from './world.ts'

/** Performs effects, each completely before the next. */
export interface Duties {
  readonly perform: (effect: Effect) => void
  /** The process is gone, with whatever it had under way. */
  readonly forget: () => void
}

/** Makes the duties of one host. */
export function createDuties(world: World, host: VirtualHost): Duties {
  const { network, meter } = world
  const outbox = createOutbox(world, host)
  const asks = createAsks(world, host)

  const send = (to: HostId, carried: readonly Carried[]): void => {
    const index = world.indexOf(to)
    const peer = world.hosts[index]
    if (peer === undefined || carried.length === 0 || index === host.index) return
    meter.direct(
      host.index,
      carried.map(({ record }) => record),
    )
    if (!network.isOpen(host.index, index) || !network.isUp(host.index, index)) return
    for (const atMs of network.arrivals(host.index, index, world.now())) {
      const generation = peer.generation()
      world.after(atMs - world.now(), () => {
        // What is sent to a sleeping machine is lost: nobody acknowledges it.
        if (peer.generation() !== generation || peer.mode() === 'suspended') return
        if (!network.isUp(host.index, index)) return
        for (const { record, ageMs } of carried) {
          peer.deliver((at) => ({ kind: 'received', at, from: host.setup.id, record, ageMs, road: 'direct' }))
        }
      })
    }
  }

  const gossip = (record: AnySigned): void => {
    const passesOn = (index: number, from: number): boolean => {
      const peer = world.hosts[index]
      const view = peer?.view() ?? null
      if (peer?.mode() !== 'running' || view === null) return false
      const isFlooded = world.hosts.length <= limits.floodedHosts && from === host.index
      return !(isFlooded && isNoNews(view, host.setup.id, record))
    }
    const heard = network.flood(host.index, world.now(), passesOn)
    if (record.domain === 'entry' && !heard.some((one) => passesOn(one.host, one.from))) {
      meter.flood(host.index, heard.length, record)
    } else {
      meter.gossip(
        host.index,
        heard.map((one) => one.host),
        record,
      )
    }
    for (const { host: index, from, atMs } of heard) {
      const peer = world.hosts[index]
      const sender = world.hosts[from]?.setup.id
      if (peer === undefined || sender === undefined) continue
      const generation = peer.generation()
      world.after(atMs - world.now(), () => {
        if (peer.generation() !== generation || peer.mode() === 'suspended') return
        if (!network.isUp(from, index)) return
        peer.deliver((at) => ({ kind: 'received', at, from: sender, record, ageMs: 0, road: 'gossip' }))
      })
    }
  }

  const perform = (effect: Effect): void => {
    switch (effect.kind) {
      case 'keep-life':
        return host.disk.keepLife(effect.life)
      case 'keep-entry':
        return host.disk.keepEntry(effect.entry, effect.head, effect.sync, world.now() - effect.ageMs)
      case 'keep-record':
        return host.disk.keepRecord(effect.id, effect.record, world.now())
      case 'drop-record':
        return host.disk.dropRecord(effect.id)
      case 'keep-check-time':
        return host.disk.keepCheckTime(effect.check, effect.spentMs)
      case 'gossip':
        return gossip(effect.record)
      case 'send-heartbeat': {
        const carried = [{ record: effect.heartbeat, ageMs: 0 }, ...effect.riders]
        for (const to of effect.to) send(to, carried)
        return
      }
      case 'send':
        return send(effect.to, effect.carried)
      case 'probe':
        return asks.probe(effect)
      case 'answer-probe':
        return asks.answerProbe(effect)
      case 'catch-up':
        return asks.catchUp(effect)
      case 'answer-catch-up':
        return asks.answerCatchUp(effect)
      case 'send-notice':
        return outbox.send(effect)
      case 'depart':
        return outbox.depart(effect.attempt)
      case 'abandon':
        return outbox.abandon(effect.attempt)
      case 'incident':
        return host.disk.keepIncident(effect.incident)
      case 'concluded':
      case 'report':
        return
    }
  }

  return {
    perform,
    forget: () => {
      outbox.forget()
      asks.forget()
    },
  }
}
