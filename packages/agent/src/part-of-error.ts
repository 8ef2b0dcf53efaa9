/**
 * Which part of the agent an error came out of that nobody caught.
 *
 * First its stack is asked for the newest line of ours: the folder says whose it is. An error that a library throws by
 * itself, from a socket or a timer, has no such line; but the part was started in a context that everything begun there
 * inherits, and the handler of such errors runs in it too.
 * Source: https://nodejs.org/api/async_context.html
 */
import { AsyncLocalStorage } from 'node:async_hooks'

/** One run of a part: it has the next number after each restart. */
export interface PartRun {
  readonly part: string
  readonly run: number
}

const starting = new AsyncLocalStorage<PartRun>()

/** A line of ours in a stack: package, file, line. In a clone, and where it is installed. */
const OWN_LINE = /(?:packages|@muster)\/(\w+)\/src\/([\w./-]+\.ts:\d+)/

const FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/^agent\/swarm\//, 'swarm'],
  [/^agent\/waku\//, 'waku'],
  [/^agent\/api\//, 'api'],
  [/^checks\//, 'checks'],
]

/** Runs the start of a part, so that what comes of it later is known to be of that part. */
export function startWithin<T>(run: PartRun, start: () => T): T {
  return starting.run(run, start)
}

/**
 * The part and which run of it, or null when it is of no part or that cannot be told. The run is null when only the
 * stack tells of the part. Called where the error was caught.
 */
export function partOfError(error: unknown): { readonly part: string; readonly run: number | null } | null {
  const context = starting.getStore()
  const place = placeOfError(error)
  if (place === null) return context ?? null
  const part = FOLDERS.find(([folder]) => folder.test(place))?.[1]
  if (part === undefined) return null
  return { part, run: context?.part === part ? context.run : null }
}

/** The newest place in our own code, as `agent/swarm/door.ts:88`; null when there is none in its stack. */
export function placeOfError(error: unknown): string | null {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return null
  // The message stands before the stack and may quote anything.
  const [, name, file] = OWN_LINE.exec(error.stack.split('\n').filter(isStackLine).join('\n')) ?? []
  return name === undefined ? null : `${name}/${file}`
}

function isStackLine(line: string): boolean {
  return line.startsWith('    at ')
}
