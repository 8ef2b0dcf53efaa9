/** The demo's phone: `muster recipient add` on a host, `muster listen LINK --json` in a process of its own. */
import { mkdir } from 'node:fs/promises'
import { type DemoHost, until } from './demo-host.ts'
import type { Processes } from './processes.ts'

const PAIR_LIMIT_MS = 30_000
const END_LIMIT_MS = 20_000

/** A notice as the listener printed it. */
export interface SeenNotice {
  readonly transition: string
  readonly incidents: readonly { readonly hostName: string; readonly check: string }[]
  readonly text: string
  readonly teller: string
  readonly verified: boolean
  /** When the demo read the line, on its monotonic clock. */
  readonly atMs: number
}

/** What the listener says when it ends. */
export interface ListenEnd {
  readonly notices: readonly {
    readonly transition: string
    readonly host: string
    /** Empty for the host itself. */
    readonly check: string
    readonly shown: number
    /** Copies in the node's store; null when it could not be asked. */
    readonly copies: number | null
  }[]
}

/** A paired recipient that listens. Its waits throw when what they wait for has not come within their limit. */
export interface DemoReceiver {
  /** The node that it is connected to; null while there is none. */
  node(): string | null
  /** The first notice of this transition of a host itself, once it has come. */
  next(transition: string, host: string, limitMs: number): Promise<SeenNotice>
  /** Ends the listener, which counts the copies on the wire by a store query before it goes. */
  end(): Promise<ListenEnd>
}

/** Lines of `muster listen --json`. */
type Line =
  | { readonly kind: 'node'; readonly node: string | null }
  | {
      readonly kind: 'notice'
      readonly transition: string
      readonly incidents: SeenNotice['incidents']
      readonly text: string
      readonly teller: string
      readonly verified: boolean
    }
  | ({ readonly kind: 'end' } & ListenEnd)
  | { readonly kind: 'paired' }

/** Pairs a listener with the mesh of these hosts. */
export async function createDemoReceiver(
  processes: Processes,
  hosts: readonly DemoHost[],
  dir: string,
): Promise<DemoReceiver> {
  const [first] = hosts
  if (first === undefined) throw new Error('a mesh has a host')
  const adding = processes.start(['recipient', 'add', 'phone', '--json', '--dir', first.dir])
  let link: string | null = null
  adding.onLine((line) => {
    const said = JSON.parse(line) as { link?: string }
    link ??= said.link ?? null
  })
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const pairingLink = await until('a pairing link', PAIR_LIMIT_MS, async () => link)
  const listener = processes.start(['listen', pairingLink, '--json', '--dir', dir])
  const seen: SeenNotice[] = []
  let node: string | null = null
  let end: ListenEnd | null = null
  listener.onLine((text) => {
    const line = JSON.parse(text) as Line
    if (line.kind === 'node') node = line.node
    if (line.kind === 'notice') seen.push({ ...line, atMs: performance.now() })
    if (line.kind === 'end') end = line
  })
  const code = await adding.ended
  if (code !== 0) throw new Error(`the phone could not be paired: ${adding.lastWords().join(' ')}`)
  await until('the phone to be connected', PAIR_LIMIT_MS, async () => node)
  return {
    node: () => node,
    next: (transition, host, limitMs) =>
      until(`a notice of ${host}: ${transition}`, limitMs, async () => {
        const isIt = (notice: SeenNotice): boolean =>
          notice.transition === transition &&
          notice.incidents.some(({ hostName, check }) => hostName === host && check === '')
        return seen.find(isIt) ?? null
      }),
    async end() {
      listener.kill('SIGTERM')
      return await until('the listener to count copies', END_LIMIT_MS, async () => end)
    },
  }
}
