/**
 * I2, I5 and I6: who may be accused, by whom, and when.
 */
import type { HostId, Life } from '@muster/protocol'
import { type Checker, lifeText, type Surroundings, watching } from './checker.ts'

/** I2 is asserted with these margins: evidence needs that long to reach whoever doubts. */
const LINKED_FOR_MS = 3_000
const HEARD_BEFORE_MS = 1_000
/** A link that was slow so lately may still have something under way. */
const SLOW_WITHIN_MS = 10_000
/** A silence of the shell longer than this is a gap. */
const OWN_GAP_MS = 3_000
/** A host may take this long to notice that it hears nobody. */
const ISOLATION_MARGIN_MS = 1_000

/** I2: no verdict on a host that somebody within reach has just heard. */
export function checkFalseVerdicts({ hosts, truth, exercise, report }: Surroundings): Checker {
  const presences = new Map(hosts.map(({ id, presence }) => [id, presence]))
  // What is no newer than the evidence of the verdict says nothing against it: of one heartbeat the last to get it may still
  // be within its deadline while the first no longer is.
  const heardBy = (by: HostId, of: HostId, life: Life, beat: number, fromMs: number, toMs: number): boolean =>
    truth
      .hearings(by, of)
      .some(
        (hearing) =>
          hearing.heardMs >= fromMs &&
          hearing.atMs <= toMs &&
          (hearing.life.incarnation > life.incarnation ||
            (hearing.life.incarnation === life.incarnation && hearing.beat > beat)),
      )
  return watching(['effect'], (happening) => {
    if (happening.kind !== 'effect' || happening.effect.kind !== 'concluded') return
    const { atMs, host } = happening
    const { subject, life, beat, how } = happening.effect
    const presence = presences.get(subject)
    if (presence === undefined) return
    exercise('I2')
    for (const { id: witness } of hosts) {
      if (witness === subject || !truth.ranThroughout(witness, atMs - LINKED_FOR_MS, atMs)) continue
      if (!truth.ranThroughout(subject, atMs - LINKED_FOR_MS, atMs)) continue
      if (!truth.linkedThroughout(witness, subject, atMs - LINKED_FOR_MS, atMs)) continue
      if (witness !== host && !truth.linkedThroughout(witness, host, atMs - LINKED_FOR_MS, atMs)) continue
      // On a slow link the doubt and the answer to it each need that much longer.
      const slowMs = witness === host ? 0 : 2 * truth.slownessMs(witness, host, atMs - SLOW_WITHIN_MS, atMs)
      const fromMs = atMs - presence.everyMs - presence.graceMs
      if (!heardBy(witness, subject, life, beat, fromMs, atMs - HEARD_BEFORE_MS - slowMs)) continue
      report({
        invariant: 'I2',
        atMs,
        hosts: [host, subject, witness],
        text: `${host} concludes (${how}) that ${subject} of life ${lifeText(life)} is gone, but ${witness} hears it`,
      })
      return
    }
  })
}

/** I5: no vote or verdict while isolated or quiet, by the core's own word and by the truth. */
export function checkQuietJudges({ hosts, truth, exercise, report }: Surroundings): Checker {
  const presences = new Map(hosts.map(({ id, presence }) => [id, presence]))
  /** When anything from another member last reached a host. */
  const reachedMs = new Map<HostId, number>()
  const patienceMs = Math.max(...hosts.map(({ presence }) => presence.everyMs + presence.graceMs))
  return watching(['arrived', 'frame', 'heard', 'effect'], (happening) => {
    if (happening.kind === 'arrived' && happening.from !== happening.host) reachedMs.set(happening.host, happening.atMs)
    if (happening.kind === 'frame') reachedMs.set(happening.host, happening.atMs)
    if (happening.kind === 'heard') reachedMs.set(happening.by, happening.atMs)
    if (happening.kind !== 'effect') return
    const { effect, host, atMs, before } = happening
    const isVote = effect.kind === 'gossip' && effect.record.domain === 'vote'
    const isVerdict = effect.kind === 'concluded'
    if (!isVote && !isVerdict) return
    exercise('I5')
    const what = isVote ? 'votes' : 'concludes'
    const fail = (text: string): void =>
      report({ invariant: 'I5', atMs, hosts: [host], text: `${host} ${what} ${text}` })
    if (before.isolated) return fail('while it is isolated')
    // In a mesh of two, by its own count, one that hears nobody may speak of the other.
    const present = [...before.members.values()].filter(
      ({ state, heartbeat }) => (state === 'alive' || state === 'suspect') && heartbeat?.body.mode !== 'stopping',
    ).length
    // Deadlines count on the awake clock: a short stall is no gap, but does not count either.
    const unreachedMs = truth.ranMs(host, reachedMs.get(host) ?? atMs, atMs)
    if (present > 1 && unreachedMs > patienceMs + ISOLATION_MARGIN_MS) {
      return fail(`although nothing has reached it for ${unreachedMs} ms`)
    }
    const isOwn = effect.kind !== 'concluded' || effect.how !== 'adopted'
    if (before.quiet !== null && isOwn) return fail('before it may judge')
    const presence = presences.get(host)
    if (presence === undefined || !isOwn) return
    const resumedMs = lastWakingMs(host, atMs)
    if (resumedMs !== null && atMs < resumedMs + presence.everyMs + presence.graceMs) {
      fail(`${atMs - resumedMs} ms after a gap`)
    }
  })

  /** When the host last went on after a gap that counts. */
  function lastWakingMs(host: HostId, beforeMs: number): number | null {
    let stoppedMs: number | null = null
    let wakingMs: number | null = null
    for (const { atMs, value } of truth.mode(host).changes(Number.NEGATIVE_INFINITY, beforeMs)) {
      if (value.mode === 'frozen' || value.mode === 'suspended') stoppedMs = atMs
      else if (value.cause === 'resume' && stoppedMs !== null && atMs - stoppedMs > OWN_GAP_MS + 300) wakingMs = atMs
      else wakingMs = null
    }
    return wakingMs
  }
}

/** I6: nobody concludes that it is itself gone. */
export function checkSelfJudgement({ exercise, report }: Surroundings): Checker {
  return watching(['effect'], (happening) => {
    if (happening.kind !== 'effect') return
    const { effect, host, atMs } = happening
    const subject =
      effect.kind === 'concluded'
        ? effect.subject
        : effect.kind === 'gossip' && (effect.record.domain === 'verdict' || effect.record.domain === 'vote')
          ? effect.record.body.subject
          : null
    if (subject === null) return
    exercise('I6')
    const isOwn = effect.kind === 'concluded' || (effect.kind === 'gossip' && effect.record.signer === host)
    if (isOwn && subject === host) {
      report({ invariant: 'I6', atMs, hosts: [host], text: `${host} judges its own presence` })
    }
  })
}
