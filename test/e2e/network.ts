/**
 * A network of namespaces on this machine: a bridge, and for each host a namespace of its own on it, so that a host can
 * be cut off as by a pulled cable, without a word. Needs root and `ip`.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** One host's place in the network. */
export interface Place {
  readonly address: string
  /** Puts a command into the namespace. */
  readonly prefix: readonly string[]
  cut(): Promise<void>
  mend(): Promise<void>
}

export interface Network {
  readonly places: readonly Place[]
  readonly bridge: string
  /** This process, as the hosts reach it. */
  readonly gateway: string
  /** Removes all of it. */
  end(): Promise<void>
}

/** Why no network can be made here, or null when it can. */
export async function whyNoNetwork(): Promise<string | null> {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const name = `musterprobe${process.pid}`
  try {
    await ip('netns', 'add', name)
    await ip('link', 'add', `mp${process.pid}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    return null
  } catch (error) {
    return `ip cannot make a network here: ${error instanceof Error ? error.message.split('\n').at(-2) : String(error)}`
  } finally {
    // A namespace goes some time after its deletion, and what is in it: one that asks again would find the name taken.
    await ip('link', 'del', `mp${process.pid}`).catch(() => undefined)
    await ip('netns', 'del', name).catch(() => undefined)
  }
}

async function ip(...args: readonly string[]): Promise<string> {
  return (await run('ip', args)).stdout
}

/** Makes a network of so many hosts. This process has the address ending in 254. */
export async function createNetwork(count: number): Promise<Network> {
  const id = process.pid % 100_000
  const bridge = `mb${id}`
  const subnet = await freeSubnet(id)
  const names = Array.from({ length: count }, (_, index) => `muster${id}n${index + 1}`)
  const cableOf = (index: number): string => `mv${id}n${index + 1}`
  const end = async (): Promise<void> => {
    for (const name of names) await ip('netns', 'del', name).catch(() => undefined)
    await ip('link', 'del', bridge).catch(() => undefined)
  }
  try {
    await ip('link', 'add', bridge, 'type', 'bridge')
    await ip('addr', 'add', `${subnet}.254/24`, 'dev', bridge)
    await ip('link', 'set', bridge, 'up')
    const places: Place[] = []
    for (const [index, name] of names.entries()) {
      const cable = cableOf(index)
      const address = `${subnet}.${index + 1}`
      await ip('netns', 'add', name)
      await ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
      await ip('link', 'set', cable, 'master', bridge, 'up')
      await ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      await ip('-n', name, 'link', 'set', 'lo', 'up')
      await ip('-n', name, 'link', 'set', 'eth0', 'up')
      places.push({
        address,
        prefix: ['ip', 'netns', 'exec', name],
        cut: async () => void (await ip('link', 'set', cable, 'down')),
        mend: async () => void (await ip('link', 'set', cable, 'up')),
      })
    }
    return { places, bridge, gateway: `${subnet}.254`, end }
  } catch (error) {
    await end()
    throw error
  }
}

/** A /24 below 10.77 that no interface is in. */
async function freeSubnet(seed: number): Promise<string> {
  const taken = await ip('-o', 'addr')
  for (let turn = 0; turn < 250; turn += 1) {
    const subnet = `10.77.${1 + ((seed + turn) % 250)}`
    if (!taken.includes(`${subnet}.`)) return subnet
  }
  throw new Error('all of 10.77 is in use')
}
