/** What one run of a check measured. Facts with units in their names, no judgement. */
export interface Observation {
  /** Measured values by name, units last (`free_percent`, `duration_ms`). Numbers are finite. */
  readonly values: Readonly<Record<string, number | string | boolean>>
  /** How long the run took, milliseconds, whole. */
  readonly durationMs: number
  /** One line for a person, at most 200 characters, no control characters. */
  readonly text: string
  /** Set when the run could not measure: a stable code and one line for a person. */
  readonly error?: { readonly code: string; readonly message: string }
}

/**
 * The judgement of a check.
 *
 * `unknown` means that it could not be told; `late` that the check's own heartbeat is overdue.
 */
export type Status = 'ok' | 'warning' | 'critical' | 'unknown' | 'late'

/** What the conditions made of one observation, before `after`, `recover` and `for` are counted. */
export type Judgement = Exclude<Status, 'late'>

/**
 * What a check promises.
 *
 * `awake`: report every `everyMs`, at most `graceMs` late, while the host is awake; `always`: even while it sleeps;
 * `never`: silence of this check is no news.
 */
export type HeartbeatPromise = 'awake' | 'always' | 'never'

/** What the protocol needs to know of a configured check. The rest of its configuration stays in its shell. */
export interface CheckSpec {
  readonly name: string
  readonly kind: string
  readonly everyMs: number
  readonly graceMs: number
  /** Bad runs in a row before it leaves `ok`. At least 1. */
  readonly after: number
  /** Good runs in a row before it is `ok` again. At least 1. */
  readonly recover: number
  /** How long it must stay bad before it is told, milliseconds. */
  readonly forMs: number
  readonly heartbeat: HeartbeatPromise
  readonly tags: readonly string[]
}
