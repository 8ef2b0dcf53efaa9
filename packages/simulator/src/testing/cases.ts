/** Runs checkers over hand-made histories: a table of what breaks an invariant and what does not. */
import type { Checker, Invariant, Surroundings } from '../checkers/checker.ts'
import type { Happening } from '../happening.ts'
import { judge } from './history.ts'

/** A history and whether it breaks an invariant. */
export interface Case {
  readonly invariant: Invariant
  readonly checker: (surroundings: Surroundings) => Checker
  readonly name: string
  readonly history: readonly Happening[]
  readonly breaks: boolean
  /** A history that puts nothing to the test. */
  readonly idle?: boolean
}

/** What a case came to: the invariants that broke, and whether its own was put to the test at all. */
export function outcomeOf({ invariant, checker, history }: Case): { broken: Invariant[]; isExercised: boolean } {
  const watch = judge(checker, history)
  return {
    broken: watch.broken.map((broken) => broken.invariant),
    isExercised: watch.exercised[invariant] > 0,
  }
}

/** The invariants that some case breaks. */
export function brokenBy(cases: readonly Case[]): Invariant[] {
  return [...new Set(cases.filter(({ breaks }) => breaks).map(({ invariant }) => invariant))].toSorted()
}
