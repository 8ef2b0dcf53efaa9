/**
 * A file that names the process which works on a folder.
 *
 * It counts only while that process has the file open: a number that a killed process left behind may be another
 * program's by now. Where the system shows no open files, being alive must do.
 */
import { type FileHandle, link, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { ignoreMissing, systemCode } from '../identity/key-file.ts'

/** How often one that nobody holds is taken away and tried again: each time another was faster. */
const TRIES = 5
const MODE = 0o600

/** The file as long as it is ours. */
export interface PidFile {
  /** Removes it. */
  release(): Promise<void>
}

/** Writes this process into the file, or tells whose it is. Throws the system's error where nothing can be written. */
export async function takePidFile(path: string): Promise<PidFile | { readonly heldBy: number }> {
  const draft = `${path}.${process.pid}`
  await unlink(draft).catch(ignoreMissing)
  const file = await open(draft, 'wx', MODE)
  try {
    await file.writeFile(`${process.pid}\n`)
    for (let turn = 0; turn < TRIES; turn += 1) {
      if (await publish(draft, path)) return held(path, file)
      const pid = await readPid(path)
      if (pid !== undefined && (await hasOpen(pid, path))) {
        await file.close()
        return { heldBy: pid }
      }
      await unlink(path).catch(ignoreMissing)
    }
    throw new Error(`${path} changes hands all the time`)
  } catch (error) {
    await file.close()
    throw error
  } finally {
    await unlink(draft).catch(ignoreMissing)
  }
}

/** A hard link is there whole or not at all, and takes nobody's place. False when there is a file already. */
async function publish(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return false
    if (!['EPERM', 'ENOTSUP', 'ENOSYS'].includes(systemCode(cause) ?? '')) throw cause
    // A file system without hard links.
    await rename(draft, path)
    return true
  }
}

function held(path: string, file: FileHandle): PidFile {
  return {
    async release() {
      const ours = await file.stat()
      const there = await stat(path).catch(() => undefined)
      if (there?.ino === ours.ino && there.dev === ours.dev) await unlink(path).catch(ignoreMissing)
      await file.close()
    },
  }
}

/** The number in such a file; undefined when there is none. */
export async function readPid(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const digits = /^([1-9][0-9]{0,9})\n$/.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Whether a process has a file open, as far as we may see: another user's open files are hidden. */
export async function hasOpen(pid: number, path: string): Promise<boolean> {
  const wanted = await stat(path).catch(() => undefined)
  if (wanted === undefined) return false
  if (process.platform !== 'linux') return isAlive(pid)
  const folder = `/proc/${pid}/fd`
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const open = await stat(`${folder}/${name}`).catch(() => undefined)
    if (open?.ino === wanted.ino && open.dev === wanted.dev) return true
  }
  return false
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}
