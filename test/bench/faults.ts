/** What is done to a host, whether it has taken effect, and how it is undone. */
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { until } from '../e2e/host.ts'
import type { Running } from '../e2e/processes.ts'
import type { Spot } from './ground.ts'

/** Power loss (no packet leaves any more), a killed process, a hung one. */
export const FAULTS = ['link down', 'SIGKILL', 'SIGSTOP'] as const

/** One of them. */
export type Fault = (typeof FAULTS)[number]

/** Something that a fault can be done to. */
export interface Victim {
  readonly name: string
  readonly spot: Spot
  /** A TCP port that it listens on. */
  readonly port: number
  process(): Running
  /** Starts it again after it was killed. */
  restart(): void
}

/** A packet that is not answered by then will not be: the hosts are on one machine. Milliseconds. */
const ANSWER_MS = 400
/** How long a process may take to be gone after SIGKILL, or to stand still: on a busy machine it comes to it late. Milliseconds. */
const GONE_MS = 2_000
const STOPPED_EVERY_MS = 5

/** Does it. */
export async function inject(fault: Fault, victim: Victim): Promise<void> {
  if (fault !== 'link down') {
    victim.process().kill(fault)
    return
  }
  if (victim.spot.cable === null) throw new Error('there is no cable to pull on loopback')
  await victim.spot.cable.cut()
}

/** Why a fault that was just injected has no effect; null when it has. It is looked for by other means than it was made. */
export async function whyWithoutEffect(fault: Fault, victim: Victim, limitMs = GONE_MS): Promise<string | null> {
  const { pid } = victim.process()
  switch (fault) {
    case 'link down':
      return (await answers(victim)) ? `${victim.name} still takes connections` : null
    case 'SIGKILL':
      return (await isGoneWithin(victim.process(), limitMs)) ? null : `${victim.name} still runs`
    case 'SIGSTOP': {
      const stopped = until('it to stop', limitMs, async () => (await stateOf(pid)) === 'T', STOPPED_EVERY_MS)
      if (await stopped.catch(() => false)) return null
      return `the process of ${victim.name} is in state ${await stateOf(pid)}, not stopped`
    }
    default:
      return fault satisfies never
  }
}

/** Undoes it. Does not wait until the others see the host again. */
export async function undo(fault: Fault, victim: Victim): Promise<void> {
  switch (fault) {
    case 'link down':
      return await victim.spot.cable?.mend()
    case 'SIGKILL':
      return victim.restart()
    case 'SIGSTOP':
      return victim.process().kill('SIGCONT')
    default:
      return fault satisfies never
  }
}

function answers({ spot, port }: Victim): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: spot.address, port, timeout: ANSWER_MS })
    const end = (isAnswered: boolean) => () => {
      socket.destroy()
      resolve(isAnswered)
    }
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false))
  })
}

async function isGoneWithin({ ended }: Running, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, limitMs, false)
  })
  const isGone = await Promise.race([ended.then(() => true), late])
  clearTimeout(timer)
  return isGone
}

/** The letter of a process's state. Source: proc(5), field 3 of `stat`. */
async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return /\) (\S)/u.exec(stat.slice(stat.lastIndexOf(')')))?.[1] ?? 'none'
}
