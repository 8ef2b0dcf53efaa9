/** libp2p's own log, which nobody reads. */
import type { ComponentLogger, Logger } from '@libp2p/interface'

/**
 * A log for libp2p that drops everything. Its own makes several loggers for each stream and asks each time whether
 * standard error is a terminal, which is felt at a ping every few seconds. With `DEBUG` set it is left as it is.
 */
export function quietLogger(env: Readonly<Record<string, string | undefined>> = process.env): {
  logger?: ComponentLogger
} {
  if ((env.DEBUG ?? '') !== '') return {}
  const drop = (): void => undefined
  const log: Logger = Object.assign(drop, { enabled: false, error: drop, trace: drop, newScope: () => log })
  return { logger: { forComponent: () => log } }
}
