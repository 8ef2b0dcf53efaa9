/** How long `step` took, by kind of event: counted into buckets a twentieth of an e-fold wide, for there are millions. */

/** How long events of one kind took, microseconds. */
export interface StepTimes {
  readonly kind: string
  readonly count: number
  readonly medianUs: number
  readonly p99Us: number
  readonly maxUs: number
  /** All of them together, milliseconds. */
  readonly totalMs: number
}

/** Counts durations by kind. */
export interface StepClock {
  readonly note: (kind: string, ms: number) => void
  /** Forgets what was counted: what comes before a mesh has settled is no measure. */
  readonly clear: () => void
  /** The kinds, the costliest first. */
  readonly times: () => readonly StepTimes[]
}

const PER_E_FOLD = 20
/** The first bucket holds what took less than this, microseconds. */
const LEAST_US = 0.1
const BUCKETS = 400

/** Makes a clock that has counted nothing. */
export function createStepClock(): StepClock {
  const kinds = new Map<string, { readonly counts: Uint32Array; count: number; maxMs: number; totalMs: number }>()
  return {
    note: (kind, ms) => {
      const known = kinds.get(kind) ?? { counts: new Uint32Array(BUCKETS), count: 0, maxMs: 0, totalMs: 0 }
      kinds.set(kind, known)
      const bucket = Math.floor(PER_E_FOLD * Math.log(Math.max(ms * 1_000, LEAST_US) / LEAST_US))
      const index = Math.min(BUCKETS - 1, bucket)
      known.counts[index] = (known.counts[index] ?? 0) + 1
      known.count += 1
      known.totalMs += ms
      known.maxMs = Math.max(known.maxMs, ms)
    },
    clear: () => kinds.clear(),
    times: () =>
      [...kinds]
        .map(([kind, { counts, count, maxMs, totalMs }]) => ({
          kind,
          count,
          medianUs: bucketAt(counts, count / 2),
          p99Us: bucketAt(counts, 0.99 * count),
          maxUs: maxMs * 1_000,
          totalMs,
        }))
        .toSorted((a, b) => b.totalMs - a.totalMs),
  }
}

/** The middle of the bucket in which the `rank`-th smallest lies, microseconds. */
function bucketAt(counts: Uint32Array, rank: number): number {
  let passed = 0
  for (const [bucket, count] of counts.entries()) {
    passed += count
    if (passed >= rank && count > 0) return LEAST_US * Math.exp((bucket + 0.5) / PER_E_FOLD)
  }
  return 0
}
