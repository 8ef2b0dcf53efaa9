/**
 * What nobody caught: errors of libraries, thrown from a socket or a timer, and bugs of ours.
 *
 * One costs a part of the agent, not the watch: it is said once, in one line, and the part that it came out of is
 * started again. Too many in a short time are not to be lived with: then the agent ends, and who runs it may start it anew.
 */
import { type Log, reasonOf } from '../log.ts'
import { placeOfError } from '../part-of-error.ts'
import type { Blamed } from '../supervisor.ts'
import { CliError, EXIT } from './cli-error.ts'

/** Errors within the window that are still lived with. */
export const STRAY_ERRORS_MAX = 5
export const STRAY_WINDOW_MS = 60_000
/** Different errors that are remembered as told. */
const TOLD_MAX = 100

/** What the holder needs of the command. */
export interface StrayErrorDeps {
  readonly log: Log
  readonly monotonicMs: () => number
  /** Restarts the part that an error came out of, when that can be told. */
  readonly blame: (error: unknown) => Blamed | null
  /** Called once there are too many. */
  readonly giveUp: (error: Error) => void
}

/** Makes what takes each error that nobody caught. */
export function createStrayErrors({ log, monotonicMs, blame, giveUp }: StrayErrorDeps): (error: unknown) => void {
  const toldMs = new Map<string, number>()
  let times: number[] = []

  function wasTold(reason: string, nowMs: number): boolean {
    const beforeMs = toldMs.get(reason)
    if (toldMs.size >= TOLD_MAX) toldMs.clear()
    toldMs.set(reason, nowMs)
    return beforeMs !== undefined && nowMs - beforeMs < STRAY_WINDOW_MS
  }

  return (error) => {
    const nowMs = monotonicMs()
    const reason = reasonOf(error).split('\n', 1)[0] ?? ''
    const blamed = blame(error)
    // The restart of a part is said with the reason already.
    const level = blamed !== null || wasTold(reason, nowMs) ? 'debug' : 'warn'
    log[level]('an error was let slip', { reason, part: blamed?.part, where: placeOfError(error) ?? undefined })
    // What a part throws while it goes down is one trouble with what brought it down.
    if (blamed?.wasBroken === true) return
    times = [...times.filter((time) => nowMs - time < STRAY_WINDOW_MS), nowMs]
    if (times.length <= STRAY_ERRORS_MAX) return
    giveUp(new CliError('stray-errors', EXIT.bad, `too many errors within a minute, the last: ${reason}`))
  }
}
