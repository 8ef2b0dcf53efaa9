/**
 * The folder that holds everything of one host: config, keys, token and data. Nobody else may look into it.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { configError } from '../config/errors.ts'
import { type KeyFileWords, readKeyFile, SECRET_FILE_MODE, shellWord, systemCode, writeKeyFile } from './key-file.ts'

/** Where the systemd service keeps its folder; members of its group may enter it and read its token. */
export const SERVICE_FOLDER = '/var/lib/muster'

const FOLDER_MODE = 0o700
const SERVICE_FOLDER_MODE = 0o750
const SERVICE_TOKEN_MODE = 0o640
const TOKEN_BYTES = 32

const TOKEN_WORDS: KeyFileWords = {
  code: 'api-token',
  noun: 'API token',
  whenMissing: 'start the agent with: muster run (it makes one)',
}

/** Where a host's files are. All paths are absolute. */
export interface Folder {
  readonly path: string
  /** `muster.yaml` */
  readonly config: string
  readonly swarmKey: string
  readonly identityKey: string
  /** Only where the mesh began. */
  readonly ownerKey: string
  /** The key of `muster listen`. */
  readonly listenKey: string
  readonly apiToken: string
  /** The folder of the store. */
  readonly data: string
  /** The service's folder: its group may read the token. */
  readonly isService: boolean
}

/** What decides which folder is meant. */
export interface FolderChoice {
  /** `--dir`. */
  readonly dir?: string | undefined
  /** The environment: `MUSTER_DIR` and `XDG_CONFIG_HOME` are read. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly homeDir: string
  readonly workingDir: string
  /** Only tests say otherwise. */
  readonly serviceFolder?: string
}

/**
 * The folder that is meant: `--dir`, else `MUSTER_DIR`, else `$XDG_CONFIG_HOME/muster`, else `~/.config/muster`.
 *
 * Empty variables count as unset, and a relative `XDG_CONFIG_HOME` is ignored, as its specification demands.
 * Source: https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function resolveFolder({ dir, env, homeDir, workingDir, serviceFolder }: FolderChoice): Folder {
  const { MUSTER_DIR: musterDir = '', XDG_CONFIG_HOME: configHome = '' } = env
  const chosen = [dir ?? '', musterDir].find((path) => path !== '')
  const base = isAbsolute(configHome) ? configHome : join(homeDir, '.config')
  const path = chosen === undefined ? join(base, 'muster') : resolve(workingDir, chosen)
  return {
    path,
    config: join(path, 'muster.yaml'),
    swarmKey: join(path, 'swarm.key'),
    identityKey: join(path, 'identity.key'),
    ownerKey: join(path, 'owner.key'),
    listenKey: join(path, 'listen.key'),
    apiToken: join(path, 'api.token'),
    data: join(path, 'data'),
    isService: path === (serviceFolder ?? SERVICE_FOLDER),
  }
}

/** Makes the folder, for its owner alone, where there is none. Throws a `ConfigError` `folder-unusable`. */
export async function createFolder(folder: Folder): Promise<void> {
  try {
    const made = await mkdir(folder.path, { recursive: true, mode: FOLDER_MODE })
    // Only what we made: a folder that was there before keeps its mode and is checked instead.
    if (made !== undefined) await chmod(folder.path, folder.isService ? SERVICE_FOLDER_MODE : FOLDER_MODE)
  } catch (cause) {
    throw configError(
      {
        code: 'folder-unusable',
        file: folder.path,
        what: `this folder cannot be made (${systemCode(cause)})`,
        remedy: 'name another with --dir DIR or MUSTER_DIR',
      },
      { cause },
    )
  }
  await checkFolder(folder)
}

/**
 * Makes sure that the folder is there and closed to others.
 *
 * Throws a `ConfigError`: `folder-missing`, `folder-unusable`, `folder-exposed` (the remedy is the `chmod` to type) or
 * `folder-foreign` when it belongs to another user, who could change everything in it.
 */
export async function checkFolder(folder: Folder): Promise<void> {
  const file = folder.path
  const found = await stat(file).catch((cause: unknown) => {
    const code = systemCode(cause)
    const isMissing = code === 'ENOENT'
    throw configError(
      {
        code: isMissing ? 'folder-missing' : 'folder-unusable',
        file,
        what: isMissing ? 'there is no such folder' : `this folder cannot be used (${code})`,
        remedy: isMissing
          ? 'make a mesh with: muster init, join one with: muster join --key FILE --peer ADDRESS, or name the folder with --dir DIR'
          : 'name another with --dir DIR or MUSTER_DIR',
      },
      { cause },
    )
  })
  if (!found.isDirectory()) {
    const remedy = 'name a folder with --dir DIR or MUSTER_DIR'
    throw configError({ code: 'folder-unusable', file, what: 'this is not a folder', remedy })
  }
  const user = process.getuid?.()
  if (user !== undefined && user !== 0 && found.uid !== user && found.uid !== 0) {
    const remedy = 'run as its owner, or name another with --dir DIR'
    throw configError({ code: 'folder-foreign', file, what: 'this folder belongs to another user', remedy })
  }
  const allowed = folder.isService ? SERVICE_FOLDER_MODE : FOLDER_MODE
  if ((found.mode & 0o777 & ~allowed) !== 0) {
    const octal = (found.mode & 0o777).toString(8).padStart(4, '0')
    throw configError({
      code: 'folder-exposed',
      file,
      what: `other users of this machine can get into this folder (mode ${octal})`,
      remedy: `type: chmod ${allowed.toString(8)} ${shellWord(file)}`,
    })
  }
}

/**
 * The token that every change through the local API needs: 32 random bytes as base64url, made when there is none.
 *
 * Throws a `ConfigError` `api-token-exposed`, `-unreadable`, `-empty` or `-malformed`, or the system's error when a new one
 * cannot be written.
 */
export async function readOrCreateApiToken(folder: Folder): Promise<string> {
  try {
    return await readApiToken(folder)
  } catch (error) {
    if (!hasCode(error, 'api-token-missing')) throw error
  }
  const token = newApiToken()
  try {
    await writeApiToken(folder, token)
    return token
  } catch (error) {
    // Another command made it in between: theirs holds.
    if (hasCode(error, 'api-token-exists')) return await readApiToken(folder)
    throw error
  }
}

/** A token that nobody has yet. */
export function newApiToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** Writes a new token. Throws a `ConfigError` `api-token-exists`, or the system's error. */
export async function writeApiToken(folder: Folder, token: string): Promise<void> {
  const mode = folder.isService ? SERVICE_TOKEN_MODE : SECRET_FILE_MODE
  await writeKeyFile(folder.apiToken, `${token}\n`, TOKEN_WORDS, mode)
}

/** Reads the token, for a command. Throws the same, and `api-token-missing` when no agent has run here yet. */
export async function readApiToken(folder: Folder): Promise<string> {
  return await readKeyFile(folder.apiToken, TOKEN_WORDS, (text) => parseToken(text, folder.apiToken), folder.isService)
}

function parseToken(text: string, file: string): string {
  const token = text.trim()
  if (/^[A-Za-z0-9_-]{43}$/.test(token)) return token
  const remedy = `remove it and start the agent again: rm ${shellWord(file)}`
  throw configError({ code: 'api-token-malformed', file, what: 'this is not a token', remedy })
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
