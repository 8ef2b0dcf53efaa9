/**
 * I4: how many copies of a notice may exist.
 *
 * One host tells; every further sender needs an excuse that the truth confirms: it was on another side, somebody
 * crashed, slept or left for good on the way, the earlier claim was late, lost or had crossed, had lapsed without a receipt
 * in time, was given back, or the two ranked by different views of whose Waku works.
 */
import type { HostId, IncidentId, NoticeRecord, SignedAs, Transition } from '@muster/protocol'
import { type Checker, type Surroundings, watching } from './checker.ts'

/** How long a claim counts without a receipt, and how long one rank waits for the one before. */
const CLAIM_MS = 5_000
/** Nothing is told again sooner than this after it was accepted. */
const RESEND_MS = 10_000
/** Sends of one host for one duty: the first and at most three resends. */
const RESENDS_MAX = 3

interface Sent {
  readonly host: HostId
  readonly atMs: number
}

interface Claimed {
  readonly host: HostId
  readonly atMs: number
  /** When each other host heard of the claim, of its receipt, and that it was given back. */
  readonly heardMs: Map<HostId, number>
  readonly answeredMs: Map<HostId, number>
  readonly releasedMs: Map<HostId, number>
}

interface Duty {
  readonly sent: Sent[]
  readonly claims: Claimed[]
  /** When each host first knew that the notice was stored or delivered. */
  readonly closedMs: Map<HostId, number>
}

function keyOf(incident: IncidentId, transition: Transition, recipient: string): string {
  return `${incident}|${transition}|${recipient}`
}

/** Checks I4. */
export function checkCopies({ truth, exercise, report }: Surroundings): Checker {
  const duties = new Map<string, Duty>()
  const byLine = new WeakMap<NoticeRecord, readonly Duty[]>()
  /** When a host heard that another leaves for good: who inherits its duties need not wait for it. By `of<by`. */
  const goodbyesMs = new Map<string, number>()
  const dutyOf = (key: string): Duty => {
    const duty = duties.get(key) ?? { sent: [], claims: [], closedMs: new Map() }
    duties.set(key, duty)
    return duty
  }

  /** The duties of a line of the notice log: the same line comes to every host, mostly on several roads. */
  const dutiesOf = ({ body }: SignedAs<'notice'>): readonly Duty[] => {
    const known = byLine.get(body)
    if (known !== undefined) return known
    const { incidents, transition, recipient } = body
    const found = incidents.map((incident) => dutyOf(keyOf(incident, transition, recipient)))
    byLine.set(body, found)
    return found
  }

  const learn = (host: HostId, atMs: number, record: SignedAs<'notice'>, isIssued: boolean): void => {
    const { step } = record.body
    for (const duty of dutiesOf(record)) {
      // Its own claim may come back to a host by catch-up: that is no new one.
      if (step === 'claim' && record.signer === host) {
        if (isIssued) duty.claims.push({ host, atMs, heardMs: new Map(), answeredMs: new Map(), releasedMs: new Map() })
        continue
      }
      const isClosing = step === 'stored' || step === 'delivered'
      if (isClosing && !duty.closedMs.has(host)) duty.closedMs.set(host, atMs)
      for (const claim of duty.claims) {
        if (claim.host !== record.signer && step !== 'delivered') continue
        const known = step === 'claim' ? claim.heardMs : step === 'release' ? claim.releasedMs : claim.answeredMs
        if (!known.has(host)) known.set(host, atMs)
      }
    }
  }

  /** Why `later` was right to send although `earlier` had, or null. */
  const excuseOf = (duty: Duty, earlier: Sent, later: Sent): string | null => {
    if (!truth.groupOf(earlier.host, earlier.atMs).has(later.host)) return 'side'
    if (!truth.groupOf(later.host, later.atMs).has(earlier.host)) return 'side'
    const claimOf = (sent: Sent): Claimed | undefined =>
      duty.claims.findLast(({ host, atMs }) => host === sent.host && atMs <= sent.atMs)
    const claims = [claimOf(earlier), claimOf(later)].flatMap((claim) => claim ?? [])
    const fromMs = Math.min(earlier.atMs, ...claims.map(({ atMs }) => atMs)) - CLAIM_MS
    if (truth.crashes(fromMs, later.atMs) > 0) return 'crash'
    if (truth.gaps(fromMs, later.atMs) > 0) return 'gap'
    const leftMs = goodbyesMs.get(`${earlier.host}<${later.host}`) ?? Number.NEGATIVE_INFINITY
    if (leftMs >= earlier.atMs && leftMs <= later.atMs) return 'left'
    // The order of the claims counts: a slow road may hand over the first one last.
    const [first, second] = claims.toSorted((left, right) => left.atMs - right.atMs)
    if (first === undefined || second === undefined) return null
    const heardMs = first.heardMs.get(second.host)
    if (heardMs === undefined || heardMs >= second.atMs) return 'late, lost or crossed'
    // A slow road may have taken what its host gave up.
    if ((first.releasedMs.get(second.host) ?? Number.POSITIVE_INFINITY) <= second.atMs) return 'given back'
    const answeredMs = first.answeredMs.get(second.host)
    if (answeredMs === undefined || answeredMs > second.atMs) {
      return second.atMs - heardMs >= CLAIM_MS ? 'lapsed' : null
    }
    // Taken but never stored or delivered, as far as the second one knows: told again, not for ever.
    const closedMs = duty.closedMs.get(second.host)
    const isOpen = closedMs === undefined || closedMs > second.atMs
    // Each side of a cut counts what it knows of.
    const known = duty.sent.filter(
      (sent) =>
        sent.host === second.host || (claimOf(sent)?.heardMs.get(second.host) ?? second.atMs + 1) <= second.atMs,
    )
    return isOpen && second.atMs - answeredMs >= RESEND_MS && known.length <= RESENDS_MAX ? 'resend' : null
  }

  return watching(['effect', 'arrived', 'copy'], (happening) => {
    if (happening.kind === 'effect') {
      const { effect, host, atMs } = happening
      if (effect.kind === 'gossip' && effect.record.domain === 'notice') learn(host, atMs, effect.record, true)
      return
    }
    if (happening.kind === 'arrived') {
      const { record, host, atMs } = happening
      if (record.domain === 'notice') learn(host, atMs, record, false)
      if (record.domain === 'record' && record.body.kind === 'leave') goodbyesMs.set(`${record.signer}<${host}`, atMs)
      return
    }
    if (happening.kind !== 'copy') return
    const { notice, recipient, host, atMs } = happening
    for (const { id } of notice.incidents) {
      const duty = dutyOf(keyOf(id, notice.transition, recipient))
      exercise('I4')
      const own = duty.sent.filter((sent) => sent.host === host)
      if (own.length > RESENDS_MAX && truth.crashes(own[0]?.atMs ?? atMs, atMs) === 0) {
        report({
          invariant: 'I4',
          atMs,
          hosts: [host],
          text: `${host} sends "${notice.transition}" ${own.length + 1} times`,
        })
      }
      if (own.length === 0) {
        for (const earlier of duty.sent) {
          if (excuseOf(duty, earlier, { host, atMs }) !== null) continue
          report({
            invariant: 'I4',
            atMs,
            hosts: [host, earlier.host],
            text: `${host} sends "${notice.transition}" of ${id.slice(0, 8)} which ${earlier.host} sent ${atMs - earlier.atMs} ms before, without need`,
          })
          break
        }
      }
      duty.sent.push({ host, atMs })
    }
  })
}
