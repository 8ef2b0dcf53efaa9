/** What a web address answers: status, time, size, and for conditions its body and headers. */
import { z } from 'zod'
import { REFUSED_ADDRESS } from '../addresses.ts'
import { causeOf, errorCode } from '../causes.ts'
import {
  type ConditionFunction,
  type Measurement,
  MissingValueError,
  type ObserveContext,
  type PolledKind,
} from '../check.ts'
import { exchangeHttp, type HttpAnswer } from '../http-exchange.ts'
import { BODY_BYTES_MAX, BODY_CHARS_MAX } from '../limits.ts'
import { failed, observed, stopwatch } from '../observation.ts'
import { isSecretReference } from '../secrets.ts'

const DAY_MS = 86_400_000

const options = z.strictObject({
  url: z
    .string('write the url: an address that begins with http:// or https://')
    .max(2048)
    .refine(isWebAddress, 'write an address that begins with http:// or https://'),
  method: z.enum(['GET', 'HEAD', 'POST']).default('GET'),
  headers: z
    .record(
      z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/u, 'no header has such a name'),
      z
        .string()
        .max(4096)
        .regex(/^[\t -~\u0080-\u00ff]*$/u, 'a header is one line of Latin text'),
    )
    .default({}),
  body: z.string().max(16_384).optional(),
  redirects: z.enum(['none', 'same-host', 'any']).default('same-host'),
  tls_verify: z.boolean().default(true),
})
type HttpOptions = z.infer<typeof options>

function isWebAddress(text: string): boolean {
  if (isSecretReference(text)) return true
  return URL.canParse(text) && /^https?:$/u.test(new URL(text).protocol)
}

async function observe(config: HttpOptions, context: ObserveContext): Promise<Measurement> {
  const elapsedMs = stopwatch()
  if (!isWebAddress(config.url) || isSecretReference(config.url)) {
    return { observation: failed('bad-url', 'the url is no http:// or https:// address', elapsedMs()) }
  }
  try {
    const question = {
      url: config.url,
      method: config.method,
      headers: config.headers,
      redirects: config.redirects,
      verifyTls: config.tls_verify,
      ...(config.body === undefined ? {} : { body: config.body }),
    }
    const answer = await exchangeHttp(question, context.signal)
    return describe(answer, elapsedMs())
  } catch (error) {
    if (context.signal.aborted) return { observation: failed('timeout', 'no whole answer in time', elapsedMs()) }
    if (errorCode(error) === REFUSED_ADDRESS) {
      const message = 'a link-local or metadata address, which checks may not reach'
      return { observation: failed('refused-address', message, elapsedMs()) }
    }
    const cause = causeOf(error)
    return { observation: failed(cause.code, cause.message, elapsedMs()) }
  }
}

function describe(answer: HttpAnswer, durationMs: number): Measurement {
  const values = {
    status: answer.status,
    duration_ms: Math.round(durationMs),
    body_bytes: answer.bodyBytes,
    body_cut: answer.isCut,
    redirects: answer.redirects,
    ...(answer.certificateEndsMs === undefined
      ? {}
      : { certificate_days: (answer.certificateEndsMs - Date.now()) / DAY_MS }),
  }
  const note = answer.stoppedAt === undefined ? '' : ` (${answer.stoppedAt})`
  const transient: Record<string, string> = {}
  if (answer.body !== undefined) transient.body = answer.body.toString('utf8').slice(0, BODY_CHARS_MAX)
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) transient[`header:${name}`] = Array.isArray(value) ? value.join(', ') : value
  }
  return {
    observation: observed(values, durationMs, `${answer.status} in ${values.duration_ms} ms${note}`),
    transient,
  }
}

const header: ConditionFunction = {
  name: 'header',
  parameters: [{ name: 'name', type: 'text' }],
  returns: 'text',
  meaning: 'the value of a response header; several are joined with ", "',
  call({ transient }, name) {
    const value = transient[`header:${String(name).toLowerCase()}`]
    if (value === undefined) throw new MissingValueError(`header('${name}')`)
    return value
  },
}

/** The kind `http`. */
export const http: PolledKind<HttpOptions> = {
  mode: 'polled',
  kind: 'http',
  summary: 'what a web address answers, and how fast',
  options,
  defaults: {
    everyMs: 60_000,
    timeoutMs: 10_000,
    after: 3,
    recover: 2,
    warning: 'duration_ms > 1000',
    critical: 'status < 200 || status > 399',
  },
  values: [
    { name: 'status', type: 'number', unit: '', meaning: 'HTTP status of the last answer' },
    { name: 'duration_ms', type: 'number', unit: 'ms', meaning: 'from the lookup of the name to the end of the body' },
    {
      name: 'body_bytes',
      type: 'number',
      unit: 'bytes',
      meaning: `of the body as sent, at most ${BODY_BYTES_MAX} read`,
    },
    { name: 'body_cut', type: 'boolean', unit: '', meaning: 'the body went on after what was read' },
    { name: 'redirects', type: 'number', unit: '', meaning: 'redirects that were followed' },
    { name: 'certificate_days', type: 'number', unit: 'days', meaning: 'until the certificate runs out; https only' },
    {
      name: 'body',
      type: 'text',
      unit: '',
      meaning: `the body as text, its first ${BODY_CHARS_MAX} characters; not kept`,
      isTransient: true,
    },
  ],
  functions: [header],
  downCodes: ['refused', 'reset', 'timeout', 'unreachable', 'name-not-found', 'tls', 'bad-answer'],
  secretOptions: ['url', 'headers', 'body'],
  observe,
}
