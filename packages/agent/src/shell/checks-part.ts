/**
 * The runner of checks as a part under the supervisor.
 *
 * It works while any check reports when it should: one that hangs is cut off and told of as late, and no reason to stop
 * the others. When not one of them does, the runner stands still. Time is counted as the supervisor's looks go by, so
 * that a suspend, after which all are overdue for a moment, counts as little.
 */
import { type CheckDefinition, createRunner, findKind, type Runner, type RunnerDeps } from '@muster/checks'
import type { Clock } from '../clock.ts'
import { LOOK_EVERY_MS, type Part } from '../supervisor.ts'

/** What a check may take beyond twice its `every` and its time-out, on a machine that is busy. Milliseconds. */
const SLACK_MS = 30_000

/** The runner, and the part that starts and stops it. */
export interface Checks {
  readonly runner: Runner
  readonly part: Part
}

/** What the part needs. */
export interface ChecksDeps extends Pick<RunnerDeps, 'onResult' | 'onBug'> {
  /** The checks of the moment: a reload changes them. */
  readonly definitions: () => readonly CheckDefinition[]
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** How the runner is made: the real one, unless a test brings its own. */
  readonly createRunner?: typeof createRunner
}

/** Makes both. Nothing runs before the part is started. */
export function createChecks(deps: ChecksDeps): Checks {
  const { definitions, clock, onResult, onBug } = deps
  /** When each check reported last, in awake time. */
  const reportedMs = new Map<string, number>()
  let awakeMs = 0
  let lookedMs = clock.monotonicMs()
  let isStarted = false
  let hasStopped = false
  const runner = (deps.createRunner ?? createRunner)(definitions(), {
    ...(onBug === undefined ? {} : { onBug }),
    onResult(result) {
      reportedMs.set(result.check.spec.name, awakeMs)
      onResult(result)
    },
  })

  function isOverdue({ spec, timeoutMs }: CheckDefinition): boolean {
    const sinceMs = reportedMs.get(spec.name)
    // A check that a reload brought is counted from the first look at it.
    if (sinceMs === undefined) reportedMs.set(spec.name, awakeMs)
    return sinceMs !== undefined && awakeMs - sinceMs > 2 * spec.everyMs + timeoutMs + SLACK_MS
  }

  return {
    runner,
    part: {
      name: 'checks',
      async start() {
        // A runner that was stopped begins only what is new to it.
        if (hasStopped) {
          runner.replace([])
          runner.replace(definitions())
        }
        reportedMs.clear()
        runner.start()
        isStarted = true
      },
      async stop() {
        isStarted = false
        hasStopped = true
        await runner.stop()
      },
      health() {
        const nowMs = clock.monotonicMs()
        awakeMs += Math.min(nowMs - lookedMs, 2 * LOOK_EVERY_MS)
        lookedMs = nowMs
        const due = definitions().filter(({ spec }) => findKind(spec.kind)?.mode === 'polled')
        // Not `every`: each must be looked at, or it would not be counted.
        const overdue = due.filter(isOverdue)
        return isStarted && due.length > 0 && overdue.length === due.length ? 'no check has run when it was due' : null
      },
    },
  }
}
