/** How much of a fault test is run: all of it, or what fits into every run of CI. */

/** The environment variable that asks for the short run. */
export const QUICK = 'MUSTER_FAULTS_QUICK'

/** Whether this is the short run. */
export const isQuick = process.env[QUICK] === '1'

/** A number of rounds: the first in the short run, the second in the full one. */
export function rounds(quick: number, full: number): number {
  return isQuick ? quick : full
}
