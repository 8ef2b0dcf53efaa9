/** Finding recordings: one file, or all segments of a folder, be it that of a host, its data or its recordings. */
import { constants } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ignoreMissing, systemCode } from '../identity/key-file.ts'
import { flightLimits } from './limits.ts'
import { RecordingError } from './recording-error.ts'

/** How the files of recordings end. */
const ENDING = '.flight'

/** The recordings at a path, oldest first by their names; none when there are none. Throws the system's errors. */
export async function findRecordings(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  for (const folder of [path, join(path, 'flight'), join(path, 'data', 'flight')]) {
    const names = await readdir(folder).catch((error: unknown): string[] => {
      ignoreMissing(error)
      return []
    })
    const found = names.filter((name) => name.endsWith(ENDING)).sort()
    if (found.length > 0) return found.map((name) => join(folder, name))
  }
  return []
}

/** Reads a file that may be a recording. Throws a `RecordingError` `foreign` or `too-large`, and the system's errors. */
export async function readRecording(path: string): Promise<Uint8Array> {
  // Not blocking: a pipe in the file's place must not hang us.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = await file.stat()
    if (!found.isFile()) throw new RecordingError('foreign', 'this is no file')
    if (found.size > FILE_BYTES_MAX) throw new RecordingError('too-large', 'it is larger than any recording')
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** A segment and what a later release may make of it. */
const FILE_BYTES_MAX = 16 * flightLimits.segmentBytes

/** Why a path cannot be read, as half a line for a person. */
export function unreadableText(path: string, error: unknown): string {
  if (error instanceof RecordingError) return `${basename(path)}: ${error.message}`
  const code = systemCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no ${path}`
  return `${path} cannot be read (${code ?? 'unknown'})`
}
