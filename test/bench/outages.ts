/** Who was out of reach when, and which verdicts were false by that. */
import type { Verdict } from './cluster.ts'

/** That a host could not be heard, because of what was done to it. On the monotonic clock of this process. */
export interface Outage {
  readonly name: string
  readonly fromMs: number
  /** When what was done to it was undone; null while it lasts. */
  toMs: number | null
}

/** Whether a host was out of reach at a moment. */
export function isOut(outages: readonly Outage[], name: string, atMs: number): boolean {
  return outages.some((each) => each.name === name && atMs >= each.fromMs && (each.toMs === null || atMs <= each.toMs))
}

/**
 * Verdicts that were false: whoever came to one, on a host that was not out of reach just then. So a host that is cut off
 * must not accuse those on the other side, who are well, and nobody a host that is back.
 */
export function falseAmong(verdicts: readonly Verdict[], outages: readonly Outage[]): readonly Verdict[] {
  return verdicts.filter(({ about, atMs }) => !isOut(outages, about, atMs))
}
