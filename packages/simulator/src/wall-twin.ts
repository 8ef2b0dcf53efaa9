/**
 * I11: any change of a wall clock leaves all effects alike but for shown times.
 *
 * The same seed is played with other wall clocks, and what the cores ask for is compared with every shown time, and
 * every hash over one, left out.
 */
import type { Effect, HostId } from '@muster/protocol'
import type { Happening } from './happening.ts'

/** Keys whose values are wall times or durations for a person to read, or hashes over something that holds one. */
const SHOWN = /UnixMs$|^lastedMs$|^sinceAtMs$|^cid$|^previous$|^sets$|^records$|^signature$/
/** Lists whose members are compared by no more than their number: what they hold was an effect of its own. */
const COUNTED: ReadonlySet<string> = new Set(['carried', 'riders'])

/** Whether keys are shown. A memo: there are few, and each is met at every effect. */
const shown = new Map<string, boolean>()

function isShown(key: string): boolean {
  const known = shown.get(key) ?? SHOWN.test(key)
  shown.set(key, known)
  return known
}

/** Whether two effects are alike but for what is shown. */
function areAlike(left: Effect, right: Effect): boolean {
  // Only records are named by a hash of what they hold; an incident's id has no time in it.
  return isSame(left, right, left.kind === 'keep-record' || left.kind === 'drop-record')
}

function isSame(left: unknown, right: unknown, isIdShown: boolean): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false
    return left.every((one, index) => isSame(one, right[index], isIdShown))
  }
  const [mine, theirs] = [left as Readonly<Record<string, unknown>>, right as Readonly<Record<string, unknown>>]
  let count = 0
  for (const key in theirs) if (!isShown(key)) count += 1
  for (const key in mine) {
    if (isShown(key)) continue
    count -= 1
    if (key === 'id' && isIdShown) continue
    if (!(key in theirs)) return false
    const [one, other] = [mine[key], theirs[key]]
    if (COUNTED.has(key) && Array.isArray(one) && Array.isArray(other)) {
      if (one.length !== other.length) return false
    } else if (!isSame(one, other, isIdShown)) {
      return false
    }
  }
  return count === 0
}

interface Asked {
  readonly atMs: number
  readonly host: HostId
  readonly effect: Effect
}

/** Listens to a run and keeps what its cores asked for. */
export interface Transcript {
  readonly see: (happening: Happening) => void
  readonly asked: readonly Asked[]
}

/** Makes an empty transcript. */
export function createTranscript(): Transcript {
  const asked: Asked[] = []
  return {
    see: (happening) => {
      if (happening.kind === 'effect') asked.push(happening)
    },
    asked,
  }
}

/** Where another run of the same seed first asked for something else, in words; null when it never did. */
export function differenceOf({ asked }: Transcript, other: Transcript): string | null {
  const most = Math.max(asked.length, other.asked.length)
  for (let index = 0; index < most; index += 1) {
    const [one, two] = [asked[index], other.asked[index]]
    const isAlike =
      one !== undefined &&
      two !== undefined &&
      one.atMs === two.atMs &&
      one.host === two.host &&
      areAlike(one.effect, two.effect)
    if (!isAlike) return `effect ${index} is "${textOf(two)}" instead of "${textOf(one)}"`
  }
  return null
}

function textOf(asked: Asked | undefined): string {
  return asked === undefined ? 'nothing' : `${asked.atMs} ${asked.host} ${asked.effect.kind}`
}
