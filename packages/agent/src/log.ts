/** The agent's log: one constant phrase, variables as fields. */

/** Flat facts of a log line. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Takes log lines. `info` is what a user would recognise, `warn` what a user may have to mend, `debug` is for us. The
 * phrase is constant; what varies, and whatever a peer supplied, goes into the fields.
 */
export interface Log {
  debug(phrase: string, fields?: LogFields): void
  info(phrase: string, fields?: LogFields): void
  warn(phrase: string, fields?: LogFields): void
}

/** The message of anything thrown, for a log field or a line to a person. Cut, because a peer may have had a hand in it. */
export function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, 300)
}
