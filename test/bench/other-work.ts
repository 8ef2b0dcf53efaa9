/** How much else the machine does meanwhile: figures from a busy machine are to be known as such. */
import { readdir, readFile } from 'node:fs/promises'
import { cpus } from 'node:os'

const SAMPLE_MS = 5_000

/** What one reading of `/proc` says, in clock ticks since the machine, or the process, started. */
export interface Reading {
  /** Of all cores: time in which they worked, and time in all. */
  readonly busy: number
  readonly all: number
  /** By process: its parent, and what it and its ended children have used. */
  readonly processes: ReadonlyMap<number, { readonly parent: number; readonly ticks: number }>
}

/** The first line of `/proc/stat`. Source: proc(5): user, nice, system, idle, iowait, irq, softirq, steal. */
export function parseCpuLine(text: string): Pick<Reading, 'busy' | 'all'> {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = (
    /^cpu +(.*)$/mu.exec(text)?.[1] ?? ''
  )
    .split(' ')
    .map(Number)
  const busy = user + nice + system + irq + soft + steal
  return { busy, all: busy + idle + wait }
}

/** The share of all cores (0 to 1) that processes other than `root` and its descendants used between two readings. */
export function shareOfOthers(before: Reading, after: Reading, root: number): number {
  const ours = ticksOf(after, root) - ticksOf(before, root)
  const all = after.all - before.all
  return all === 0 ? 0 : Math.max(0, after.busy - before.busy - ours) / all
}

function ticksOf({ processes }: Reading, root: number): number {
  let ticks = 0
  for (const [pid, process] of processes) {
    let ancestor = pid
    // A family tree has no cycles, but it is not read in one moment.
    for (let depth = 0; depth < 16 && ancestor !== root && ancestor > 1; depth += 1) {
      ancestor = processes.get(ancestor)?.parent ?? 0
    }
    if (ancestor === root) ticks += process.ticks
  }
  return ticks
}

async function read(): Promise<Reading> {
  const processes = new Map<number, { parent: number; ticks: number }>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/u.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [, parent = 0] = fields
    // Fields 14 to 17: user and system time, its own and of children that were waited for.
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0)
    if (stat !== '') processes.set(Number(name), { parent, ticks })
  }
  return { ...parseCpuLine(await readFile('/proc/stat', 'utf8')), processes }
}

/** Watches until it is stopped. */
export interface OtherWork {
  /** Ends it; gives one line for a person, null where it cannot be known. */
  stop(): string | null
}

/** Begins to watch. */
export function watchOtherWork(): OtherWork {
  const shares: number[] = []
  let before: Reading | undefined
  const sample = async (): Promise<void> => {
    const after = await read()
    if (before !== undefined) shares.push(shareOfOthers(before, after, process.pid))
    before = after
  }
  const look = (): void => void sample().catch(() => undefined)
  look()
  const timer = setInterval(look, SAMPLE_MS)
  return {
    stop() {
      clearInterval(timer)
      const sorted = shares.toSorted((a, b) => a - b)
      const [most] = sorted.slice(-1)
      const middle = sorted[Math.floor(sorted.length / 2)]
      if (most === undefined || middle === undefined) return null
      const percent = (share: number): string => (100 * share).toFixed(0)
      return `of the machine's ${cpus().length} cores other programs used ${percent(middle)} % (median) and ${percent(most)} % (most, in ${SAMPLE_MS / 1_000} s)`
    },
  }
}
