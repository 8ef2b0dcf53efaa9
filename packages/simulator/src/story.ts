/** A run as a story: one line for each thing that a person would want to know, in virtual time. */
import { effectText, type NameOf, storyTimeText } from '@muster/protocol'
import type { Happening } from './happening.ts'

/** The line of a happening, or null when it is not worth one. `nameOf` turns ids into names. */
export function tell(happening: Happening, nameOf: NameOf): string | null {
  const line = (who: string, what: string): string => `${storyTimeText(happening.atMs)}  ${who.padEnd(8)}  ${what}`
  switch (happening.kind) {
    case 'fault':
      return line(happening.hosts.map(nameOf).join(', ') || 'network', `! ${happening.text}`)
    case 'mode':
      return line(nameOf(happening.host), `is ${happening.mode} (${happening.cause})`)
    case 'effect': {
      const what = effectText(happening.effect, nameOf)
      return what === null ? null : line(nameOf(happening.host), what)
    }
    case 'copy': {
      const { notice } = happening
      return line(
        nameOf(happening.host),
        `Waku took "${notice.transition}" of ${notice.incidents.map(({ id }) => id.slice(0, 8)).join(', ')}`,
      )
    }
    case 'shown': {
      const what = happening.check === '' ? nameOf(happening.host) : `${nameOf(happening.host)}/${happening.check}`
      return line('phone', `${happening.shown ?? 'no news'}: ${what} (${happening.incident.slice(0, 8)})`)
    }
    case 'healed':
      return line('network', '! everything works again')
    default:
      return null
  }
}
