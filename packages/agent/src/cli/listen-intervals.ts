/**
 * What a receiver shows of the notices that reach it.
 *
 * The same news comes more than once, in any order: two sides of a partition tell, a sender repeats itself, a store gives
 * back what was pushed. The receiver keeps one open interval for each host and check. What is shown of an interval is
 * `resolved` alone, or `fired`, then `worse` and reminders, each once, then at most one `resolved`:
 *
 * - a `fired` inside an open interval is an update and not shown again;
 * - a `fired` whose end is known already is not shown;
 * - a `resolved` alone is shown: it says everything by itself;
 * - a reminder of an interval that never opened opens it.
 *
 * Incidents are known by their ids and aliases, never by when they arrived. One thing looks at shown times: a `fired` of
 * an unknown id inside an open interval is another outage when its host was last heard well after the first one began;
 * otherwise an end that was never told would hide every later alarm.
 */
import type { HostId, IncidentId, Notice, ToldIncident } from '@muster/protocol'

/** Open intervals that are kept: hosts and checks of the largest mesh in trouble at once. The oldest goes first. */
const OPEN_MAX = 2_000
/** Ids of ended incidents that are kept. The oldest goes first. */
const CLOSED_MAX = 4_096
/** Incidents of one interval that wait for the end of the one before. */
const HELD_MAX = 4
/** Two peers may differ by this about when a host was last heard, clocks included. Milliseconds. */
const SAME_OUTAGE_MS = 60_000

type Head = Pick<Notice, 'mesh' | 'toldBy' | 'writtenUnixMs'>

/** A `fired` that came while the interval of an earlier incident was still open. */
interface Held {
  readonly head: Head
  readonly incident: ToldIncident
}

/** An open problem of one host or check, as shown. */
export interface Interval {
  readonly host: HostId
  readonly check: string
  readonly ids: readonly IncidentId[]
  readonly sinceUnixMs: number
  /** Transitions shown, so that each is shown once. */
  readonly shown: readonly string[]
  readonly held: readonly Held[]
}

/** What a receiver remembers. Plain JSON. */
export interface Memory {
  readonly open: readonly Interval[]
  readonly closed: readonly IncidentId[]
}

/** A receiver that has heard nothing. */
export const EMPTY_MEMORY: Memory = { open: [], closed: [] }

/** A notice taken in: what to remember, and what to show, in order. */
export interface Sifted {
  readonly memory: Memory
  readonly shown: readonly Notice[]
}

interface Working {
  readonly open: Map<string, Interval>
  readonly closed: Set<IncidentId>
  readonly shown: { transition: Notice['transition']; head: Head; incident: ToldIncident }[]
}

/** Takes a notice in. Pure. */
export function sift(memory: Memory, notice: Notice): Sifted {
  const work: Working = {
    open: new Map(memory.open.map((interval) => [keyOf(interval), interval])),
    closed: new Set(memory.closed),
    shown: [],
  }
  for (const incident of notice.incidents) take(work, notice, incident)
  return {
    memory: { open: [...work.open.values()].slice(-OPEN_MAX), closed: [...work.closed].slice(-CLOSED_MAX) },
    shown: gather(work, notice),
  }
}

/** What belongs together is one notice again. */
function gather({ shown }: Working, notice: Notice): readonly Notice[] {
  const notices: Notice[] = []
  for (const { transition, head, incident } of shown) {
    const last = notices.at(-1)
    if (last !== undefined && last.transition === transition && last.writtenUnixMs === head.writtenUnixMs) {
      notices[notices.length - 1] = { ...last, incidents: [...last.incidents, incident] }
    } else
      notices.push({
        ...head,
        transition,
        massDeath: notice.massDeath && head.toldBy === notice.toldBy,
        incidents: [incident],
      })
  }
  return notices
}

function take(work: Working, notice: Notice, incident: ToldIncident): void {
  if (notice.transition === 'resolved') close(work, notice, incident)
  else if (!idsOf(incident).some((id) => work.closed.has(id))) open(work, notice, incident)
}

function open(work: Working, notice: Notice, incident: ToldIncident): void {
  const { transition } = notice
  const key = keyOf(incident)
  const interval = work.open.get(key)
  const isSame = interval !== undefined && overlaps(interval.ids, idsOf(incident))
  if (interval === undefined || (!isSame && incident.sinceUnixMs > interval.sinceUnixMs + SAME_OUTAGE_MS)) {
    if (interval !== undefined) remember(work, interval.ids)
    begin(work, notice, incident, transition)
    return
  }
  if (transition === 'fired') {
    if (isSame) work.open.set(key, withIds(interval, incident))
    else if (interval.held.length < HELD_MAX) {
      const held = interval.held.filter((other) => !overlaps(idsOf(other.incident), idsOf(incident)))
      work.open.set(key, { ...interval, held: [...held, { head: headOf(notice), incident }] })
    }
    return
  }
  if (interval.shown.includes(transition)) return
  work.open.set(key, { ...withIds(interval, incident), shown: [...interval.shown, transition] })
  work.shown.push({ transition, head: headOf(notice), incident })
}

/** Whatever comes first of an incident is its `fired` for the reader. */
function begin(work: Working, head: Head, incident: ToldIncident, transition: Notice['transition']): void {
  const { host, check, sinceUnixMs } = incident
  const shown = transition === 'fired' ? ['fired'] : ['fired', transition]
  work.open.delete(keyOf(incident))
  work.open.set(keyOf(incident), { host, check, ids: idsOf(incident), sinceUnixMs, shown, held: [] })
  work.shown.push({ transition: 'fired', head: headOf(head), incident })
}

function close(work: Working, notice: Notice, incident: ToldIncident): void {
  const ids = idsOf(incident)
  const key = keyOf(incident)
  const interval = work.open.get(key)
  const isKnown = ids.some((id) => work.closed.has(id))
  remember(work, ids)
  const show = (): void => {
    work.shown.push({ transition: 'resolved', head: headOf(notice), incident })
  }
  if (interval === undefined) {
    if (!isKnown) show()
    return
  }
  const endsInterval = overlaps(interval.ids, ids)
  if (!endsInterval) {
    const endedBefore = incident.sinceUnixMs + incident.lastedMs <= interval.sinceUnixMs
    const isHeld = interval.held.some((held) => overlaps(idsOf(held.incident), ids))
    // Old news about an earlier outage; while the host is missing again, "it is back" would mislead.
    if (isKnown || (endedBefore && !isHeld)) return
  }
  work.open.delete(key)
  remember(work, interval.ids)
  show()
  for (const held of interval.held) {
    const isOver = !endsInterval || idsOf(held.incident).some((id) => work.closed.has(id))
    if (isOver) remember(work, idsOf(held.incident))
    else if (work.open.has(key)) continue
    else begin(work, held.head, held.incident, 'fired')
  }
}

function remember({ closed }: Working, ids: readonly IncidentId[]): void {
  for (const id of ids) {
    closed.delete(id)
    closed.add(id)
  }
}

function withIds(interval: Interval, incident: ToldIncident): Interval {
  return { ...interval, ids: [...new Set([...interval.ids, ...idsOf(incident)])] }
}

function idsOf({ id, aliases }: Pick<ToldIncident, 'id' | 'aliases'>): readonly IncidentId[] {
  return [id, ...aliases]
}

function keyOf({ host, check }: Pick<ToldIncident, 'host' | 'check'>): string {
  return `${host}|${check}`
}

function headOf({ mesh, toldBy, writtenUnixMs }: Head): Head {
  return { mesh, toldBy, writtenUnixMs }
}

function overlaps(a: readonly string[], b: readonly string[]): boolean {
  return a.some((id) => b.includes(id))
}
