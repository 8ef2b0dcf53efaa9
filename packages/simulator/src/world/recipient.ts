/**
 * A model of a recipient's device: one open interval per host and check, each transition shown once.
 *
 * A second `fired` inside an open interval is an update. A `fired` of an id that was already resolved is not shown, and
 * a `resolved` may come alone: it says everything by itself.
 */
import type { CheckName, HostId, IncidentId, Notice, ToldIncident } from '@muster/protocol'
import type { Shown } from '../happening.ts'

/** What the device made of one incident of a notice; `shown` is null for an update or a repetition. */
export interface Line {
  readonly host: HostId
  readonly check: CheckName
  readonly incident: IncidentId
  readonly shown: Shown | null
}

/** A device that receives notices. */
export interface Device {
  readonly receive: (notice: Notice) => Line[]
  /** The newest id of each incident that is open on it. */
  readonly openIds: () => IncidentId[]
}

interface Interval {
  readonly ids: Set<IncidentId>
  readonly transitions: Set<string>
}

/** Makes a device that has shown nothing yet. */
export function createDevice(): Device {
  const open = new Map<string, Interval>()
  const resolved = new Set<IncidentId>()

  const show = (told: ToldIncident, transition: Notice['transition']): Shown | null => {
    const key = `${told.host}|${told.check}`
    const ids = [told.id, ...told.aliases]
    const isOver = ids.some((id) => resolved.has(id))
    const interval = open.get(key)
    const isSame = interval !== undefined && ids.some((id) => interval.ids.has(id))
    if (transition === 'resolved') {
      for (const id of ids) resolved.add(id)
      if (isSame) {
        for (const id of interval.ids) resolved.add(id)
        open.delete(key)
        return 'resolved'
      }
      return isOver ? null : 'resolved'
    }
    if (isOver) {
      for (const id of ids) resolved.add(id)
      return null
    }
    if (interval === undefined) {
      open.set(key, { ids: new Set(ids), transitions: new Set([transition]) })
      return 'fired'
    }
    for (const id of ids) interval.ids.add(id)
    if (transition === 'fired' || interval.transitions.has(transition)) return null
    interval.transitions.add(transition)
    return transition === 'worse' ? 'worse' : 'reminder'
  }

  return {
    receive: (notice) =>
      notice.incidents.map((told) => ({
        host: told.host,
        check: told.check,
        incident: told.id,
        shown: show(told, notice.transition),
      })),
    openIds: () => [...open.values()].flatMap(({ ids }) => [...ids].at(-1) ?? []),
  }
}
