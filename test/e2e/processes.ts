/**
 * The processes of an end-to-end test: each is the real `muster` command, started through its launcher, and none
 * outlives the test, however it ends.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The command as it is installed. */
export const LAUNCHER = fileURLToPath(new URL('../../packages/agent/bin/muster.js', import.meta.url))

/** Lines of a process that is left running which are kept for when something goes wrong. */
const KEPT_LINES = 400
/** How long a process may take to end when it was asked to, milliseconds. */
const END_MS = 8_000

/** How a process ended: its exit code, or null when a signal ended it, and what it printed. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A process that was started. */
export interface Running {
  readonly pid: number
  readonly ended: Promise<Ended>
  isRunning(): boolean
  /** What it printed so far, the last lines of it. */
  out(): readonly string[]
  err(): readonly string[]
  /** Called with each further line on stdout. */
  onLine(listener: (line: string) => void): void
  /** Called with each further line on stderr. */
  onErrorLine(listener: (line: string) => void): void
  /** Sends a signal. Does nothing once it has ended. */
  kill(signal: NodeJS.Signals): void
}

/** How a process is started, where it differs from the rest. */
export interface StartOptions {
  /** What stands before it, for example `ip netns exec NAME`. */
  readonly prefix?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Another program than `node bin/muster.js`. */
  readonly program?: readonly string[]
}

export interface Processes {
  /** Starts `muster` with these arguments and leaves it running. */
  start(args: readonly string[], options?: StartOptions): Running
  /** Runs `muster` to its end, whatever its exit code. */
  run(args: readonly string[], options?: StartOptions): Promise<Ended>
  /** What all of them said last. */
  lastWords(): string
  /** Ends all that still run, also those that were stopped. */
  end(): Promise<void>
}

/** No processes yet. They see an environment of their own, with `home` for the home folder. */
export function createProcesses(home: string): Processes {
  const all: { readonly title: string; readonly process: Running }[] = []
  const killAll = (): void => {
    for (const { process: each } of all) each.kill('SIGKILL')
  }
  process.once('exit', killAll)

  function start(args: readonly string[], options: StartOptions = {}, keptLines = KEPT_LINES): Running {
    const command = [...(options.prefix ?? []), ...(options.program ?? [process.execPath, LAUNCHER]), ...args]
    const [file = '', ...rest] = command
    const child = spawn(file, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: home,
      env: { PATH: process.env.PATH ?? '', HOME: home, TZ: 'UTC', NO_COLOR: '1', ...options.env },
    })
    let isRunning = true
    const kept = { out: [] as string[], err: [] as string[] }
    const listeners = { out: [] as ((line: string) => void)[], err: [] as ((line: string) => void)[] }
    for (const name of ['out', 'err'] as const) {
      createInterface({ input: name === 'out' ? child.stdout : child.stderr }).on('line', (line) => {
        kept[name].push(line)
        if (kept[name].length > keptLines) kept[name].shift()
        for (const listener of listeners[name]) listener(line)
      })
    }
    const ended = new Promise<Ended>((resolve) => {
      child.on('error', (error) => kept.err.push(error.message))
      child.on('close', (code) => {
        isRunning = false
        resolve({ code, out: kept.out.join('\n'), err: kept.err.join('\n') })
      })
    })
    const running: Running = {
      pid: child.pid ?? 0,
      ended,
      isRunning: () => isRunning,
      out: () => kept.out,
      err: () => kept.err,
      onLine: (listener) => listeners.out.push(listener),
      onErrorLine: (listener) => listeners.err.push(listener),
      kill(signal) {
        if (isRunning) child.kill(signal)
      },
    }
    all.push({ title: args.join(' ').slice(0, 100), process: running })
    return running
  }

  return {
    start: (args, options) => start(args, options),
    // A command is asked for all that it prints.
    run: (args, options) => start(args, options, Number.POSITIVE_INFINITY).ended,
    lastWords: () =>
      all
        .filter(({ title }) => /^(?:run|listen|recipient)/u.test(title))
        .map(({ title, process: each }) => `# muster ${title}\n${[...each.out(), ...each.err()].slice(-30).join('\n')}`)
        .join('\n'),
    async end() {
      const left = all.filter(({ process: each }) => each.isRunning())
      for (const { process: each } of left) {
        each.kill('SIGTERM')
        // One that a test stopped must wake to hear of it.
        each.kill('SIGCONT')
      }
      const timer = setTimeout(killAll, END_MS)
      await Promise.all(left.map(({ process: each }) => each.ended))
      clearTimeout(timer)
      process.off('exit', killAll)
    },
  }
}
