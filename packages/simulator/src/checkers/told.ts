/**
 * I1: a death is told in time.
 *
 * Judged for each death whose surroundings were calm enough for the promise: everybody had just heard everybody, the
 * survivors' group, links and processes stayed as they were, and one of them had a working road to the recipient.
 */
import type { HostId } from '@muster/protocol'
import { type CheckedHost, type Checker, roundMsOf, type Surroundings, watching } from './checker.ts'

/** The rules' own constants: margin of B, holding, and what one take-over costs at most. */
const MARGIN_MS = 2_000
const HOLD_MS = 5_000
const TAKE_OVER_MS = 6_500
const SEND_MS = 3_000
/** What was kept quiet is told soon after the end of a silence or a maintenance, by the clock of whoever tells. */
const QUIET_MARGIN_MS = 30_000
/** After a gap or a start a host judges nobody for P + G and two rounds of catch-up. */
const WAKING_MS = 50_000

interface Death {
  readonly host: HostId
  readonly atMs: number
  /** It had said that it is stopping: then it is missed when the time for that is over. */
  readonly wasStopping: boolean
}

interface Told {
  readonly recipient: string
  readonly host: HostId
  readonly fromMs: number
  toMs: number
}

/** Checks I1. */
export function checkTold({ hosts, truth, exercise, report }: Surroundings): Checker {
  const deaths: Death[] = []
  const told: Told[] = []
  const known = new Map<string, number>()
  const excused: { readonly host: HostId; readonly fromMs: number; readonly toMs: number }[] = []
  const gone = new Set<HostId>()
  /** Hosts that said that they are stopping, and were not started since. */
  const stopping = new Set<HostId>()

  const judge = (death: Death, endMs: number): void => {
    const { host: subject, atMs: diedMs, wasStopping } = death
    const dead = hosts.find(({ id }) => id === subject)
    if (dead === undefined || dead.presence.sleeps) return
    const { everyMs, graceMs, restartMs } = dead.presence
    const patienceMs = wasStopping ? restartMs : everyMs + graceMs
    const round = roundMsOf(dead.presence)
    const survivors = hosts.filter(({ id }) => id !== subject && truth.ranThroughout(id, diedMs - WAKING_MS, diedMs))
    const later = deaths.filter(
      ({ host, atMs }) => host !== subject && atMs > diedMs - patienceMs && atMs < diedMs + 60_000,
    )
    const lastMs = Math.max(diedMs, ...later.map(({ atMs }) => atMs))
    const group = survivors.filter(({ id }) => !later.some(({ host }) => host === id))
    if (group.length === 0) return
    const isPair =
      hosts.filter(({ id }) => id === subject || truth.mode(id).changes(-1, diedMs).length > 0).length === 2
    const observersAlive = group.length
    // One survivor of many hears nobody: it is isolated, and tells of itself one period and two rounds later.
    const isSole = observersAlive === 1 && !isPair
    const detectMs = patienceMs + round + (observersAlive >= 2 ? 0 : everyMs + (isSole ? 2 * round : 0))
    const wakuless = group.filter(({ id }) => !truth.wakuThroughout(id, diedMs - 60_000, lastMs + detectMs + HOLD_MS))
    const takeOvers = (wakuless.length + later.length) * TAKE_OVER_MS
    const untilMs = lastMs + detectMs + MARGIN_MS + HOLD_MS + takeOvers + SEND_MS
    if (untilMs > endMs || !isCalm(subject, group, diedMs, untilMs)) return
    if (!group.some(({ id }) => truth.wakuThroughout(id, diedMs - 60_000, untilMs))) return
    // What was accepted stops every take-over: a road that lies is no working road, and the promise has no bound for it.
    if (!group.every(({ id }) => truth.wakuHonest(id, diedMs, untilMs))) return
    if (excused.some(({ host, fromMs, toMs }) => host === subject && fromMs < untilMs && toMs > diedMs)) return
    for (const [recipient, knownMs] of known) {
      if (knownMs > diedMs - WAKING_MS || !truth.onlineThroughout(recipient, diedMs, untilMs)) continue
      exercise('I1')
      const sole = isSole ? group[0]?.id : undefined
      const isTold = told.some(
        (one) =>
          one.recipient === recipient &&
          (one.host === subject || one.host === sole) &&
          one.fromMs <= untilMs &&
          one.toMs >= Math.min(untilMs, diedMs + everyMs),
      )
      if (isTold) continue
      report({
        invariant: 'I1',
        atMs: untilMs,
        hosts: [subject],
        text: `nobody told of the death of ${subject} at ${diedMs} ms within ${untilMs - diedMs} ms (${group.length} survivors)`,
      })
    }
  }

  /** Nothing else happened that the promise does not speak of. */
  const isCalm = (subject: HostId, group: readonly CheckedHost[], diedMs: number, untilMs: number): boolean => {
    const dead = hosts.find(({ id }) => id === subject)?.presence
    if (dead === undefined) return false
    const beforeMs = diedMs - WAKING_MS
    if (!truth.quietNetwork(beforeMs, untilMs)) return false
    if (!truth.mode(subject).always(diedMs + 1, untilMs, ({ mode }) => mode === 'off')) return false
    if (!truth.mode(subject).always(beforeMs, diedMs - 1, ({ mode }) => mode === 'running')) return false
    for (const { id } of group) {
      if (!truth.ranThroughout(id, beforeMs, untilMs)) return false
      const heard = truth
        .hearings(id, subject)
        .some(({ atMs }) => atMs > diedMs - dead.everyMs - 1_000 && atMs <= diedMs + 200)
      if (!heard) return false
    }
    // Others may die in the window, but nobody may come back, and no link may change.
    for (const { id } of hosts) {
      const changes = truth.mode(id).changes(beforeMs, untilMs)
      if (changes.some(({ value }) => value.cause !== 'power' && value.cause !== 'kill')) return false
    }
    return group.every((a) => hosts.every((b) => a === b || truth.linkedThroughout(a.id, b.id, beforeMs, untilMs)))
  }

  return watching(['mode', 'shown', 'effect', 'announced', 'ended'], (happening) => {
    const { atMs } = happening
    switch (happening.kind) {
      case 'mode':
        if (happening.cause === 'power' || happening.cause === 'kill') {
          deaths.push({ host: happening.host, atMs, wasStopping: stopping.has(happening.host) })
        }
        if (happening.cause === 'start') stopping.delete(happening.host)
        if (happening.cause === 'leave') gone.add(happening.host)
        if (happening.cause === 'start') gone.delete(happening.host)
        return
      case 'shown': {
        if (happening.check !== '') return
        const { recipient, host, shown } = happening
        if (shown === 'fired') told.push({ recipient, host, fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
        if (shown === 'resolved') {
          const open = told.findLast((one) => one.recipient === recipient && one.host === host)
          if (open !== undefined) open.toMs = Math.min(open.toMs, atMs)
        }
        return
      }
      case 'effect': {
        const { effect } = happening
        if (effect.kind === 'send-heartbeat' && effect.heartbeat.body.mode === 'stopping') stopping.add(happening.host)
        if (effect.kind !== 'gossip' || effect.record.domain !== 'record') return
        const { body } = effect.record
        const toMs = 'forMs' in body ? atMs + body.forMs + QUIET_MARGIN_MS : 0
        if (body.kind === 'maintenance') excused.push({ host: body.host, fromMs: atMs, toMs })
        // A silence of one check says nothing of its host.
        const silenced = body.kind === 'silence' ? hosts.filter(({ name }) => name === body.matcher) : []
        for (const { id: host } of silenced) excused.push({ host, fromMs: atMs, toMs })
        return
      }
      case 'announced':
        known.set(happening.recipient, atMs)
        return
      case 'ended':
        for (const death of deaths) if (!gone.has(death.host)) judge(death, atMs)
        return
      default:
        return
    }
  })
}
