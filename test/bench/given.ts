/** What every benchmark is given, and what it must keep to. */

/** How benchmarks are run. */
export interface Given {
  /** How long footprint measures. */
  readonly minutes: number
  /** Runs of each figure; null for as many as its target is promised for. */
  readonly runs: number | null
  /** Only this part of a benchmark that has several; null for all. */
  readonly part: string | null
  /** Told what goes on. */
  readonly say: (line: string) => void
  /** Ends it early; what was started is ended all the same. */
  readonly signal: AbortSignal
  /** When the benchmark must have ended, on the monotonic clock of this process. */
  readonly endsAtMs: number
}

/** Whether there is time for another run of this length. Throws when the benchmark was interrupted. */
export function hasTimeFor(forMs: number, { endsAtMs, signal }: Pick<Given, 'endsAtMs' | 'signal'>): boolean {
  signal.throwIfAborted()
  return performance.now() + forMs < endsAtMs
}

/** The words of an error, for a row. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 200) ?? ''
}
