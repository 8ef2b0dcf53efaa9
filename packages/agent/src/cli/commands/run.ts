/** `muster run`: the agent in the foreground, until it is told to stop. */
import { join } from 'node:path'
import { type RunningAgent, startAgent } from '../../agent.ts'
import type { AgentPort } from '../../agent-port.ts'
import { createApiServer } from '../../api/server.ts'
import type { Folder } from '../../identity/folder.ts'
import { type Log, reasonOf } from '../../log.ts'
import { StorageError } from '../../storage/index.ts'
import { createAgentToken } from '../agent-token.ts'
import { addressFileOf } from '../api-client.ts'
import { EXIT, usageError } from '../cli-error.ts'
import { readPid } from '../pid-file.ts'
import { createRunLog } from '../run-log.ts'
import { createStrayErrors } from '../stray-errors.ts'
import type { Context } from '../surroundings.ts'

/** How long an agent that gave up may take to stop in order. Milliseconds. */
const GIVE_UP_MS = 20_000

/** Runs the agent. Exit code 0 after SIGTERM, SIGINT or a goodbye. */
export async function runAgent(context: Context, options: { readonly verbose?: boolean }): Promise<number> {
  const { folder, err, env } = context
  const colour = process.stderr.isTTY === true && (env.NO_COLOR ?? '') === ''
  const log = createRunLog({ write: err, colour, verbose: options.verbose === true })
  const ended = Promise.withResolvers<number>()
  // It may come to its end before the start is done, which is when it is awaited.
  ended.promise.catch(() => undefined)
  let agent: RunningAgent | null = null
  let apiAddress = ''
  const tellApi = (): void => log.info('the local API listens', { address: apiAddress })
  const token = createAgentToken(folder, log)
  const restore = holdSignals(log, () => ended.resolve(EXIT.done))
  const release = holdStrayErrors(
    createStrayErrors({
      log,
      monotonicMs: () => performance.now(),
      blame: (error) => agent?.blame(error) ?? null,
      giveUp(error) {
        ended.reject(error)
        // Whatever goes wrong by the minute may also keep it from stopping.
        setTimeout(() => process.exit(EXIT.bad), GIVE_UP_MS).unref()
      },
    }),
  )
  try {
    agent = await startAgent({
      folder,
      log,
      async frontEnd(port, config) {
        const api = createApiServer(port, {
          listen: config.api.listen,
          token: await token.get(),
          addressFile: addressFileOf(folder),
          configFile: folder.config,
          onLeft: () => ended.resolve(EXIT.done),
          onBug: (error) => log.warn('a request to the local API failed', { reason: reasonOf(error) }),
        })
        try {
          await api.start()
        } catch (error) {
          await api.stop()
          throw error
        }
        apiAddress = api.address() ?? ''
        // The first time it is no news before the rest has started too.
        if (agent !== null) tellApi()
        restore.onReload(() => reload(port, log))
        return api
      },
    })
    tellApi()
    try {
      return await ended.promise
    } finally {
      await agent.stop()
    }
  } catch (error) {
    throw error instanceof StorageError && error.code === 'locked' ? await folderInUse(folder, error) : error
  } finally {
    token.stop()
    restore.end()
    release()
  }
}

async function folderInUse(folder: Folder, { message }: StorageError): Promise<Error> {
  const pid = await readPid(join(folder.data, 'agent.pid'))
  const end = pid === undefined ? 'end it' : `end it with: kill ${pid}`
  return usageError(message, `${end}, or give this one a folder of its own with --dir DIR`)
}

async function reload(port: AgentPort, log: Log): Promise<void> {
  const { ok, lines } = await port.reload()
  if (ok) log.info('the config was read again', {})
  else log.warn('the old config stays', { why: lines.join(' / ') })
}

/** SIGTERM and Ctrl-C stop in order, a second one at once; SIGHUP reads the config again. */
function holdSignals(log: Log, stop: () => void): { onReload(reload: () => Promise<void>): void; end(): void } {
  let reload: (() => Promise<void>) | undefined
  let isStopping = false
  const onStop = (): void => {
    if (isStopping) process.exit(EXIT.bad)
    isStopping = true
    log.info('muster stops', {})
    stop()
  }
  const onHangUp = (): void => {
    reload?.().catch((error: unknown) => log.warn('the config could not be read again', { reason: reasonOf(error) }))
  }
  process.on('SIGTERM', onStop)
  process.on('SIGINT', onStop)
  process.on('SIGHUP', onHangUp)
  return {
    onReload(next) {
      reload = next
    },
    end() {
      process.off('SIGTERM', onStop)
      process.off('SIGINT', onStop)
      process.off('SIGHUP', onHangUp)
    },
  }
}

/** Takes all that nobody catches, until the returned function is called. Without it Node ends with a stack trace. */
function holdStrayErrors(take: (error: unknown) => void): () => void {
  process.on('uncaughtException', take)
  process.on('unhandledRejection', take)
  return () => {
    process.off('uncaughtException', take)
    process.off('unhandledRejection', take)
  }
}
