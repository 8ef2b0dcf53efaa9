/**
 * The heartbeat bar: what this agent saw of each host, one mark per 20 s. Kept in memory, so it starts with the agent:
 * what was not seen has no mark.
 */
import type { HostId, State } from '@muster/protocol'
import { viewHosts } from './host-views.ts'
import { MARK_MS, MARKS_MAX } from './limits.ts'
import type { HostView, Mark } from './shapes.ts'

/** Marks by host. */
export interface PresenceMarks {
  /** Looks at the mesh once. Call it often; what was worst within 20 s becomes the mark. */
  sample(state: State, monotonicMs: number): void
  /** Oldest first, the running one last; at most 40. */
  of(host: HostId): readonly Mark[]
}

/** From best to worst: what stays when several were seen within one mark. */
const ORDER: readonly Mark[] = ['o', 'z', '?', 'w', 'c', '_']

/** The mark of a host at one moment. */
export function markOf(host: Pick<HostView, 'state' | 'ageMs' | 'checks' | 'stopping'>): Mark {
  switch (host.state) {
    case 'silent':
      return '_'
    case 'asleep':
      return 'z'
    case 'left':
    case 'revoked':
      return '?'
    case 'suspect':
      return 'w'
    case 'alive':
      break
    default:
      return host.state satisfies never
  }
  if (host.ageMs === null) return '?'
  if (host.checks.some(({ status }) => status === 'critical' || status === 'late')) return 'c'
  if (host.stopping || host.checks.some(({ status }) => status === 'warning')) return 'w'
  return 'o'
}

/** An empty memory. */
export function createPresenceMarks(): PresenceMarks {
  const bars = new Map<HostId, { slot: number; marks: Mark[] }>()

  function note(host: HostView, slot: number): void {
    const mark = markOf(host)
    const bar = bars.get(host.id)
    if (bar === undefined) {
      bars.set(host.id, { slot, marks: [mark] })
      return
    }
    const last = bar.marks.at(-1) ?? mark
    // Slots in which nobody looked (this host was asleep) stay unknown.
    const unseen = Math.min(MARKS_MAX, Math.max(0, slot - bar.slot - 1))
    if (slot === bar.slot) {
      if (ORDER.indexOf(mark) > ORDER.indexOf(last)) bar.marks[bar.marks.length - 1] = mark
    } else bar.marks.push(...Array<Mark>(unseen).fill('?'), mark)
    bar.slot = slot
    bar.marks = bar.marks.slice(-MARKS_MAX)
  }

  return {
    sample(state, monotonicMs) {
      const slot = Math.floor(monotonicMs / MARK_MS)
      const hosts = viewHosts(state)
      for (const host of hosts) note(host, slot)
      const known = new Set(hosts.map(({ id }) => id))
      for (const id of bars.keys()) if (!known.has(id)) bars.delete(id)
    },
    of: (host) => bars.get(host)?.marks ?? [],
  }
}
