/** Whether something accepts TCP connections, and how fast. Says nothing about who it is: see `http` for that. */
import { connect, isIP } from 'node:net'
import { z } from 'zod'
import { guardedLookup, isRefusedAddress, REFUSED_ADDRESS } from '../addresses.ts'
import { causeOf, errorCode } from '../causes.ts'
import type { Measurement, ObserveContext, PolledKind } from '../check.ts'
import { failed, observed, stopwatch } from '../observation.ts'

const PORT = 'a port is a number from 1 to 65535'

const options = z.strictObject({
  host: z
    .string('write the host: a name or an address')
    .min(1)
    .max(255)
    .regex(/^[^\s/]+$/u, 'a name or an address, without a scheme or a path'),
  port: z.int(PORT).min(1, PORT).max(65_535, PORT),
})
type TcpOptions = z.infer<typeof options>

async function observe({ host, port }: TcpOptions, context: ObserveContext): Promise<Measurement> {
  const elapsedMs = stopwatch()
  // `[::1]` is how URLs write it.
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  try {
    await open(bare, port, context.signal)
    const connectMs = elapsedMs()
    const values = { connected: true, connect_ms: Math.round(connectMs * 100) / 100 }
    return { observation: observed(values, connectMs, `connected in ${Math.round(connectMs)} ms`) }
  } catch (error) {
    if (errorCode(error) === REFUSED_ADDRESS) {
      const message = 'a link-local or metadata address, which checks may not reach'
      return { observation: failed('refused-address', message, elapsedMs()) }
    }
    if (context.signal.aborted) {
      return { observation: failed('timeout', 'no answer in time', elapsedMs(), { connected: false }) }
    }
    const cause = causeOf(error)
    const values = DOWN_CODES.includes(cause.code) ? { connected: false } : {}
    return { observation: failed(cause.code, cause.message, elapsedMs(), values) }
  }
}

async function open(host: string, port: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (isIP(host) !== 0 && isRefusedAddress(host)) {
    throw Object.assign(new Error('refused address'), { code: REFUSED_ADDRESS })
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = connect({ host, port, lookup: guardedLookup })
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  socket.once('connect', resolve)
  socket.once('error', reject)
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', abort)
    // A late error of a socket that nobody waits for is no news.
    socket.on('error', () => {})
    socket.destroy()
  }
}

const DOWN_CODES = ['refused', 'reset', 'timeout', 'unreachable', 'name-not-found']

/** The kind `tcp`. */
export const tcp: PolledKind<TcpOptions> = {
  mode: 'polled',
  kind: 'tcp',
  summary: 'whether something accepts TCP connections, and how fast',
  options,
  defaults: {
    everyMs: 60_000,
    timeoutMs: 10_000,
    after: 3,
    recover: 2,
    warning: 'connect_ms > 500',
    critical: '!connected || connect_ms > 1000',
  },
  values: [
    { name: 'connected', type: 'boolean', unit: '', meaning: 'the connection was accepted' },
    { name: 'connect_ms', type: 'number', unit: 'ms', meaning: 'name lookup and connection together' },
  ],
  downCodes: DOWN_CODES,
  observe,
}
