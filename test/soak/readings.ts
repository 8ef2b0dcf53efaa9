/** Readings of what agents hold, taken while they run: memory, open descriptors, space on disk. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchMesh } from '../bench/bench-mesh.ts'
import { readMemory } from '../bench/process-readings.ts'

const READ_EVERY_MS = 10_000
/** The disk is walked for it: each so many readings. */
const DISK_EACH = 6
/** Source: stat(2), `st_blocks`. */
const BLOCK_BYTES = 512

/** One agent at one moment. */
export interface AgentReading {
  readonly name: string
  /** The process: another number, another life. */
  readonly pid: number
  /** Since the first reading of all, hours. */
  readonly hours: number
  /** Since the first reading of this life, minutes. */
  readonly ageMinutes: number
  readonly rssMb: number
  readonly descriptors: number
}

/** What a host holds on disk at one moment, in MB (10^6 bytes) of blocks. */
export interface DiskReading {
  readonly name: string
  readonly hours: number
  readonly storeMb: number
  /** The flight recorder, which is bounded by itself and not part of the store. */
  readonly recorderMb: number
}

/** Readings so far. */
export interface Readings {
  readonly agents: readonly AgentReading[]
  readonly disks: readonly DiskReading[]
  /** Ends it. */
  stop(): void
}

/** Begins to read. Hosts of which `isOut` holds are left alone meanwhile: they are dead, or do not run. */
export function startReadings({ nodes }: BenchMesh, isOut: (name: string) => boolean): Readings {
  const agents: AgentReading[] = []
  const disks: DiskReading[] = []
  const births = new Map<number, number>()
  const startMs = performance.now()
  let round = 0
  const read = async (): Promise<void> => {
    const atMs = performance.now()
    const hours = (atMs - startMs) / 3_600_000
    const isOfDisk = round % DISK_EACH === 0
    round += 1
    for (const { name, host, process } of nodes) {
      if (isOut(name)) continue
      const { pid } = process()
      const bornMs = births.get(pid)
      // One that has just been started may still be the command before it, on its way into the namespace.
      if (bornMs === undefined) births.set(pid, atMs)
      if (bornMs === undefined && births.size > nodes.length) continue
      // It may die just now.
      const memory = await readMemory(pid).catch(() => null)
      const open = await readdir(`/proc/${pid}/fd`).catch(() => null)
      if (memory !== null && open !== null && Number.isFinite(memory.rssMb)) {
        const { rssMb } = memory
        agents.push({
          name,
          pid,
          hours,
          ageMinutes: (atMs - (bornMs ?? atMs)) / 60_000,
          rssMb,
          descriptors: open.length,
        })
      }
      if (isOfDisk) {
        const data = join(host.dir, 'data')
        const recorderMb = await sizeMb(join(data, 'flight'))
        disks.push({ name, hours, storeMb: (await sizeMb(data)) - recorderMb, recorderMb })
      }
    }
  }
  let reading = read()
  const timer = setInterval(() => {
    reading = reading.then(read)
  }, READ_EVERY_MS)
  return { agents, disks, stop: () => clearInterval(timer) }
}

/** All files below a folder; what goes away while it is walked has no size. */
async function sizeMb(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const stats = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => null)))
  const blocks = stats.reduce((sum, one) => sum + (one?.isFile() === true ? one.blocks : 0), 0)
  return (blocks * BLOCK_BYTES) / 1_000_000
}
