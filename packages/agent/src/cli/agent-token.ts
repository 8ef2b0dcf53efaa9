/**
 * The API token of a running agent: the one in its folder, made when there is none.
 *
 * Where the disk takes no new file it is held in memory and written when the disk does. Until then nobody can read it:
 * the status is shown to all on loopback, and what changes anything is refused.
 */
import { type Folder, newApiToken, readOrCreateApiToken, writeApiToken } from '../identity/folder.ts'
import { systemCode } from '../identity/key-file.ts'
import { type Log, reasonOf } from '../log.ts'

/** Between two tries to write it. Milliseconds. */
const RETRY_MS = 30_000

/** What the system says of a disk that takes no new file. */
const DISK_CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO'])

/** The token of one agent, the same as long as it runs. */
export interface AgentToken {
  /** Throws a `ConfigError` for a token that the user has to mend. */
  get(): Promise<string>
  /** Tries no more to write it. */
  stop(): void
}

/** Makes it. `retryMs` is for tests. */
export function createAgentToken(folder: Folder, log: Log, retryMs = RETRY_MS): AgentToken {
  let held: string | null = null
  let timer: NodeJS.Timeout | undefined

  function writeLater(token: string): void {
    timer = setTimeout(async () => {
      try {
        await writeApiToken(folder, token)
        log.info('the API token is written', {})
      } catch {
        writeLater(token)
      }
    }, retryMs)
    timer.unref()
  }

  return {
    async get() {
      if (held !== null) return held
      try {
        held = await readOrCreateApiToken(folder)
      } catch (error) {
        if (!DISK_CODES.has(systemCode(error) ?? '')) throw error
        held = newApiToken()
        log.warn('the API token cannot be written: until it is, commands that change something are refused', {
          reason: reasonOf(error),
        })
        writeLater(held)
      }
      return held
    },
    stop() {
      clearTimeout(timer)
    },
  }
}
