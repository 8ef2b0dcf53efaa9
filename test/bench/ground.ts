/**
 * Where the hosts of a benchmark live: each in a network namespace of its own, so that its cable can be pulled, or all on
 * loopback where that is not possible.
 */
import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { createNetwork, type Network, type Place, whyNoNetwork } from '../e2e/network.ts'

const run = promisify(execFile)

/** The place of one host. */
export interface Spot {
  readonly address: string
  /** What stands before each command of the host. */
  readonly prefix: readonly string[]
  /** Null on loopback. */
  readonly cable: Pick<Place, 'cut' | 'mend'> | null
}

/** All places of a benchmark. */
export interface Ground {
  /** Why all hosts are on loopback; null when each has a network namespace. */
  readonly whyLoopback: string | null
  /** This process, as the hosts reach it. */
  readonly gateway: string
  /** A place that nobody has yet. Throws when all are taken. */
  take(): Spot
  /** Removes all of it. */
  end(): Promise<void>
}

/** Makes places for so many hosts. What it makes of the network is gone when this process ends, however it ends. */
export async function createGround(count: number): Promise<Ground> {
  const whyLoopback = await whyNoNetwork()
  if (whyLoopback !== null) {
    const spot: Spot = { address: '127.0.0.1', prefix: [], cable: null }
    return { whyLoopback, gateway: spot.address, take: () => spot, end: async () => undefined }
  }
  const network = await createNetwork(count)
  const endNow = (): void => removeNow(network)
  process.once('exit', endNow)
  let taken = 0
  return {
    whyLoopback,
    gateway: network.gateway,
    take() {
      const place = network.places[taken]
      if (place === undefined) throw new Error(`all ${count} places are taken`)
      taken += 1
      return { address: place.address, prefix: place.prefix, cable: place }
    },
    async end() {
      await network.end()
      process.off('exit', endNow)
    },
  }
}

/** The last chance: this process ends and nothing can be waited for. */
function removeNow({ places, bridge }: Network): void {
  for (const args of [...places.map(({ prefix }) => ['netns', 'del', spaceOf(prefix)]), ['link', 'del', bridge]]) {
    try {
      execFileSync('ip', args, { stdio: 'ignore' })
    } catch {
      // It is gone already.
    }
  }
}

function spaceOf(prefix: readonly string[]): string {
  return prefix.at(-1) ?? ''
}

/** Something that was cut and can be mended. */
export interface Cut {
  mend(): Promise<void>
}

/** Cuts two groups of hosts off from each other, both ways, without a word. All of them are in namespaces. */
export async function separate(some: readonly Spot[], others: readonly Spot[]): Promise<Cut> {
  const pairs = some.flatMap((spot) => others.map((other) => [spot, other] as const))
  const both = pairs.flatMap(([spot, other]) => [[spot, other] as const, [other, spot] as const])
  const route = async (verb: 'add' | 'del'): Promise<void> => {
    const change = ([spot, { address }]: readonly [Spot, Spot]): Promise<unknown> =>
      run('ip', ['-n', spaceOf(spot.prefix), 'route', verb, 'blackhole', `${address}/32`])
    await Promise.all(both.map(change))
  }
  await route('add')
  return { mend: () => route('del') }
}

/** Lets nothing more out of a host that goes to, or comes from, one of these TCP ports. The host is in a namespace. */
export async function blockPorts({ prefix }: Spot, ports: readonly number[]): Promise<Cut> {
  const rule = async (verb: 'add' | 'del'): Promise<void> => {
    for (const port of ports) {
      for (const side of ['dport', 'sport']) {
        await run('ip', ['-n', spaceOf(prefix), 'rule', verb, 'ipproto', 'tcp', side, String(port), 'blackhole'])
      }
    }
  }
  await rule('add')
  return { mend: () => rule('del') }
}
