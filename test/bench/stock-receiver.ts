/** The unmodified `@waku/sdk` as a receiver, in a process of its own, with the time at which each notice came. */
import { createECDH } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { type Host, until } from '../e2e/host.ts'
import type { Processes } from '../e2e/processes.ts'

const PROGRAM = fileURLToPath(new URL('../e2e/foreign-receiver.ts', import.meta.url))
/** Far above what is measured. Milliseconds. */
const READY_MS = 60_000
const LOOK_EVERY_MS = 5

/** One notice as it was pushed by one node. */
export interface Pushed {
  /** Of the Waku message: copies that were sealed anew differ in it. */
  readonly hash: string
  readonly node: string
  readonly transition: string
  readonly toldBy: string
  readonly incidents: readonly {
    readonly id: string
    readonly aliases: readonly string[]
    readonly hostName: string
    readonly check: string
    readonly fault: string
  }[]
  /** On the monotonic clock of this process. */
  readonly atMs: number
}

/** A receiver that listens at some nodes, with one client for each. */
export interface StockReceiver {
  readonly pushed: readonly Pushed[]
  /**
   * The first "fired" about a host, or a check of it, from the place `from` in `pushed` on. Throws when it has not come
   * by `limitMs`.
   */
  fired(hostName: string, check: string, limitMs: number, from?: number): Promise<Pushed>
  end(): Promise<void>
}

/** A recipient's key, that the mesh knows. */
export interface RecipientKey {
  /** Hex. */
  readonly privateKey: string
}

/** Makes a key and tells the mesh of its public half. */
export async function addRecipient(host: Host, name: string): Promise<RecipientKey> {
  const ecdh = createECDH('secp256k1')
  const publicKey = ecdh.generateKeys('hex')
  const { code, err } = await host.muster('recipient', 'add', name, '--key', publicKey)
  if (code !== 0) throw new Error(`${name} could not be added on ${host.name}: ${err}`)
  return { privateKey: ecdh.getPrivateKey('hex').padStart(64, '0') }
}

/** Starts a receiver at the Waku nodes of these hosts, and waits until each has taken its subscription. */
export async function startStockReceiver(
  processes: Processes,
  { privateKey }: RecipientKey,
  hosts: readonly Host[],
): Promise<StockReceiver> {
  const nodes = await Promise.all(hosts.map(wakuAddressOf))
  const pushed: Pushed[] = []
  let isReady = false
  const running = processes.start(nodes, {
    program: [process.execPath, PROGRAM],
    env: { RECEIVER_KEY: privateKey },
  })
  running.onLine((line) => {
    // The sdk prints a few words of its own.
    if (!line.startsWith('{')) return
    const { ready, notice, hash, node } = JSON.parse(line) as Line
    if (ready === true) isReady = true
    else if (notice !== undefined) pushed.push({ hash, node, ...notice, atMs: performance.now() })
  })
  const end = async (): Promise<void> => {
    running.kill('SIGKILL')
    await running.ended
  }
  try {
    await until('the stock receiver to subscribe', READY_MS, () => {
      if (!running.isRunning()) throw new Error(running.err().slice(-3).join(' '))
      return isReady
    })
  } catch (error) {
    await end()
    throw error
  }
  return {
    pushed,
    fired: (hostName, check, limitMs, from = 0) =>
      until(
        `a notice of ${hostName} ${check}`,
        limitMs,
        () => pushed.slice(from).find((each) => isFired(each, hostName, check)),
        LOOK_EVERY_MS,
      ),
    end,
  }
}

interface Line {
  readonly ready?: boolean
  readonly notice?: Pick<Pushed, 'transition' | 'toldBy' | 'incidents'>
  readonly hash: string
  readonly node: string
}

/** Whether a notice says that this has begun. */
export function isFired(
  { transition, incidents }: Pick<Pushed, 'transition' | 'incidents'>,
  hostName: string,
  check: string,
): boolean {
  return transition === 'fired' && incidents.some((each) => each.hostName === hostName && each.check === check)
}

async function wakuAddressOf(host: Host): Promise<string> {
  const { wakuAddresses } = await host.status()
  const [address] = wakuAddresses
  if (address === undefined) throw new Error(`${host.name} serves no Waku`)
  return address
}
