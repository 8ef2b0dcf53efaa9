/**
 * I11: any change of a wall clock leaves all effects alike but for shown times.
 *
 * The same seed is played with other wall clocks, and what the cores ask for is compared with every shown time, and
 * every hash over one, left out.
 */
import type { Effect } from '@muster/protocol'
import type { Happening } from './happening.ts'

/** Keys whose values are wall times or durations for a person to read, or hashes over something that holds one. */
const SHOWN = /UnixMs$|^lastedMs$|^sinceAtMs$|^cid$|^previous$|^sets$|^id$|^records$|^signature$/

function isShown(key: string): boolean {
  return SHOWN.test(key)
}

/** FNV-1a over text, in 32 bits. */
function hashText(hash: number, text: string): number {
  let next = hash
  for (let index = 0; index < text.length; index += 1) next = Math.imul(next ^ text.charCodeAt(index), 0x01000193)
  return next >>> 0
}

/** A line for an effect with its shown times left out. */
export function strip(effect: Effect): string {
  return JSON.stringify(effect, (key, value: unknown) => {
    if (isShown(key) && key !== 'id') return undefined
    // Only records are named by a hash of what they hold; an incident's id has no time in it.
    if (key === 'id' && (effect.kind === 'keep-record' || effect.kind === 'drop-record')) return undefined
    if (key === 'carried' || key === 'riders') return Array.isArray(value) ? value.length : value
    return value
  })
}

/** Listens to a run and sums up what its cores asked for. */
export interface Fingerprint {
  readonly see: (happening: Happening) => void
  /** One number for each effect so far: equal runs, equal numbers. */
  readonly marks: readonly number[]
  /** What the effect of a mark was, for a report. */
  readonly textAt: (index: number) => string
}

/** Makes an empty fingerprint. */
export function createFingerprint(): Fingerprint {
  const marks: number[] = []
  const texts: string[] = []
  let hash = 0x811c9dc5
  return {
    see: (happening) => {
      if (happening.kind !== 'effect') return
      const text = `${happening.atMs} ${happening.host} ${strip(happening.effect)}`
      hash = hashText(hash, text)
      marks.push(hash)
      texts.push(`${happening.atMs} ${happening.host} ${happening.effect.kind}`)
    },
    marks,
    textAt: (index) => texts[index] ?? 'nothing',
  }
}
