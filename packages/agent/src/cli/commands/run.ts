/** `muster run`: the agent in the foreground, until it is told to stop. */
import { startAgent } from '../../agent.ts'
import type { AgentPort } from '../../agent-port.ts'
import { createApiServer } from '../../api/server.ts'
import { readOrCreateApiToken } from '../../identity/folder.ts'
import { type Log, reasonOf } from '../../log.ts'
import { addressFileOf } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { createRunLog } from '../run-log.ts'
import type { Context } from '../surroundings.ts'

/** Stray errors of libraries within one minute that are too many to go on with. */
const STRAY_ERRORS_MAX = 20
const STRAY_WINDOW_MS = 60_000

/** Runs the agent. Exit code 0 after SIGTERM, SIGINT or a goodbye. */
export async function runAgent(context: Context, options: { readonly verbose?: boolean }): Promise<number> {
  const { folder, err, env } = context
  const colour = process.stderr.isTTY === true && (env.NO_COLOR ?? '') === ''
  const log = createRunLog({ write: err, colour, verbose: options.verbose === true })
  const ended = Promise.withResolvers<number>()
  const restore = holdSignals(log, () => ended.resolve(EXIT.done))
  const release = holdStrayErrors(log, (error) => ended.reject(error))
  try {
    const agent = await startAgent({
      folder,
      log,
      async frontEnd(port, config) {
        const api = createApiServer(port, {
          listen: config.api.listen,
          token: await readOrCreateApiToken(folder),
          addressFile: addressFileOf(folder),
          onLeft: () => ended.resolve(EXIT.done),
          onBug: (error) => log.warn('a request to the local API failed', { reason: reasonOf(error) }),
        })
        await api.start()
        log.info('the local API listens', { address: api.address() ?? '' })
        restore.onReload(() => reload(port, log))
        return api
      },
    })
    try {
      return await ended.promise
    } finally {
      await agent.stop()
    }
  } finally {
    restore.end()
    release()
  }
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

/**
 * An error that a library lets slip costs a connection, not the watch: it is logged. A stream of them is another matter:
 * then the agent ends, and who runs it may start it anew.
 */
function holdStrayErrors(log: Log, giveUp: (error: Error) => void): () => void {
  let times: number[] = []
  const onStray = (error: unknown): void => {
    const now = performance.now()
    times = [...times.filter((time) => now - time < STRAY_WINDOW_MS), now]
    log.warn('an error was let slip', { reason: reasonOf(error) })
    if (times.length > STRAY_ERRORS_MAX) {
      giveUp(new CliError('stray-errors', EXIT.bad, `too many errors at once, the last: ${reasonOf(error)}`))
    }
  }
  process.on('uncaughtException', onStray)
  process.on('unhandledRejection', onStray)
  return () => {
    process.off('uncaughtException', onStray)
    process.off('unhandledRejection', onStray)
  }
}
