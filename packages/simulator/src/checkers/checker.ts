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

/** Sees everything in order; the truth has seen it first. The last happening is `ended`. */
export type Checker = (happening: Happening) => void

/** R of the protocol: min(2 s, 0.4 × grace). */
export function roundMsOf({ graceMs }: Presence): number {
  return Math.min(2_000, 0.4 * graceMs)
}

/** A text key of a life. */
export function lifeText(life: { readonly incarnation: number; readonly epoch: number }): string {
  return `${life.incarnation}.${life.epoch}`
}
