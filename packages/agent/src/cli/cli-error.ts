/** How commands end: exit codes, and errors of one or two lines for a person. */

/** What a shell sees. Fixed: scripts rely on it. */
export const EXIT = {
  done: 0,
  /** The answer is bad news, or the work failed. */
  bad: 1,
  /** Bad usage or bad config. */
  usage: 2,
  noAgent: 3,
} as const

/** One of them. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A command that cannot do its work, ready to be told. */
export class CliError extends Error {
  override readonly name = 'CliError'
  /** Stable, for tests and scripts. */
  readonly code: string
  readonly exitCode: ExitCode
  /** What to do about it; a line of its own. */
  readonly remedy: string | undefined

  constructor(code: string, exitCode: ExitCode, message: string, remedy?: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.exitCode = exitCode
    this.remedy = remedy
  }
}

/** Wrong usage: exit code 2. */
export function usageError(message: string, remedy?: string): CliError {
  return new CliError('usage', EXIT.usage, message, remedy)
}

/** What is printed for an error, and with what code the command ends. */
export interface Explained {
  readonly lines: readonly string[]
  readonly exitCode: number
}

/**
 * Any error as lines for a person. Expected ones say it all; of others the first line is told, and how to learn more.
 * Errors are known by their shape, so that commands need not load what they do not use.
 */
export function explainError(error: unknown, debug: boolean): Explained {
  if (error instanceof CliError) {
    const lines = [`muster: ${error.message}`, ...(error.remedy === undefined ? [] : [`  ${error.remedy}`])]
    return { lines, exitCode: error.exitCode }
  }
  if (!(error instanceof Error)) return { lines: [`muster: ${String(error)}`], exitCode: EXIT.bad }
  const { exitCode } = error as { exitCode?: unknown }
  // A `ConfigError`: its lines are made for printing, each problem with its place.
  if (error.name === 'ConfigError' && typeof exitCode === 'number') {
    return { lines: error.message.split('\n'), exitCode }
  }
  if (EXPECTED.has(error.name)) return { lines: [`muster: ${firstLine(error.message)}`], exitCode: EXIT.bad }
  const lines = debug
    ? (error.stack ?? String(error)).split('\n')
    : [`muster: unexpected: ${firstLine(error.message)}`, '  MUSTER_DEBUG=1 in front of the command shows more']
  return { lines, exitCode: EXIT.bad }
}

/** Errors whose message tells a person enough. */
const EXPECTED = new Set(['StorageError', 'SwarmError', 'WakuError', 'RunnerError', 'ProtocolError', 'SupervisorError'])

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
