/**
 * Files that hold a secret: written once, whole or not at all, readable by their owner alone.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, open, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type ConfigProblem, configError } from '../config/errors.ts'

/** Owner reads and writes, nobody else does anything. */
export const SECRET_FILE_MODE = 0o600

/** Longer than any key file of ours; a larger file is not one. */
const KEY_FILE_BYTES_MAX = 4096

/** What a key file is called in errors, and what to do when there is none. */
export interface KeyFileWords {
  /** Starts every error code: `swarm-key`. */
  readonly code: string
  /** For a sentence: `swarm key`. */
  readonly noun: string
  /** What to do when the file is missing. */
  readonly whenMissing: string
}

/** A system error's code, such as `ENOENT`, or undefined when it is no system error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/**
 * Reads a key file.
 *
 * `groupMayRead` is for the service's token alone. Throws what `parse` throws, and a `ConfigError`: `…-missing`,
 * `…-unreadable`, `…-empty`, `…-malformed` (too large, not a file), and, once the content is known to be good,
 * `…-exposed`: others could read it, and the remedy is the `chmod` to type. (A copy of the example is told so first.)
 */
export async function readKeyFile<Key>(
  path: string,
  words: KeyFileWords,
  parse: (text: string) => Key,
  groupMayRead = false,
): Promise<Key> {
  const problem = (kind: string, what: string, remedy: string): ConfigProblem => ({
    code: `${words.code}-${kind}`,
    file: path,
    what,
    remedy,
  })
  let file: FileHandle
  try {
    // Not blocking: a pipe in the file's place must not hang us.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    const code = systemCode(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw configError(problem('missing', `there is no ${words.noun} here`, words.whenMissing), { cause })
    }
    throw configError(
      problem('unreadable', `the ${words.noun} cannot be read (${code})`, 'run as the user who owns it, or as root'),
      { cause },
    )
  }
  try {
    const { mode, size, isFile } = await describe(file)
    if (!isFile) throw configError(problem('malformed', `the ${words.noun} is not a file`, words.whenMissing))
    if (size === 0) throw configError(problem('empty', `the ${words.noun} is empty`, words.whenMissing))
    if (size > KEY_FILE_BYTES_MAX) {
      throw configError(
        problem(
          'malformed',
          `${size} bytes are too many for a ${words.noun}`,
          `at most ${KEY_FILE_BYTES_MAX} are read`,
        ),
      )
    }
    const buffer = Buffer.alloc(KEY_FILE_BYTES_MAX)
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, 0)
    const key = parse(buffer.toString('utf8', 0, bytesRead))
    const mask = groupMayRead ? 0o037 : 0o077
    if ((mode & mask) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0')
      throw configError(
        problem(
          'exposed',
          `other users of this machine can get at the ${words.noun} (mode ${octal})`,
          `type: chmod ${groupMayRead ? '640' : '600'} ${shellWord(path)}`,
        ),
      )
    }
    return key
  } finally {
    await file.close()
  }
}

async function describe(file: FileHandle): Promise<{ mode: number; size: number; isFile: boolean }> {
  const found = await file.stat()
  return { mode: found.mode, size: found.size, isFile: found.isFile() }
}

/**
 * Writes a new secret file, on disk before this returns, and never over another.
 *
 * A crash leaves the whole file or none. Throws a `ConfigError` `…-exists`, or the system's error.
 */
export async function writeKeyFile(
  path: string,
  text: string,
  words: KeyFileWords,
  mode: number = SECRET_FILE_MODE,
): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  await writeDurably(draft, text, mode)
  try {
    await publish(draft, path)
  } catch (cause) {
    await unlink(draft)
    if (systemCode(cause) !== 'EEXIST') throw cause
    const what = `there is a ${words.noun} here already, and it is not overwritten`
    const remedy = 'keep it, or move it away first'
    throw configError({ code: `${words.code}-exists`, file: path, what, remedy }, { cause })
  }
  await syncFolder(dirname(path))
}

/** Replaces a small file so that after a crash either the old or the new text is there, whole. */
export async function replaceFile(path: string, text: string, mode: number = SECRET_FILE_MODE): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.draft`)
  await unlink(draft).catch(ignoreMissing)
  await writeDurably(draft, text, mode)
  await rename(draft, path)
  await syncFolder(dirname(path))
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    // The umask may have taken bits away that the mode asks for.
    await file.chmod(mode)
    await file.writeFile(text)
    await file.sync()
  } catch (error) {
    // A full disk takes the name and not the text: whoever tries again must not leave a draft each time.
    await unlink(path).catch(ignoreMissing)
    throw error
  } finally {
    await file.close()
  }
}

/** Gives the draft its name. A hard link refuses to overwrite; where there are none, look first. */
async function publish(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path)
  } catch (cause) {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(systemCode(cause) ?? '')) throw cause
    if (await exists(path)) throw Object.assign(new Error('exists'), { code: 'EEXIST' })
    await rename(draft, path)
    return
  }
  await unlink(draft)
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Whether anything has this name. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    ignoreMissing(error)
    return false
  }
}

/** For a `catch`: rethrows everything but "no such file". */
export function ignoreMissing(error: unknown): void {
  if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error
}

/** A path as a person would type it in a shell. */
export function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
