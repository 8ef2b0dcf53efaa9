/** The folder of the segments, as the recorder sees it. */
import { constants } from 'node:fs'
import { chmod, mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ignoreMissing } from '../identity/key-file.ts'

/** A segment in the folder. */
export interface FlightFile {
  readonly name: string
  readonly bytes: number
}

/** A segment that is being written. Nothing of it is ever fsynced: a power cut may cost its end. */
export interface FlightWriter {
  append(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** What the recorder asks of its folder. Everything throws the system's error. */
export interface FlightDisk {
  /** The segments, oldest first. Makes the folder where there is none. */
  list(): Promise<readonly FlightFile[]>
  remove(name: string): Promise<void>
  /** Begins a segment. Never writes over one that is there. */
  create(name: string): Promise<FlightWriter>
}

const NAME = /^[0-9]{8}\.flight$/

/** The file name of a segment, by its number. */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.flight`
}

/** The number in a segment's name. */
export function segmentNumber(name: string): number {
  return Number(name.slice(0, 8))
}

/** Where a host's recordings are, in its data folder. */
export function flightFolderOf(data: string): string {
  return join(data, 'flight')
}

/** The recordings of a folder, by name: those of a recorder, which are numbered in their order. */
export async function listSegments(folder: string): Promise<readonly FlightFile[]> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort()
  return await Promise.all(names.map(async (name) => ({ name, bytes: (await stat(join(folder, name))).size })))
}

/** The real folder. Only its owner may look into it. */
export function flightDiskOf(folder: string): FlightDisk {
  return {
    async list() {
      if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await chmod(folder, 0o700)
      return await listSegments(folder)
    },
    remove: (name) => unlink(join(folder, name)).catch(ignoreMissing),
    async create(name) {
      const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND } = constants
      const file = await open(join(folder, name), O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600)
      return { append: (bytes) => file.appendFile(bytes), close: () => file.close() }
    },
  }
}
