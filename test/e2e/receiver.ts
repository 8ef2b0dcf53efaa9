/** A recipient of a test: `muster recipient add` on a host, and `muster listen` in a process of its own. */
import { mkdir } from 'node:fs/promises'
import { type Host, until } from './host.ts'
import type { Processes, Running } from './processes.ts'

const PAIR_MS = 40_000
const END_MS = 25_000
/** How long a notice may take. Far above what is measured: a slow machine is no failure. Milliseconds. */
const TOLD_MS = 40_000

/** One incident within a notice. */
export interface SeenIncident {
  readonly id: string
  readonly aliases: readonly string[]
  readonly hostName: string
  readonly check: string
  readonly fault: string
  readonly severity: string
  readonly sinceUnixMs: number
  readonly voters: readonly string[]
  readonly observers: number
}

/** A notice as `muster listen --json` printed it. */
export interface SeenNotice {
  readonly heading: string
  readonly transition: string
  readonly incidents: readonly SeenIncident[]
  readonly massDeath: boolean
  readonly toldBy: string
  readonly teller: string
  readonly verified: boolean
  readonly text: string
  /** When the line was read, on the monotonic clock of the test. */
  readonly atMs: number
}

/** What the listener says when it ends. */
export interface ListenEnd {
  readonly notices: readonly {
    readonly transition: string
    readonly host: string
    readonly check: string
    readonly shown: number
    /** Copies in the node's store; null when it could not be asked. */
    readonly copies: number | null
  }[]
}

export interface Receiver {
  readonly name: string
  readonly dir: string
  /** All notices that were shown, oldest first, over all of its runs. */
  notices(): readonly SeenNotice[]
  /** Those that name a host (or a check of it). */
  about(hostName: string, check?: string): readonly SeenNotice[]
  /** The first notice of a transition that names a host, among those after the first `skip` of that kind. */
  next(transition: string, hostName: string, options?: NextOptions): Promise<SeenNotice>
  /** The node that it is connected to; null while there is none. */
  node(): string | null
  /** Starts it again after `stop`, without a link. */
  start(): void
  /** Ends it with SIGTERM; gives what it counted. */
  stop(): Promise<ListenEnd>
}

/** What is waited for. */
export interface NextOptions {
  readonly skip?: number
  readonly limitMs?: number
  readonly check?: string
}

type Line =
  | { readonly kind: 'node'; readonly node: string | null }
  | ({ readonly kind: 'notice' } & Omit<SeenNotice, 'atMs'>)
  | ({ readonly kind: 'end' } & ListenEnd)
  | { readonly kind: 'paired' }

/** Pairs a new recipient on a host, and listens. */
export async function createReceiver(
  processes: Processes,
  host: Host,
  name: string,
  dir: string,
  prefix: readonly string[] = [],
): Promise<Receiver> {
  const seen: SeenNotice[] = []
  let node: string | null = null
  let end: ListenEnd | null = null
  let listener: Running | null = null

  function listen(args: readonly string[]): void {
    end = null
    listener = processes.start(['listen', ...args, '--json', '--dir', dir], { prefix })
    listener.onLine((text) => {
      const line = JSON.parse(text) as Line
      if (line.kind === 'node') node = line.node
      if (line.kind === 'notice') seen.push({ ...line, atMs: performance.now() })
      if (line.kind === 'end') end = line
    })
  }

  const adding = processes.start(['recipient', 'add', name, '--json', '--dir', host.dir], { prefix: host.prefix })
  let link: string | null = null
  adding.onLine((line) => {
    link ??= (JSON.parse(line) as { link?: string }).link ?? null
  })
  await mkdir(dir, { recursive: true, mode: 0o700 })
  listen([await until('a pairing link', PAIR_MS, () => link)])
  const { code, err } = await adding.ended
  if (code !== 0) throw new Error(`${name} could not be paired: ${err}`)
  await until(`${name} to be connected`, PAIR_MS, () => node)

  const receiver: Receiver = {
    name,
    dir,
    notices: () => seen,
    about: (hostName, check = '') =>
      seen.filter(({ incidents }) => incidents.some((each) => each.hostName === hostName && each.check === check)),
    async next(transition, hostName, { skip = 0, limitMs = TOLD_MS, check = '' } = {}) {
      const what = `${name} to be told: ${transition} ${hostName} ${check}`
      const look = () => receiver.about(hostName, check).filter((notice) => notice.transition === transition)[skip]
      try {
        return await until(what, limitMs, look)
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.message : String(error)}\n${processes.lastWords()}`)
      }
    },
    node: () => node,
    start: () => listen([]),
    async stop() {
      listener?.kill('SIGTERM')
      const counted = await until(`${name} to count copies`, END_MS, () => end)
      await listener?.ended
      node = null
      return counted
    },
  }
  return receiver
}
