/**
 * Entries that were written blindly: by a host whose data was lost or restored, in an incarnation that it had used
 * before and that nobody has shown it since. It cannot know that their positions are taken, so they may fork its log.
 */
import type { AnySigned, HostId, SignedAs } from '@muster/protocol'
import { type Checker, watching } from './checker.ts'

/** Knows which places of logs were written blindly. */
export interface Blind {
  readonly listener: Checker
  readonly wrote: (host: HostId, incarnation: number, seq: number) => boolean
  /**
   * Before when a host may lack entries of its own: it lost them, and wrote on when it had regained what those had whom
   * it could ask. Minus infinity when it lacks none.
   */
  readonly lacksBeforeMs: (host: HostId) => number
}

/** A host that has lost data. */
interface Loss {
  /** The highest incarnation that it had used. */
  readonly used: number
  /** The highest one of an earlier start that it has been shown since. */
  shown: number
  /** What it has said in its present start. */
  incarnation: number
  beat: number
}

/** Knows of none yet. */
export function createBlind(): Blind {
  const used = new Map<HostId, number>()
  const losses = new Map<HostId, Loss>()
  const places = new Set<string>()
  /** When hosts lost their data that have written nothing since. */
  const bare = new Map<HostId, number>()
  const lacking = new Map<HostId, number>()
  /** Places written since the loss: an echo of them is no sign of an earlier start. */
  const fresh = new Set<string>()
  const placeOf = (host: HostId, incarnation: number, seq: number): string => `${host}|${incarnation}.${seq}`

  /** The incarnation of an earlier start that a record shows its receiver, or zero. */
  const shownBy = (host: HostId, record: AnySigned, { incarnation, beat }: Loss): number => {
    if (record.domain === 'entry' && record.signer === host) {
      const { life, seq } = record.body
      return fresh.has(placeOf(host, life.incarnation, seq)) ? 0 : life.incarnation
    }
    const ofBeat = ({ body }: SignedAs<'heartbeat'>): number =>
      body.life.incarnation > incarnation || (body.life.incarnation === incarnation && body.beat > beat)
        ? body.life.incarnation
        : 0
    if (record.domain === 'heartbeat') return record.signer === host ? ofBeat(record) : 0
    if (record.domain !== 'vote' && record.domain !== 'verdict') return 0
    const { subject, evidence } = record.body
    return subject === host && evidence !== null ? ofBeat(evidence as SignedAs<'heartbeat'>) : 0
  }

  const noteEntry = (
    host: HostId,
    { entry, head, sync }: { entry: SignedAs<'entry'>; head: { incarnation: number; seq: number }; sync: boolean },
  ): void => {
    if (entry.signer !== host || !sync) return
    const lostMs = bare.get(host)
    bare.delete(host)
    if (lostMs !== undefined) lacking.set(host, lostMs)
    const loss = losses.get(host)
    if (loss === undefined) return
    const place = placeOf(host, head.incarnation, head.seq)
    fresh.add(place)
    if (head.incarnation > loss.shown && head.incarnation <= loss.used) places.add(place)
  }

  return {
    listener: watching(['data-lost', 'arrived', 'effect'], (happening) => {
      if (happening.kind === 'data-lost') {
        const { host, atMs } = happening
        losses.set(host, { used: used.get(host) ?? 0, shown: 0, incarnation: Number.POSITIVE_INFINITY, beat: 0 })
        bare.set(host, atMs)
      } else if (happening.kind === 'arrived') {
        const loss = losses.get(happening.host)
        if (loss !== undefined) loss.shown = Math.max(loss.shown, shownBy(happening.host, happening.record, loss))
      } else if (happening.kind === 'effect') {
        const { host, effect, before } = happening
        const loss = losses.get(host)
        used.set(host, Math.max(used.get(host) ?? 0, before.life.incarnation))
        if (loss !== undefined) {
          loss.incarnation = before.life.incarnation
          if (effect.kind === 'send-heartbeat' || effect.kind === 'answer-probe') loss.beat = effect.heartbeat.body.beat
        }
        if (effect.kind === 'keep-entry') noteEntry(host, effect)
      }
    }),
    wrote: (host, incarnation, seq) => places.size > 0 && places.has(placeOf(host, incarnation, seq)),
    lacksBeforeMs: (host) => lacking.get(host) ?? Number.NEGATIVE_INFINITY,
  }
}
