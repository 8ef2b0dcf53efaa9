/**
 * Entries that were written blindly: by a host whose data was lost or restored, before anybody showed it what it had
 * said before. It cannot know that their positions are taken, so they may fork its log; from the first sign of a start
 * of its own that it does not remember, it may not.
 */
import type { AnySigned, HostId, SignedAs } from '@muster/protocol'
import type { Happening } from '../happening.ts'

/** Knows which places of logs were written blindly. */
export interface Blind {
  readonly see: (happening: Happening) => void
  readonly wrote: (host: HostId, incarnation: number, seq: number) => boolean
  /**
   * Before when a host may lack entries of its own: it lost them, and had to write on before anybody gave them back.
   * Minus infinity when it lacks none.
   */
  readonly lacksBeforeMs: (host: HostId) => number
}

/** What a blind host has said in the start that it remembers. */
interface Said {
  incarnation: number
  beat: number
}

/** Knows of none yet. */
export function createBlind(): Blind {
  const blind = new Map<HostId, Said>()
  const places = new Set<string>()
  /** When hosts lost their data that have neither regained nor written anything since. */
  const bare = new Map<HostId, number>()
  const lacking = new Map<HostId, number>()
  const placeOf = (host: HostId, incarnation: number, seq: number): string => `${host}|${incarnation}.${seq}`

  /** Whether a record shows its receiver something that it must have signed in another start. */
  const isSign = (host: HostId, record: AnySigned, { incarnation, beat }: Said): boolean => {
    if (record.domain === 'entry' && record.signer === host) {
      const { life, seq } = record.body
      if (life.incarnation === incarnation) return !places.has(placeOf(host, incarnation, seq))
      return life.incarnation > incarnation
    }
    const beatOf = (heartbeat: SignedAs<'heartbeat'>): boolean => {
      const { life } = heartbeat.body
      return life.incarnation > incarnation || (life.incarnation === incarnation && heartbeat.body.beat > beat)
    }
    if (record.domain === 'heartbeat') return record.signer === host && beatOf(record)
    if (record.domain !== 'vote' && record.domain !== 'verdict') return false
    const { subject, evidence } = record.body
    return subject === host && evidence !== null && beatOf(evidence as SignedAs<'heartbeat'>)
  }

  const noteWritten = (happening: Happening): void => {
    if (happening.kind !== 'effect' || happening.effect.kind !== 'keep-entry') return
    const { host, effect } = happening
    const lostMs = bare.get(host)
    if (lostMs === undefined || effect.kind !== 'keep-entry' || effect.entry.signer !== host) return
    bare.delete(host)
    if (effect.sync) lacking.set(host, lostMs)
  }

  return {
    see: (happening) => {
      if (happening.kind === 'data-lost') {
        blind.set(happening.host, { incarnation: Number.POSITIVE_INFINITY, beat: 0 })
        bare.set(happening.host, happening.atMs)
      }
      if (bare.size > 0) noteWritten(happening)
      if (blind.size === 0) return
      if (happening.kind === 'arrived') {
        const said = blind.get(happening.host)
        if (said !== undefined && isSign(happening.host, happening.record, said)) blind.delete(happening.host)
      }
      if (happening.kind !== 'effect') return
      const { host, effect, before } = happening
      const said = blind.get(host)
      if (said === undefined) return
      said.incarnation = before.life.incarnation
      if (effect.kind === 'send-heartbeat' || effect.kind === 'answer-probe') said.beat = effect.heartbeat.body.beat
      if (effect.kind !== 'keep-entry' || !effect.sync || effect.entry.signer !== host) return
      places.add(placeOf(host, effect.head.incarnation, effect.head.seq))
    },
    wrote: (host, incarnation, seq) => places.has(placeOf(host, incarnation, seq)),
    lacksBeforeMs: (host) => lacking.get(host) ?? Number.NEGATIVE_INFINITY,
  }
}
