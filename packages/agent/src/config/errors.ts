/**
 * What the user wrote and we cannot use: where it is, what is wrong, what to write instead.
 */

/** The exit code of a command that was used wrongly or found a bad config. */
export const EXIT_BAD_CONFIG = 2

/** How many characters of a user's own text an error repeats. Longer text is cut. */
const QUOTED_CHARACTERS_MAX = 60

/** One thing that is wrong. */
export interface ConfigProblem {
  /** Stable and short, for tests and scripts. */
  readonly code: string
  /** The file that holds it, as the user would type its path. Absent when it came from a flag or the environment. */
  readonly file?: string
  /** From 1. Absent when the whole file is meant. */
  readonly line?: number
  /** From 1, in characters. */
  readonly column?: number
  /** What is wrong, without a full stop. Never holds a secret. */
  readonly what: string
  /** What to do or write instead: a command or an example. */
  readonly remedy?: string
}

/** The user's mistake. Its message is ready to print: one or two lines for each problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly exitCode = EXIT_BAD_CONFIG
  /** The code of the first problem. */
  readonly code: string
  /** At least one, in the order of the file. */
  readonly problems: readonly [ConfigProblem, ...ConfigProblem[]]

  constructor(problems: readonly [ConfigProblem, ...ConfigProblem[]], options?: ErrorOptions) {
    super(problems.map(formatProblem).join('\n'), options)
    this.problems = problems
    this.code = problems[0].code
  }

  /** Where the first problem is. */
  get file(): string | undefined {
    return this.problems[0].file
  }

  /** The line of the first problem, from 1. */
  get line(): number | undefined {
    return this.problems[0].line
  }

  /** The column of the first problem, from 1. */
  get column(): number | undefined {
    return this.problems[0].column
  }

  /** What to do about the first problem. */
  get remedy(): string | undefined {
    return this.problems[0].remedy
  }
}

/** An error of one problem. */
export function configError(problem: ConfigProblem, options?: ErrorOptions): ConfigError {
  return new ConfigError([problem], options)
}

/** `file:line:column: what`, and the remedy, indented, on a line of its own. */
export function formatProblem({ file, line, column, what, remedy }: ConfigProblem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  const first = place === '' ? what : `${place}: ${what}`
  return remedy === undefined ? first : `${first}\n  ${remedy}`
}

/** Text of a user's file for an error: in quotes, short, and without anything that a terminal would obey. */
export function quote(text: string): string {
  const characters = [...text]
  const short =
    characters.length <= QUOTED_CHARACTERS_MAX ? text : `${characters.slice(0, QUOTED_CHARACTERS_MAX).join('')}…`
  return `"${short.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '�')}"`
}
