/** What the kernel says of processes: memory, processor time, and bytes that their TCP connections sent. */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Memory of a process now, and the most it ever was. Megabytes (10^6 bytes). */
export interface Memory {
  readonly rssMb: number
  readonly peakMb: number
}

/** Resident memory of a process. Source: proc(5), `VmRSS` and `VmHWM`. Throws when there is no such process. */
export async function readMemory(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) * 1_024) / 1_000_000
  return { rssMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') }
}

/** Processor time that a process has used, user and system, in clock ticks. Source: proc(5), fields 14 and 15 of `stat`. */
export function cpuTicksOf(stat: string): number {
  // The program's name may hold spaces and parentheses: what follows its last one is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** Processor time that a process has used, in seconds. */
export async function readCpuSeconds(pid: number): Promise<number> {
  const ticks = cpuTicksOf(await readFile(`/proc/${pid}/stat`, 'utf8'))
  return ticks / (await clockTicksPerSecond())
}

let ticksPerSecond: number | undefined

async function clockTicksPerSecond(): Promise<number> {
  ticksPerSecond ??= Number((await run('getconf', ['CLK_TCK'])).stdout)
  return ticksPerSecond
}

/** A process and all that descend from it: an agent's launcher may have started it anew. */
export async function withDescendants(pid: number): Promise<readonly number[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    const parent = /^\d+ \(.*\) \S (\d+) /s.exec(stat)?.[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const family = [pid]
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.push(child)
  }
  return family
}

/** One TCP connection of a process, as `ss` tells it. */
export interface TcpReading {
  readonly pid: number
  readonly localPort: number
  readonly remotePort: number
  /** Payload, since the connection was made: retransmissions included, headers not. */
  readonly bytesSent: number
}

/** Reads what `ss -tinpHO` prints: one line for each established connection. */
export function parseConnections(text: string): readonly TcpReading[] {
  const readings: TcpReading[] = []
  for (const line of text.split('\n')) {
    const pid = /\bpid=(\d+)/.exec(line)?.[1]
    const [, localPort, remotePort] = /^ESTAB\s+\d+\s+\d+\s+\S+:(\d+)\s+\S+:(\d+)\s/.exec(line) ?? []
    if (pid === undefined || localPort === undefined || remotePort === undefined) continue
    const bytesSent = Number(/\bbytes_sent:(\d+)/.exec(line)?.[1] ?? 0)
    readings.push({ pid: Number(pid), localPort: Number(localPort), remotePort: Number(remotePort), bytesSent })
  }
  return readings
}

/**
 * The established TCP connections of all processes that we may look at, in the network namespace that `prefix` leads
 * into; null without `ss` (Debian: iproute2).
 */
export async function readConnections(prefix: readonly string[] = []): Promise<readonly TcpReading[] | null> {
  const [program = '', ...args] = [...prefix, 'ss', '-tinpHO']
  try {
    const { stdout } = await run(program, args, { maxBuffer: 16 * 1024 * 1024 })
    return parseConnections(stdout)
  } catch {
    return null
  }
}

/** What the interface of a process's network namespace has sent, headers and all. */
export interface SentOnWire {
  readonly bytes: number
  readonly packets: number
}

/** Sums what the interfaces other than loopback have sent, of the text of `/proc/PID/net/dev`. Source: proc(5). */
export function parseSentOnWire(text: string): SentOnWire {
  let bytes = 0
  let packets = 0
  for (const line of text.split('\n')) {
    const [, name, rest = ''] = /^\s*([^:\s]+):\s*(.*)$/u.exec(line) ?? []
    if (name === undefined || name === 'lo') continue
    const counters = rest.trim().split(/\s+/u).map(Number)
    bytes += counters[8] ?? 0
    packets += counters[9] ?? 0
  }
  return { bytes, packets }
}

/** What the network namespace of a process has sent since it was made. */
export async function readSentOnWire(pid: number): Promise<SentOnWire> {
  return parseSentOnWire(await readFile(`/proc/${pid}/net/dev`, 'utf8'))
}

/**
 * Sums what connections sent between readings.
 *
 * A connection that began after the first reading counts whole; of one that ended, what it sent after the last reading
 * is missed.
 */
export function createSentCounter(): {
  read(connections: readonly TcpReading[]): void
  sum(isWanted: (connection: TcpReading) => boolean): number
} {
  const seen = new Map<string, { first: TcpReading | null; last: TcpReading }>()
  let isFirst = true
  return {
    read(connections) {
      for (const connection of connections) {
        const key = `${connection.pid} ${connection.localPort} ${connection.remotePort}`
        const known = seen.get(key)
        if (known === undefined) seen.set(key, { first: isFirst ? connection : null, last: connection })
        else known.last = connection
      }
      isFirst = false
    },
    sum(isWanted) {
      let bytes = 0
      for (const { first, last } of seen.values()) {
        if (isWanted(last)) bytes += last.bytesSent - (first?.bytesSent ?? 0)
      }
      return bytes
    },
  }
}
