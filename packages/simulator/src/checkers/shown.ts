/** I3 and I8: what a recipient's device shows is a story that makes sense. */
import { type Checker, type Surroundings, watching } from './checker.ts'

interface Interval {
  readonly openedMs: number
  readonly fired: number
}

/**
 * I3: at most one "fired" is shown per open interval. I8: an interval is R alone, or F (worse | reminder)* and at most
 * one R.
 */
export function checkShown({ exercise, report }: Surroundings): Checker {
  const open = new Map<string, Interval>()
  return watching(['shown'], (happening) => {
    if (happening.kind !== 'shown' || happening.shown === null) return
    const { atMs, recipient, host, check, incident, shown } = happening
    const key = `${recipient}|${host}|${check}`
    const interval = open.get(key)
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
      open.set(key, { openedMs: atMs, fired: 1 })
    } else if (shown === 'resolved') {
      open.delete(key)
    } else if (interval === undefined) {
      fail('I8', `"${shown}" is shown outside any interval`)
    }
  })
}
