/**
 * Waku, as each host meets it: a road that takes a notice, refuses it, says nothing, or takes it and loses it.
 *
 * What was taken and not lost waits in the store for a recipient that is offline.
 */
import type { Prng } from '../prng.ts'

/** How a host's Waku misbehaves: `down` answers nothing, `refusing` says no at once, `slow` is late, `losing` lies. */
export type WakuTrouble = 'down' | 'refusing' | 'slow' | 'losing'

/** What becomes of one handing over. */
export interface Handing {
  /** Null when no answer ever comes. */
  readonly outcome: 'accepted' | 'refused' | null
  readonly answerMs: number
  /** When it is in the store, after the answer; null when it is lost. */
  readonly storedMs: number | null
}

/** The Waku roads of all hosts. Hosts are numbers from 0. */
export interface Waku {
  /** Puts one more trouble on a host's road, or takes one away. */
  readonly trouble: (host: number, kind: WakuTrouble, by: 1 | -1) => void
  /** Takes notices in time and keeps them. */
  readonly works: (host: number) => boolean
  /** Takes notices and loses some. */
  readonly lies: (host: number) => boolean
  /** Answers at all: heard replies of recipients come this way too. */
  readonly answers: (host: number) => boolean
  readonly hand: (host: number) => Handing
}

/** Makes roads that all work. */
export function createWaku(size: number, chance: Prng): Waku {
  const troubles = Array.from({ length: size }, () => ({ down: 0, refusing: 0, slow: 0, losing: 0 }))
  const of = (host: number) => {
    const found = troubles[host]
    if (found === undefined) throw new Error(`no host ${host}`)
    return found
  }
  const works = (host: number): boolean => Object.values(of(host)).every((count) => count === 0)
  return {
    trouble: (host, kind, by) => {
      of(host)[kind] += by
    },
    works,
    lies: (host) => of(host).losing > 0,
    answers: (host) => of(host).down === 0,
    hand: (host) => {
      const road = of(host)
      const slowMs = road.slow > 0 ? chance.int(500, 6_000) : 0
      const answerMs = chance.int(10, 120) + slowMs
      const storeMs = chance.int(20, 400)
      const luck = chance.next()
      if (road.down > 0) return { outcome: null, answerMs, storedMs: null }
      if (road.refusing > 0) return { outcome: 'refused', answerMs, storedMs: null }
      return { outcome: 'accepted', answerMs, storedMs: road.losing > 0 && luck < 0.7 ? null : storeMs }
    },
  }
}
