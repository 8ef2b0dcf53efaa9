/** What every checker is: it sees all that happens, counts how often it was put to the test, and reports breaks. */
import type { HostId, Presence } from '@muster/protocol'
import type { Happening } from '../happening.ts'
import type { Truth } from './truth.ts'

/** The invariants of ARCHITECTURE.md, "What must hold, in every seed". */
export const INVARIANTS = [
  'I1',
  'I2',
  'I3',
  'I4',
  'I5',
  'I6',
  'I7',
  'I8',
  'I9',
  'I10',
  'I11',
  'I12',
  'I13',
  'I14',
  'I15',
] as const
/** The name of one of these invariants. */
export type Invariant = (typeof INVARIANTS)[number]

/** One break of an invariant: when, by whom, and what was seen. */
export interface Broken {
  readonly invariant: Invariant
  readonly atMs: number
  readonly hosts: readonly HostId[]
  readonly text: string
}

/** A host as checkers know it. */
export interface CheckedHost {
  readonly id: HostId
  /** The name by which people call it. */
  readonly name: string
  readonly presence: Presence
  /** How long it keeps what was logged, milliseconds. */
  readonly historyMs: number
}

/** What a checker works with. */
export interface Surroundings {
  readonly hosts: readonly CheckedHost[]
  readonly truth: Truth
  /** One put to the test, whatever came of it. */
  readonly exercise: (invariant: Invariant) => void
  readonly report: (broken: Broken) => void
}

type Kind = Happening['kind']

/** Sees what it looks at in order; the truth has seen it first. The last happening is `ended`. */
export interface Checker {
  /** The kinds of happenings that it is shown: of thousands most are nothing to most checkers. */
  readonly kinds: readonly Kind[]
  readonly see: (happening: Happening) => void
}

/** A checker of some kinds of happenings. The types hold its body to them: what it is not shown, it cannot look at. */
export function watching<K extends Kind>(
  kinds: readonly K[],
  see: (happening: Extract<Happening, { readonly kind: K }>) => void,
): Checker {
  return { kinds, see: see as Checker['see'] }
}

/** Shows each listener the happenings of its kinds, one listener after the other. */
export function createRoutes(listeners: readonly Checker[]): (happening: Happening) => void {
  const routes = new Map<Kind, Checker['see'][]>()
  for (const { kinds, see } of listeners) {
    for (const kind of kinds) routes.set(kind, [...(routes.get(kind) ?? []), see])
  }
  return (happening) => {
    const listening = routes.get(happening.kind)
    if (listening === undefined) return
    for (const see of listening) see(happening)
  }
}

/** R of the protocol: min(2 s, 0.4 × grace). */
export function roundMsOf({ graceMs }: Presence): number {
  return Math.min(2_000, 0.4 * graceMs)
}

/** A text key of a life. */
export function lifeText(life: { readonly incarnation: number; readonly epoch: number }): string {
  return `${life.incarnation}.${life.epoch}`
}
