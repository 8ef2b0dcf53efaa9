/** The agent's log: one constant phrase, variables as fields. */

/** Flat facts of a log line. */
export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  debug(phrase: string, fields?: LogFields): void
  info(phrase: string, fields?: LogFields): void
  warn(phrase: string, fields?: LogFields): void
}

/** The message of anything thrown, for a log field or a line to a person. Cut, because a peer may have had a hand in it. */
export function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, 300)
}
