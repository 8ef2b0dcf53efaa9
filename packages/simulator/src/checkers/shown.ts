/** I3 and I8: what a recipient's device shows is a story that makes sense. */
import type { IncidentId } from '@muster/protocol'
import { type Checker, type Surroundings, watching } from './checker.ts'

/**
 * I3: at most one "fired" is shown per open interval. I8: an interval is R alone, or F (worse | reminder)* and at most
 * one R. The R alone of an older trouble, which Waku may hand over after the F of the next, does not end that one: which
 * ids are one trouble's, the notices say.
 */
export function checkShown({ exercise, report }: Surroundings): Checker {
  /** The ids that an open interval has been spoken of by. */
  const open = new Map<string, Set<IncidentId>>()
  const kin = new Map<IncidentId, Set<IncidentId>>()
  const kinOf = (id: IncidentId): Set<IncidentId> => kin.get(id) ?? new Set([id])
  return watching(['shown', 'copy'], (happening) => {
    if (happening.kind === 'copy') {
      for (const { id, aliases } of happening.notice.incidents) {
        const all = new Set([id, ...aliases].flatMap((one) => [...kinOf(one)]))
        for (const one of all) kin.set(one, all)
      }
      return
    }
    if (happening.kind !== 'shown') return
    const { atMs, recipient, host, check, incident, shown } = happening
    const key = `${recipient}|${host}|${check}`
    const interval = open.get(key)
    if (shown === null) {
      interval?.add(incident)
      return
    }
    const fail = (invariant: 'I3' | 'I8', text: string): void => {
      report({
        invariant,
        atMs,
        hosts: [host],
        text: `${text} (${host}${check === '' ? '' : `/${check}`}, ${incident.slice(0, 8)})`,
      })
    }
    exercise('I8')
    if (shown === 'fired') {
      exercise('I3')
      if (interval !== undefined) fail('I3', 'a second "fired" is shown in an open interval')
      open.set(key, new Set([incident]))
    } else if (shown === 'resolved') {
      const family = kinOf(incident)
      if ([...(interval ?? [])].some((id) => family.has(id))) open.delete(key)
    } else if (interval === undefined) {
      fail('I8', `"${shown}" is shown outside any interval`)
    }
  })
}
