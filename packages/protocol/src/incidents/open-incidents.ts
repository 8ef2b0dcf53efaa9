/**
 * Of the hundreds of incidents that are remembered, the few that are open, and those of which there may be something to tell:
 * they are asked for at every result, tick and verdict.
 *
 * Memos. They go with the maps that they were made from, and are dropped when one of these is written to.
 */
import type { State } from '../state.ts'
import type { Incident } from './incident.ts'

type Held = Pick<State, 'incidents'>
type Told = Pick<State, 'incidents' | 'settled'>

const open = new WeakMap<State['incidents'], readonly Incident[]>()
const unsettled = new WeakMap<
  State['settled'],
  { readonly of: State['incidents']; readonly list: readonly Incident[] }
>()

/** All that are firing, in the order in which they are held. */
export function openIncidents({ incidents }: Held): readonly Incident[] {
  const known = open.get(incidents)
  if (known !== undefined) return known
  const list: Incident[] = []
  for (const incident of incidents.values()) if (incident.state === 'firing') list.push(incident)
  open.set(incidents, list)
  return list
}

/** All but those that have ended and of which there is nothing more to tell anybody, in the order in which they are held. */
export function unsettledIncidents({ incidents, settled }: Told): readonly Incident[] {
  const known = unsettled.get(settled)
  if (known?.of === incidents) return known.list
  const list: Incident[] = []
  for (const incident of incidents.values()) if (!settled.has(incident.id)) list.push(incident)
  unsettled.set(settled, { of: incidents, list })
  return list
}

/** One of the two maps is about to be written to. */
export function forgetLists({ incidents, settled }: Told): void {
  open.delete(incidents)
  unsettled.delete(settled)
}
