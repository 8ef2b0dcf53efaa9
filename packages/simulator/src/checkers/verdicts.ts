/**
 * Counts verdicts, and the false ones among them. I2 says what must never happen and leaves what was lost out of account;
 * this is what a person means: the host was there, and whoever judged it could have known.
 */
import type { HostId } from '@muster/protocol'
import { type CheckedHost, type Checker, watching } from './checker.ts'
import type { Truth } from './truth.ts'

/** How many verdicts hosts have come to, adopted ones included. */
export interface Verdicts {
  all: number
  /** Those on hosts that ran, and that the judging one could reach, for all of the time that their silence took. */
  false: number
}

/** Counts into `verdicts`. */
export function countVerdicts(hosts: readonly CheckedHost[], truth: Truth, verdicts: Verdicts): Checker {
  return watching(['effect'], ({ atMs, host, effect }) => {
    if (effect.kind !== 'concluded') return
    verdicts.all += 1
    const presence = hosts.find(({ id }) => id === effect.subject)?.presence
    if (presence === undefined) return
    const fromMs = atMs - presence.everyMs - presence.graceMs
    if (!truth.ranThroughout(effect.subject, fromMs, atMs)) return
    if (isWithinReach(host, effect.subject, fromMs, atMs)) verdicts.false += 1
  })

  /** Straight, or over one other host that ran as well. */
  function isWithinReach(judge: HostId, subject: HostId, fromMs: number, toMs: number): boolean {
    if (truth.linkedThroughout(judge, subject, fromMs, toMs)) return true
    return hosts.some(
      ({ id: relay }) =>
        relay !== judge &&
        relay !== subject &&
        truth.ranThroughout(relay, fromMs, toMs) &&
        truth.linkedThroughout(judge, relay, fromMs, toMs) &&
        truth.linkedThroughout(relay, subject, fromMs, toMs),
    )
  }
}
