/**
 * A mesh falls into two halves at the moment in which a host dies: both halves tell of it, and the recipient hears both.
 *
 * It is connected to one node. Once both halves have told, it is cut off from the half that it is connected to, moves to
 * the other one, and finds there what that half told: only then has it seen what there was to be seen.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { until } from '../e2e/host.ts'
import type { BenchHost } from './bench-mesh.ts'
import { inject, undo, whyWithoutEffect } from './faults.ts'
import { separate } from './ground.ts'
import { isFired, type StockReceiver, startStockReceiver } from './stock-receiver.ts'
import type { Tellers } from './tellers.ts'

const run = promisify(execFile)

/** Both halves conclude, hold the notice for more deaths, and tell. Milliseconds. */
const TOLD_MS = 60_000
/** The recipient finds out that its node is gone, and moves. Milliseconds. */
const MOVED_MS = 90_000

/** One run: how many notices the recipient was shown that the host has died. */
export async function seenInPartition({ mesh, phone, phoneSpot, key, parting: dying }: Tellers): Promise<number> {
  await mesh.settled()
  const [some, others] = halvesOf(mesh.nodes.filter((node) => node !== dying))
  const witness = await startStockReceiver(mesh.mesh.processes, key, [some[0], others[0]].map(hostOf))
  const shownBefore = phone.notices().length
  const skip = phone.about(dying.name).filter(({ transition }) => transition === 'resolved').length
  const parted = await separate(some.map(spotOf), others.map(spotOf))
  try {
    await inject('link down', dying)
    const why = (await whyWithoutEffect('link down', dying)) ?? (await whyNotParted(some[0], others[0]))
    if (why !== null) throw new Error(`the fault was not injected: ${why}`)
    await until('both halves to tell', TOLD_MS, () =>
      [some, others].every((half) => half.some(({ name }) => hasTold(witness, name, dying.name))),
    )
    const near = await until('the recipient to have a node', MOVED_MS, () => halfOf([some, others], phone.node()))
    const far = near === some ? others : some
    const moved = await separate([phoneSpot], near.map(spotOf))
    try {
      const isFromFar = (teller: string): boolean => far.some(({ name }) => name === teller)
      await until('the recipient to hear the other half', MOVED_MS, () =>
        phone
          .notices()
          .slice(shownBefore)
          .some(({ toldBy }) => isFromFar(toldBy)),
      )
    } finally {
      await moved.mend()
    }
  } finally {
    await parted.mend()
    await undo('link down', dying)
    await witness.end()
  }
  await phone.next('resolved', dying.name, { limitMs: MOVED_MS, skip })
  await mesh.settled()
  return phone
    .notices()
    .slice(shownBefore)
    .filter((notice) => isFired(notice, dying.name, '')).length
}

/** Two halves, the unharmed host in the first. */
function halvesOf(nodes: readonly BenchHost[]): readonly [readonly BenchHost[], readonly BenchHost[]] {
  const middle = Math.ceil(nodes.length / 2)
  return [nodes.slice(0, middle), nodes.slice(middle)]
}

function hostOf(node: BenchHost | undefined): BenchHost['host'] {
  if (node === undefined) throw new Error('a half has nobody')
  return node.host
}

const spotOf = ({ spot }: BenchHost) => spot

function hasTold({ pushed }: StockReceiver, teller: string, about: string): boolean {
  return pushed.some((notice) => notice.toldBy === teller && isFired(notice, about, ''))
}

function halfOf(halves: readonly (readonly BenchHost[])[], node: string | null): readonly BenchHost[] | undefined {
  return halves.find((half) => half.some(({ spot }) => node?.includes(`/${spot.address}/`)))
}

/** Tries it from within, by other means than it was made. */
async function whyNotParted(from: BenchHost | undefined, to: BenchHost | undefined): Promise<string | null> {
  if (from === undefined || to === undefined) return 'a half has nobody'
  const [program = '', ...prefix] = from.spot.prefix
  const script = `exec 3<>/dev/tcp/${to.spot.address}/${to.port}`
  try {
    await run(program, [...prefix, 'timeout', '1', 'bash', '-c', script])
    return `${from.name} still reaches ${to.name}`
  } catch {
    return null
  }
}
