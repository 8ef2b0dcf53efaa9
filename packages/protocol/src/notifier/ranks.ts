/** Whose turn it is to tell: an order that peers with the same view compute alike. An optimisation, never a lock. */
import type { HostId } from '../ids.ts'
import { PRESENCE } from '../ids.ts'
import type { Incident } from '../incidents/incident.ts'
import { turns } from '../limits.ts'
import { isMineToWatch } from '../membership/observers.ts'
import { deadlineMs } from '../membership/presence-class.ts'
import { counts } from '../membership/roster.ts'
import type { State } from '../state.ts'
import { rendezvousScores } from '../wire/names.ts'

/**
 * Who may tell of an incident, first rank first. All host incidents share one order, so that a rack's loss has one
 * notifier; each check's incident has its own. Working Waku goes first, sleepers go last.
 */
export function ranksFor(state: State, incident: Pick<Incident, 'id' | 'host' | 'check' | 'fault'>): readonly HostId[] {
  const { self, mesh, presence } = state.options
  const now = state.clock.awakeMs
  const ranks: { host: HostId; waku: boolean; sleeps: boolean; score: string }[] = []
  const key = incident.check === PRESENCE ? '' : incident.id
  const score = rendezvousScores('notifier', mesh, key)
  if (incident.host !== self || incident.fault === 'isolated' || incident.fault === 'check') {
    const waku = state.lastWakuAtMs !== null && now - state.lastWakuAtMs <= turns.wakuFreshMs
    ranks.push({ host: self, waku, sleeps: presence.sleeps, score: score(self) })
  }
  for (const member of state.members.values()) {
    if (!counts(member) || (member.host === incident.host && incident.check === PRESENCE)) continue
    if (state.isolated && now - member.frameAtMs > deadlineMs(state, member)) continue
    const beat = member.heartbeat?.body
    // Of a host that others watch nothing is known here: that is not to say that its Waku does not work.
    const waku = isMineToWatch(state, member)
      ? beat !== undefined && beat.wakuAgeMs !== null && beat.wakuAgeMs + (now - member.heardAtMs) <= turns.wakuFreshMs
      : true
    ranks.push({ host: member.host, waku, sleeps: beat?.sleeps ?? false, score: score(member.host) })
  }
  ranks.sort(
    (a, b) => Number(b.waku) - Number(a.waku) || Number(a.sleeps) - Number(b.sleeps) || (a.score > b.score ? -1 : 1),
  )
  return ranks.map(({ host }) => host)
}
