/** Packets that a host never gets: lost at its own door, without a word to whoever sent them. Needs `iptables`. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Cut, Spot } from '../bench/ground.ts'
import { whyNoNetwork } from '../e2e/network.ts'

const run = promisify(execFile)

/** Matches three packets of ten, at random. Not every kernel has `tc netem`. */
export const LOSS_30: readonly string[] = ['-m', 'statistic', '--mode', 'random', '--probability', '0.3']

/** A fault that counts what it does. */
export interface Drop extends Cut {
  /** How many packets the rules of this place and chain have dropped so far. */
  count(): Promise<number>
}

/** Why packets cannot be dropped here, or null when they can. */
export async function whyNoPacketLoss(): Promise<string | null> {
  const why = await whyNoNetwork()
  if (why !== null) return why
  const name = `musterdrop${process.pid}`
  try {
    await run('ip', ['netns', 'add', name])
    await run('ip', ['netns', 'exec', name, ...ruleOf('-A', 'INPUT', LOSS_30)])
    return null
  } catch (error) {
    return `iptables cannot drop packets here: ${error instanceof Error ? error.message.split('\n')[1] : String(error)}`
  } finally {
    await run('ip', ['netns', 'del', name]).catch(() => undefined)
  }
}

function ruleOf(verb: '-A' | '-D', chain: 'INPUT' | 'OUTPUT', match: readonly string[]): readonly string[] {
  return ['iptables', '-w', verb, chain, ...match, '-j', 'DROP']
}

/** Drops what comes to a place (`INPUT`) or leaves it (`OUTPUT`) and matches. */
export async function drop({ prefix }: Spot, chain: 'INPUT' | 'OUTPUT', match: readonly string[]): Promise<Drop> {
  const [program = '', ...before] = prefix
  if (program === '') throw new Error('packets are dropped in namespaces only')
  const there = async (...command: readonly string[]): Promise<string> =>
    (await run(program, [...before, ...command])).stdout
  await there(...ruleOf('-A', chain, match))
  return {
    mend: async () => void (await there(...ruleOf('-D', chain, match))),
    async count() {
      const listed = await there('iptables', '-w', '-L', chain, '-v', '-x', '-n')
      return [...listed.matchAll(/^ *(\d+) +\d+ +DROP/gmu)].reduce((sum, [, packets]) => sum + Number(packets), 0)
    },
  }
}

/** All of these at once. */
export function together(cuts: readonly Cut[]): Cut {
  return { mend: async () => void (await Promise.all(cuts.map((cut) => cut.mend()))) }
}
