/**
 * Checks whose heartbeat holds even while their host sleeps (`heartbeat: always`, as a daily backup).
 *
 * A sleeping host judges nothing, so its peers do. They all hold the same newest result, and wait one catch-up round
 * longer than promised, so that none of them speaks from a log that is behind. The incident has an id
 * of its own, made of the result that was missed: the host may come back without ever having counted it, and its next
 * episode must not be taken for this one.
 */
import type { HostId } from '../ids.ts'
import { openCheckIncidentOf } from '../incidents/check-incidents.ts'
import { keepIncident } from '../incidents/host-incidents.ts'
import { limits } from '../limits.ts'
import { hashOf } from '../wire/canonical.ts'
import type { Result, SignedAs } from '../wire/records.ts'
import { nowOf, put, type Work } from '../work.ts'

/** Notes a result of an entry made `ageMs` ago, when it promises the next one `always`. No wall clock has a say in it. */
export function notePromise(work: Work, { signer, body }: SignedAs<'entry'>, result: Result, ageMs: number): void {
  if (result.heartbeat !== 'always') return
  const { incarnation } = body.life
  const madeAtMs = work.state.clock.elapsedMs - ageMs
  put(work, 'promises', promiseKey(signer, result.check), { madeAtMs, incarnation, seq: body.seq })
}

/** Opens incidents for the overdue checks of hosts that are asleep. */
export function judgeAsleepChecks(work: Work): void {
  for (const member of work.state.members.values()) {
    if (member.state !== 'asleep') continue
    for (const result of work.state.results.get(member.host)?.values() ?? []) judge(work, member.host, result)
  }
}

function judge(work: Work, host: HostId, result: Result): void {
  if (result.heartbeat !== 'always' || result.status !== 'ok') return
  const { clock, options } = work.state
  const promise = work.state.promises.get(promiseKey(host, result.check))
  if (promise === undefined) return
  const { madeAtMs, incarnation, seq } = promise
  if (clock.elapsedMs - madeAtMs <= result.everyMs + result.graceMs + limits.catchUpEveryMs) return
  if (openCheckIncidentOf(work, host, result.check) !== null) return
  const episode = result.episode + 1
  keepIncident(work, {
    id: hashOf(['incident', options.mesh, host, result.check, 'asleep', incarnation, seq]),
    aliases: [],
    host,
    check: result.check,
    fault: 'check',
    severity: 'critical',
    state: 'firing',
    life: null,
    episode,
    openedAtMs: nowOf(work),
    sinceAtMs: nowOf(work),
    resolvedAtMs: null,
    worsenedAtMs: null,
    sinceUnixMs: result.atUnixMs,
    resolvedUnixMs: null,
    voters: [options.self],
    observers: 1,
    because: `no report within ${Math.round((result.everyMs + result.graceMs) / 1_000)} s, and its host is asleep`,
    outages: 0,
  })
}

function promiseKey(host: HostId, check: string): string {
  return `${host}/${check}`
}
