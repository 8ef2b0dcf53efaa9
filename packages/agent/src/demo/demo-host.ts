/** One host of the demo: a folder that `muster init` or `muster join` made, an agent that runs on it, and its API. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { IncidentView, StatusView } from '../api/shapes.ts'
import type { Processes, Running } from './processes.ts'

/** How often a condition is looked at. Milliseconds: the resolution of the demo's timings. */
export const LOOK_EVERY_MS = 25

/**
 * A host of the demo, by its name and folder. What asks its API rejects when that answers with an error, or not within
 * 2 s. `digest` is the text of its history's digest: equal texts on two hosts mean an equal history. `agent` throws
 * while none runs; `start` does not wait for the agent to be ready.
 */
export interface DemoHost {
  readonly name: string
  readonly dir: string
  agent(): Running
  start(): void
  status(): Promise<StatusView>
  incidents(): Promise<readonly IncidentView[]>
  digest(): Promise<string>
  /** Where its swarm can be dialled. */
  peerAddress(): Promise<string>
}

/** A host whose folder has been made. */
export async function createDemoHost(processes: Processes, name: string, dir: string): Promise<DemoHost> {
  const config = join(dir, 'muster.yaml')
  // The demo stays on this machine: nothing of it listens, or is announced, beyond loopback.
  const text = (await readFile(config, 'utf8')).replaceAll('/ip4/0.0.0.0/', '/ip4/127.0.0.1/')
  await writeFile(config, text)
  const api = `http://${/listen: (127\.0\.0\.1:\d+)/.exec(text)?.[1] ?? ''}`
  let running: Running | null = null

  async function get<T>(path: string): Promise<T> {
    const answer = await fetch(`${api}/api/v1/${path}`, { signal: AbortSignal.timeout(2_000) })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
    return (await answer.json()) as T
  }

  return {
    name,
    dir,
    agent() {
      if (running === null) throw new Error(`${name} does not run`)
      return running
    },
    start() {
      running = processes.start(['run', '--dir', dir])
    },
    status: () => get<StatusView>('status'),
    incidents: async () => (await get<{ incidents: readonly IncidentView[] }>('incidents')).incidents,
    digest: async () => JSON.stringify(await get('digest')),
    async peerAddress() {
      const { addresses } = await get<StatusView>('status')
      const [first] = addresses
      if (first === undefined) throw new Error(`${name} listens nowhere`)
      return first
    },
  }
}

/**
 * Waits until a look at the world finds what is looked for, and returns it. A look that throws has found nothing yet.
 *
 * Throws, naming `what`, when it has not come after `limitMs`.
 */
export async function until<T>(what: string, limitMs: number, look: () => Promise<T | null>): Promise<T> {
  const startMs = performance.now()
  let last: unknown
  while (performance.now() - startMs < limitMs) {
    try {
      const found = await look()
      if (found !== null) return found
    } catch (error) {
      last = error
    }
    await sleep(LOOK_EVERY_MS)
  }
  throw new Error(
    `waited ${Math.round(limitMs / 1_000)} s in vain for: ${what}${last instanceof Error ? ` (${last.message})` : ''}`,
  )
}
