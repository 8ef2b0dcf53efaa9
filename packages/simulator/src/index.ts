export type { Exercised } from './checkers/all.ts'
export { type Broken, INVARIANTS, type Invariant } from './checkers/checker.ts'
export type { Core, CoreView } from './core.ts'
export { FAULT_KINDS, type Fault, type Line } from './faults/fault.ts'
export { formatReport } from './report.ts'
export { type Death, type Rates, runScale, type ScaleOptions, type ScaleResult } from './scale/scale.ts'
export { formatScale } from './scale/scale-report.ts'
export { NAMED, type NamedScenario } from './scenarios/named.ts'
export type { Scenario } from './scenarios/scenario.ts'
export {
  addSums,
  type RunOptions,
  type RunResult,
  type RunsOptions,
  runNamed,
  runSeed,
  runSeeds,
  type Sums,
  seedFrom,
  tellStory,
} from './simulate.ts'
