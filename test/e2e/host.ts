/** One host of a test: a folder that `muster init` or `muster join` made, its agent, and what its API says. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HistoryView, HostView, IncidentView, StatusView } from '../../packages/agent/src/api/shapes.ts'
import { freePorts, type Ports } from './ports.ts'
import type { Ended, Processes, Running } from './processes.ts'

/** How often a condition is looked at, milliseconds. */
const LOOK_EVERY_MS = 25
const GET_MS = 2_000

/** What a test writes into `muster.yaml`, where it differs from what `init` wrote. */
export interface HostSettings {
  /** YAML in braces. */
  readonly presence?: string | undefined
  /** YAML of entries of `checks`, each in braces; they take the place of those that `init` wrote. */
  readonly checks?: readonly string[] | undefined
  /** Where it listens; loopback when absent. */
  readonly address?: string
  /** What stands before each command of this host. */
  readonly prefix?: readonly string[]
}

export interface Host {
  readonly name: string
  readonly dir: string
  readonly ports: Ports
  /** What stands before each command of this host. */
  readonly prefix: readonly string[]
  /** Where its swarm is dialled. */
  readonly peer: string
  /** Starts the agent. */
  start(): Running
  /** The agent that was started last. */
  agent(): Running
  /** Sends the agent a signal; resolves when it has ended. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<Ended>
  /** Runs a command on this host. */
  muster(...args: readonly string[]): Promise<Ended>
  get<T>(path: string): Promise<T>
  status(): Promise<StatusView>
  incidents(): Promise<readonly IncidentView[]>
  /** The newest incident that is about a host itself, or null. */
  incidentOf(hostName: string): Promise<IncidentView | null>
  /** What this host believes about another, or null. */
  view(hostName: string): Promise<HostView | null>
  history(hostName: string): Promise<HistoryView>
  /** The hash of all logs that it holds. */
  digest(): Promise<string>
}

/** Takes a folder that was just made, and makes its config one for tests. */
export async function createHost(
  processes: Processes,
  name: string,
  dir: string,
  settings: HostSettings,
): Promise<Host> {
  const { prefix = [], address = '127.0.0.1' } = settings
  const ports = await freePorts()
  await rewrite(join(dir, 'muster.yaml'), ports, settings)
  let running: Running | null = null

  async function get<T>(path: string): Promise<T> {
    if (prefix.length > 0) return await getThere<T>(path)
    const answer = await fetch(`http://127.0.0.1:${ports.api}/api/v1/${path}`, { signal: AbortSignal.timeout(GET_MS) })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
    return (await answer.json()) as T
  }

  /** From where this process is, the API is off loopback: there it wants the token. */
  async function getThere<T>(path: string): Promise<T> {
    const token = (await readFile(join(dir, 'api.token'), 'utf8')).trim()
    const answer = await fetch(`http://${address}:${ports.api}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(GET_MS),
    })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
    return (await answer.json()) as T
  }

  const host: Host = {
    name,
    dir,
    ports,
    prefix,
    peer: `/ip4/${address}/tcp/${ports.swarm}`,
    start() {
      running = processes.start(['run', '--dir', dir], { prefix })
      return running
    },
    agent() {
      if (running === null) throw new Error(`${name} was never started`)
      return running
    },
    async end(signal) {
      const agent = host.agent()
      agent.kill(signal)
      return await agent.ended
    },
    muster: (...args) => processes.run([...args.slice(0, 1), '--dir', dir, ...args.slice(1)], { prefix }),
    get,
    status: () => get<StatusView>('status'),
    incidents: async () => (await get<{ incidents: readonly IncidentView[] }>('incidents')).incidents,
    async incidentOf(hostName) {
      const about = (await host.incidents()).filter(({ hostName: its, check }) => its === hostName && check === '')
      return about.sort((a, b) => b.sinceUnixMs - a.sinceUnixMs)[0] ?? null
    },
    view: async (hostName) => (await host.status()).hosts.find(({ name: its }) => its === hostName) ?? null,
    history: (hostName) => get<HistoryView>(`history?host=${hostName}&limit=1000`),
    digest: async () => JSON.stringify(await get('digest')),
  }
  return host
}

async function rewrite(file: string, ports: Ports, settings: HostSettings): Promise<void> {
  const { presence, checks, address = '127.0.0.1' } = settings
  let text = (await readFile(file, 'utf8'))
    .replace(/^( +listen: )\[\/ip4\/0\.0\.0\.0\/tcp\/\d+\]/mu, `$1[/ip4/${address}/tcp/${ports.swarm}]`)
    .replace(/^( +listen: )\[\/ip4\/0\.0\.0\.0\/tcp\/\d+\/ws\]/mu, `$1[/ip4/${address}/tcp/${ports.waku}/ws]`)
    .replace(/^api: .*$/mu, `api: {listen: ${address}:${ports.api}}`)
  if (presence !== undefined) text = text.replace(/^presence: .*$/mu, `presence: ${presence}`)
  if (checks !== undefined) {
    text = text.replace(/^checks:\n(?: +.*\n)+/mu, `checks:\n${checks.map((each) => `  - ${each}\n`).join('')}`)
  }
  await writeFile(file, text)
}

/**
 * Waits until a look at the world finds what is looked for, and returns it. A look that throws has found nothing yet.
 *
 * Throws, naming `what`, when it has not come after `limitMs`.
 */
export async function until<T>(
  what: string,
  limitMs: number,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  everyMs = LOOK_EVERY_MS,
): Promise<T> {
  const startMs = performance.now()
  let last: unknown
  for (;;) {
    try {
      const found = await look()
      if (found !== null && found !== undefined && found !== false) return found
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() - startMs > limitMs) break
    await sleep(everyMs)
  }
  const why = last instanceof Error ? ` (${last.message})` : ''
  throw new Error(`waited ${Math.round(limitMs / 1_000)} s in vain for: ${what}${why}`)
}
