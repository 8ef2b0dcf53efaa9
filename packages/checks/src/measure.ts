/**
 * One measurement within its time, come what may: a kind that hangs, that throws, a secret that is not there.
 */
import type { MonotonicMs } from '@muster/protocol'
import type { Measurement, PolledKind } from './check.ts'
import type { CheckDefinition } from './config.ts'
import type { SetTimer } from './lanes.ts'
import { failed } from './observation.ts'
import { resolveSecrets, SecretError, withoutSecrets } from './secrets.ts'

/** Milliseconds that a kind has, once aborted, to say itself what it was doing. */
const LAST_WORDS_MS = 1500

/** A check as far as measuring goes. */
export interface Subject {
  readonly definition: CheckDefinition
  readonly kind: PolledKind
  readonly memory: Map<string, unknown>
  /** True while the kind's own promise is open, which may outlast the measurement. */
  isOpen: boolean
}

/** What measuring needs of its host. */
export interface MeasureDeps {
  readonly nowMs: () => MonotonicMs
  readonly setTimer: SetTimer
  readonly env: Readonly<Record<string, string | undefined>>
  readonly procPath: string
  /** A kind threw: a bug of ours. */
  readonly onBug: (definition: CheckDefinition, error: unknown) => void
}

/**
 * Measures once. At the check's time-out the kind is aborted and has a moment for its last words; one that still does not
 * end is left behind, and further measurements say `stuck` until it ends. Gives `undefined` when `signal` was aborted.
 */
export async function measureWithin(
  subject: Subject,
  signal: AbortSignal,
  deps: MeasureDeps,
): Promise<Measurement | undefined> {
  if (subject.isOpen) return { observation: failed('stuck', 'the run before is stuck and could not be stopped', 0) }
  const startedMs = deps.nowMs()
  const own = new AbortController()
  const isOver = Promise.withResolvers<undefined>()
  const abort = () => own.abort(signal.reason)
  let cancelLastWords = () => {}
  own.signal.addEventListener('abort', () => {
    cancelLastWords = deps.setTimer(LAST_WORDS_MS, () => isOver.resolve(undefined))
  })
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  const cancelTimeout = deps.setTimer(subject.definition.timeoutMs, () => own.abort(new Error('out of time')))
  subject.isOpen = true
  const observing = observe(subject, own.signal, deps).finally(() => {
    subject.isOpen = false
  })
  try {
    const measurement = await Promise.race([observing, isOver.promise])
    if (signal.aborted) return undefined
    const elapsedMs = deps.nowMs() - startedMs
    return measurement ?? { observation: failed('timeout', 'out of time, and it does not stop', elapsedMs) }
  } finally {
    cancelTimeout()
    cancelLastWords()
    signal.removeEventListener('abort', abort)
  }
}

async function observe(subject: Subject, signal: AbortSignal, deps: MeasureDeps): Promise<Measurement> {
  const { kind, definition, memory } = subject
  const { nowMs, procPath } = deps
  const startedMs = nowMs()
  try {
    const { options, secrets } = await resolveSecrets(definition.options, kind.secretOptions ?? [], deps.env)
    const context = { signal, timeoutMs: definition.timeoutMs, memory, nowMs, procPath }
    return redact(await kind.observe(options, context), secrets)
  } catch (error) {
    const elapsedMs = nowMs() - startedMs
    if (error instanceof SecretError) return { observation: failed(error.code, error.message, elapsedMs) }
    deps.onBug(definition, error)
    return { observation: failed('internal', 'the check itself failed; this is a bug of muster', elapsedMs) }
  }
}

/** A target may echo what it was sent: secrets are cut out of all that is kept, sent or shown. */
function redact(measurement: Measurement, secrets: readonly string[]): Measurement {
  if (secrets.length === 0) return measurement
  const { observation, transient = {} } = measurement
  const { error } = observation
  const clean = <T>(record: Readonly<Record<string, T>>): Record<string, T | string> =>
    Object.fromEntries(
      Object.entries(record).map(([name, value]) => [
        withoutSecrets(name, secrets),
        typeof value === 'string' ? withoutSecrets(value, secrets) : value,
      ]),
    )
  return {
    transient: clean(transient),
    observation: {
      ...observation,
      values: clean(observation.values),
      text: withoutSecrets(observation.text, secrets),
      ...(error === undefined ? {} : { error: { ...error, message: withoutSecrets(error.message, secrets) } }),
    },
  }
}
