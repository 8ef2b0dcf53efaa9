/** What a command has around it: streams, environment, folder. One value, so that tests can make their own. */
import { homedir } from 'node:os'
import { type Folder, resolveFolder } from '../identity/folder.ts'
import { typedText } from './typed-command.ts'

/** The world of one command. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly workingDir: string
  readonly homeDir: string
  /** Writes to standard output, without adding a line end. */
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly isTerminal: boolean
  /** Of standard error: who watches it may be told how far a long work is. */
  readonly isErrTerminal: boolean
  readonly columns: () => number
  /** Aborted by Ctrl-C or SIGTERM; a command that asks for it ends by itself. */
  readonly interrupted: () => AbortSignal
}

/** Options that every command has. */
export interface CommonOptions {
  readonly dir?: string
  readonly json?: boolean
}

/** A command's own world: the surroundings and its folder. */
export interface Context extends Surroundings {
  readonly folder: Folder
  /** Prints facts as JSON. */
  readonly json: boolean
  /** May colours be used? */
  readonly colour: boolean
  /** Prints one line. */
  readonly line: (text?: string) => void
  /** Prints a value as JSON, one object. */
  readonly print: (value: unknown) => void
  /** A text of ours, with the commands in it as they work when they are typed: see `typed-command.ts`. */
  readonly typed: (text: string) => string
}

/** The real world. */
export function systemSurroundings(): Surroundings {
  let interrupted: AbortController | undefined
  return {
    env: process.env,
    workingDir: process.cwd(),
    homeDir: homedir(),
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    isTerminal: process.stdout.isTTY === true,
    isErrTerminal: process.stderr.isTTY === true,
    columns: () => process.stdout.columns ?? 80,
    interrupted() {
      if (interrupted !== undefined) return interrupted.signal
      const made = new AbortController()
      interrupted = made
      const stop = (): void => made.abort(new Error('interrupted'))
      process.once('SIGINT', stop)
      process.once('SIGTERM', stop)
      return made.signal
    },
  }
}

/** The context of a command with these options. */
export function contextOf(surroundings: Surroundings, options: CommonOptions): Context {
  const { env, homeDir, workingDir, out, isTerminal } = surroundings
  const noColour = env.NO_COLOR !== undefined && env.NO_COLOR !== ''
  const folder = resolveFolder({ dir: options.dir, env, homeDir, workingDir })
  return {
    ...surroundings,
    folder,
    json: options.json === true,
    colour: isTerminal && !noColour && env.TERM !== 'dumb',
    line: (text = '') => out(`${text}\n`),
    print: (value) => out(`${JSON.stringify(value, null, 2)}\n`),
    typed: (text) => typedText({ env, homeDir, workingDir, folder }, text),
  }
}
