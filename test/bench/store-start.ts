/** How long an agent takes from its start until it is ready: the real process, and what a user sees of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusView } from '../../packages/agent/src/api/shapes.ts'
import { type Host, until } from '../e2e/host.ts'
import type { Processes } from '../e2e/processes.ts'

/** Far above what is measured. Milliseconds. */
const READY_MS = 60_000
/** How long an agent runs before it is ended: as one does that is restarted, and not one that is stopped half-way. */
const RUNS_MS = 300

/** How a start was spent, in milliseconds: between launching and the agent's own code, and by what that says of it. */
export interface Spent {
  readonly loadingMs: number
  readonly openingMs: number
  readonly readingMs: number
  readonly startingMs: number
}

/** One start. */
export interface Start {
  /** From spawning the process until it has said that it runs, and its API has answered `status`. Seconds. */
  readonly seconds: number
  readonly status: StatusView
  /** Null without `verbose`. */
  readonly spent: Spent | null
}

/** Starts the agent of a host, waits until it is ready, and ends it. */
export async function measureStart(
  processes: Processes,
  host: Host,
  ending: 'SIGTERM' | 'SIGKILL',
  verbose = false,
): Promise<Start> {
  const startMs = performance.now()
  const agent = processes.start(['run', '--dir', host.dir, ...(verbose ? ['--verbose'] : [])])
  const runs = new Promise<void>((resolve) => {
    agent.onErrorLine((line) => {
      if (/ muster runs /u.test(line)) resolve()
    })
  })
  const limit = AbortSignal.timeout(READY_MS)
  const failed = new Promise<never>((_, reject) => {
    limit.addEventListener('abort', () => reject(new Error(`not ready: ${agent.err().slice(-3).join(' / ')}`)))
    void agent.ended.then(({ err }) => reject(new Error(`it ended: ${err}`)))
  })
  failed.catch(() => undefined)
  await Promise.race([runs, failed])
  const status = await until('status to answer', READY_MS, () => host.status())
  const seconds = (performance.now() - startMs) / 1_000
  const spent =
    agent
      .err()
      .map(parseSpent)
      .find((each) => each !== null) ?? null
  await sleep(RUNS_MS)
  agent.kill(ending)
  await agent.ended
  return { seconds, status, spent }
}

/** Reads the line of `muster run --verbose` that tells how its start was spent; null for any other. */
export function parseSpent(line: string): Spent | null {
  if (!/ the start was spent /u.test(line)) return null
  const of = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`, 'u').exec(line)?.[1])
  return {
    loadingMs: of('loadingMs'),
    openingMs: of('openingMs'),
    readingMs: of('readingMs'),
    startingMs: of('startingMs'),
  }
}
