/** I14: nothing that was in an outbox is forgotten. */
import type { HostId, IncidentId, NoticeRecord } from '@muster/protocol'
import { type Checker, type Surroundings, watching } from './checker.ts'

/** The order in which transitions are told. */
function rankOf(transition: string): number {
  if (transition === 'resolved') return 3
  if (transition.startsWith('reminder')) return 2
  return transition === 'worse' ? 1 : 0
}

interface Entry {
  readonly host: HostId
  readonly atMs: number
  readonly recipient: string
  readonly transition: string
  readonly ids: readonly IncidentId[]
  /** The host, when it is one of its checks that is told of. */
  readonly checkOf: HostId | null
}

/** How long before the end an entry must have been made to be judged. */
const JUDGED_BEFORE_MS = 60_000

/**
 * I14: each outbox entry ends sent, superseded by a receipt of somebody, or folded into a later notice of the same
 * incident. Judged at the end, when Waku has worked again for a while.
 */
export function checkOutbox({ truth, exercise, report }: Surroundings): Checker {
  const entries: Entry[] = []
  const lostMs = new Map<HostId, number>()
  /** What Waku took, or a receipt confirmed: by incident and recipient, the transitions. */
  const done = new Map<string, Set<string>>()
  /** Other names of an incident: what was told under one of them was told of it. */
  const names = new Map<IncidentId, Set<IncidentId>>()
  /** When a host's own trouble was last told to a recipient. */
  const hostsTold = new Map<string, number>()
  const finish = (ids: readonly IncidentId[], recipient: string, transition: string): void => {
    for (const id of ids) {
      const key = `${id}|${recipient}`
      const transitions = done.get(key) ?? new Set()
      done.set(key, transitions.add(transition))
    }
  }
  // A later notice of the same incident says what an earlier one would have, and any says what a reminder would.
  const isDone = ({ ids, recipient, transition, checkOf, atMs }: Entry): boolean => {
    // What is told of a host covers its checks.
    if (checkOf !== null && (hostsTold.get(`${checkOf}|${recipient}`) ?? 0) >= atMs) return true
    const least = transition.startsWith('reminder') ? 0 : rankOf(transition)
    const isTold = (id: IncidentId): boolean =>
      [...(done.get(`${id}|${recipient}`) ?? [])].some((told) => rankOf(told) >= least)
    return ids.every((id) => [id, ...(names.get(id) ?? [])].some(isTold))
  }
  return watching(['data-lost', 'copy', 'effect', 'ended'], (happening) => {
    const { atMs } = happening
    if (happening.kind === 'data-lost') lostMs.set(happening.host, atMs)
    if (happening.kind === 'copy') {
      const { notice, recipient } = happening
      for (const { id, aliases, host, check } of notice.incidents) {
        finish([id, ...aliases], recipient, notice.transition)
        if (check === '' && notice.transition !== 'resolved') hostsTold.set(`${host}|${recipient}`, atMs)
      }
    } else if (happening.kind === 'effect') {
      const { effect, host } = happening
      if (effect.kind === 'incident') {
        const { id, aliases } = effect.incident
        for (const alias of aliases) names.set(id, (names.get(id) ?? new Set()).add(alias))
      }
      if (effect.kind === 'send-notice') {
        const { notice, recipient } = effect
        exercise('I14')
        entries.push({
          host,
          atMs,
          recipient,
          transition: notice.transition,
          ids: notice.incidents.map(({ id }) => id),
          // Each check's news goes into a notice of its own.
          checkOf: notice.incidents.find(({ check }) => check !== '')?.host ?? null,
        })
      } else if (effect.kind === 'gossip' && effect.record.domain === 'notice') {
        const { step, incidents, recipient, transition }: NoticeRecord = effect.record.body
        if (step === 'accepted' || step === 'stored' || step === 'delivered') finish(incidents, recipient, transition)
      }
    } else if (happening.kind === 'ended') {
      for (const entry of entries) {
        if (entry.atMs > Math.max(truth.healedMs(), atMs - JUDGED_BEFORE_MS) || isDone(entry)) continue
        // A host that died, or left, for good took its outbox along; the others answer for what they knew. So did one
        // whose data was lost.
        if ((lostMs.get(entry.host) ?? Number.NEGATIVE_INFINITY) > entry.atMs) continue
        if (truth.mode(entry.host).at(atMs).mode !== 'running') continue
        report({
          invariant: 'I14',
          atMs: entry.atMs,
          hosts: [entry.host],
          text: `"${entry.transition}" of ${entry.ids.map((id) => id.slice(0, 8)).join(', ')} left the outbox of ${entry.host} and never arrived at Waku`,
        })
      }
    }
  })
}
