/** The demo's processes: each is the real `muster` command, and none outlives the demo. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../bin/muster.js', import.meta.url))
/** Lines of a process that are kept for when something goes wrong. */
const KEPT_LINES = 40
/** How long a process may take to end when it was asked to. */
const END_MS = 5_000

/** A process that was started, and what it said last. */
export interface Running {
  readonly pid: number
  readonly ended: Promise<number | null>
  /** Called with each line on stdout from now on. */
  onLine(listener: (line: string) => void): void
  lastWords(): readonly string[]
  kill(signal: NodeJS.Signals): void
}

/** Every process that the demo has started, so that all of them can be ended, or their last words shown, at once. */
export interface Processes {
  /** Starts `muster` with these arguments and leaves it running. */
  start(args: readonly string[]): Running
  /** Runs `muster` to its end. Throws with what it printed when it fails. */
  run(args: readonly string[]): Promise<string>
  /** What each process that was started said last, for when something went wrong. */
  lastWords(): readonly string[]
  /** Ends all that still run. */
  end(): Promise<void>
  /** Leaves them running when this process ends. */
  release(): void
}

/** No processes yet. `keep` lets them outlive this process. */
export function createProcesses({ keep }: { readonly keep: boolean }): Processes {
  const running = new Set<{ child: ChildProcess; ended: Promise<number | null> }>()
  const said: { readonly args: readonly string[]; readonly kept: readonly string[] }[] = []

  function start(args: readonly string[]): Running {
    const child = spawn(process.execPath, [LAUNCHER, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: keep,
      env: { ...process.env, NO_COLOR: '1' },
    })
    const kept: string[] = []
    said.push({ args, kept })
    const listeners: ((line: string) => void)[] = []
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        kept.push(line)
        if (kept.length > KEPT_LINES) kept.shift()
        if (stream === child.stdout) for (const listener of listeners) listener(line)
      })
    }
    const ended = once(child, 'exit').then(([code]) => code as number | null)
    const entry = { child, ended }
    running.add(entry)
    void ended.then(() => running.delete(entry))
    return {
      pid: child.pid ?? 0,
      ended,
      onLine: (listener) => listeners.push(listener),
      lastWords: () => kept,
      kill: (signal) => child.kill(signal),
    }
  }

  return {
    start,
    async run(args) {
      const process = start(args)
      const lines: string[] = []
      process.onLine((line) => lines.push(line))
      const code = await process.ended
      if (code !== 0) throw new Error(`muster ${args[0]} ended with ${code}: ${process.lastWords().join(' ')}`)
      return lines.join('\n')
    },
    lastWords: () =>
      said.flatMap(({ args, kept }) => [`muster ${args.join(' ')}`.slice(0, 120), ...kept.map((line) => `  ${line}`)]),
    async end() {
      const all = [...running]
      for (const { child } of all) child.kill('SIGTERM')
      const timer = setTimeout(() => {
        for (const { child } of all) child.kill('SIGKILL')
      }, END_MS)
      await Promise.all(all.map(({ ended }) => ended))
      clearTimeout(timer)
    },
    release() {
      for (const { child } of running) {
        child.unref()
        for (const stream of [child.stdout, child.stderr]) {
          if (stream !== null && 'unref' in stream && typeof stream.unref === 'function') stream.unref()
        }
      }
    },
  }
}
