/** All checkers of one run, behind one truth. */
import type { Happening } from '../happening.ts'
import { checkBudget } from './budget.ts'
import {
  type Broken,
  type CheckedHost,
  type Checker,
  createRoutes,
  INVARIANTS,
  type Invariant,
  type Surroundings,
} from './checker.ts'
import { checkConvergence, checkNames } from './convergence.ts'
import { checkCopies } from './copies.ts'
import { checkFalseVerdicts, checkQuietJudges, checkSelfJudgement } from './detection.ts'
import { checkForwardOnly, checkSigners } from './logs.ts'
import { checkOutbox } from './outbox.ts'
import { checkReplays } from './replays.ts'
import { checkShown } from './shown.ts'
import { checkTold } from './told.ts'
import { createTruth } from './truth.ts'
import { countVerdicts, type Verdicts } from './verdicts.ts'

type MakeChecker = (surroundings: Surroundings) => Checker

/** Breaks of one run beyond this are not kept: the first ones tell the story. */
const BROKEN_MAX = 50

const CHECKERS: readonly MakeChecker[] = [
  checkTold,
  checkFalseVerdicts,
  checkShown,
  checkCopies,
  checkQuietJudges,
  checkSelfJudgement,
  checkForwardOnly,
  checkNames,
  checkConvergence,
  checkReplays,
  checkBudget,
  checkOutbox,
  checkSigners,
]

/** How often each invariant was put to the test. */
export type Exercised = Record<Invariant, number>

/** A count of zero for each. */
export function noneExercised(): Exercised {
  return Object.fromEntries(INVARIANTS.map((invariant) => [invariant, 0])) as Exercised
}

/** The checkers of one run. */
export interface Watch {
  readonly see: (happening: Happening) => void
  readonly broken: readonly Broken[]
  readonly exercised: Exercised
  readonly verdicts: Readonly<Verdicts>
}

/** Makes checkers (all, or those given) for a run with these hosts. */
export function createWatch(hosts: readonly CheckedHost[], makers: readonly MakeChecker[] = CHECKERS): Watch {
  const truth = createTruth(hosts.map(({ id }) => id))
  const broken: Broken[] = []
  const exercised = noneExercised()
  const verdicts: Verdicts = { all: 0, false: 0 }
  const checkers = makers.map((make) =>
    make({
      hosts,
      truth,
      exercise: (invariant) => {
        exercised[invariant] += 1
      },
      report: (found) => {
        if (broken.length < BROKEN_MAX) broken.push(found)
      },
    }),
  )
  return {
    see: createRoutes([...truth.listeners, ...checkers, countVerdicts(hosts, truth, verdicts)]),
    broken,
    exercised,
    verdicts,
  }
}
