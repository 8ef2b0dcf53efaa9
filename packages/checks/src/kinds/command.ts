/**
 * Any program that speaks the Nagios plugin interface, run as an argument list without a shell.
 *
 * The exit code alone says the status: 0 ok, 1 warning, 2 critical, 3 unknown; anything else could not be told. The first
 * line is the text, and what follows its `|` (and later ones) are performance data, which conditions read with `perf`.
 * Conditions of the config can only make it worse than the exit code says.
 * Source: Monitoring Plugins Development Guidelines.
 */
import { z } from 'zod'
import { causeOf } from '../causes.ts'
import {
  type ConditionFunction,
  type Measurement,
  MissingValueError,
  type ObserveContext,
  type PolledKind,
} from '../check.ts'
import { VALUE_NAME_CHARS_MAX } from '../limits.ts'
import { failed, observed, stopwatch, type Values } from '../observation.ts'
import { type PerfMetric, parsePerfdata } from '../perfdata.ts'
import { type ProgramEnd, runProgram } from '../process.ts'
import { firstLine, lastLine } from '../sanitize.ts'

const text = z
  .string()
  .max(4096)
  .refine((argument) => !argument.includes('\0'), 'no NUL may stand in it')
const options = z.strictObject({
  argv: z
    .array(text, 'write the program and its arguments as a list: [/usr/lib/nagios/plugins/check_load, -w, "5,4,3"]')
    .min(1)
    .max(256)
    .refine((argv) => argv[0] !== '', 'the first entry is the program'),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/u), text).default({}),
  cwd: z.string().max(4096).startsWith('/', 'a path begins with /').optional(),
})
type CommandOptions = z.infer<typeof options>

/** What a plugin sees of the agent's own environment: nothing that could hold a secret. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR']

async function observe(config: CommandOptions, context: ObserveContext): Promise<Measurement> {
  const elapsedMs = stopwatch()
  const inherited = PASSED_ON.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  const program = {
    argv: config.argv,
    env: { ...Object.fromEntries(inherited), ...config.env },
    ...(config.cwd === undefined ? {} : { cwd: config.cwd }),
  }
  try {
    return describe(await runProgram(program, context.signal), elapsedMs())
  } catch (error) {
    const cause = causeOf(error)
    return { observation: failed(cause.code, `${config.argv[0]} cannot be started: ${cause.message}`, elapsedMs()) }
  }
}

function describe(end: ProgramEnd, durationMs: number): Measurement {
  const printed = readOutput(end.stdout)
  const said = printed.text !== '' ? printed.text : lastLine(end.stderr)
  const because = said === '' ? '' : `: ${said}`
  if (end.stopped === 'aborted') return { observation: failed('timeout', `killed, out of time${because}`, durationMs) }
  if (end.stopped === 'flood') return { observation: failed('flood', 'killed, it printed without end', durationMs) }
  if (end.exitCode === undefined) {
    return { observation: failed('crashed', `ended by ${end.endedBy ?? 'a signal'}${because}`, durationMs) }
  }
  if (end.exitCode > 3) {
    const message = `exit ${end.exitCode}, plugins end with 0 to 3${because}`
    return { observation: failed('bad-exit', message, durationMs, { exit_code: end.exitCode }) }
  }
  const values = { exit_code: end.exitCode, duration_ms: Math.round(durationMs), ...perfValues(printed.metrics) }
  return { observation: observed(values, durationMs, said === '' ? `exit ${end.exitCode}` : said) }
}

/** The text is before the first `|`; a plugin may go on with performance data in later lines after another `|`. */
function readOutput(stdout: string): { readonly text: string; readonly metrics: readonly PerfMetric[] } {
  const [head = '', ...rest] = stdout.split(/\r?\n/u)
  const bar = head.indexOf('|')
  const long = rest.join('\n')
  const longBar = long.indexOf('|')
  const perfdata = `${bar === -1 ? '' : head.slice(bar + 1)}\n${longBar === -1 ? '' : long.slice(longBar + 1)}`
  const line = firstLine(bar === -1 ? head : head.slice(0, bar))
  return {
    text: line === '' && bar === -1 ? firstLine(long.split('|', 1)[0] ?? '') : line,
    metrics: parsePerfdata(perfdata),
  }
}

/** Units as plugins print them, and as a value's name ends. */
const UNIT_ENDINGS: Readonly<Record<string, string>> = {
  s: '_s',
  ms: '_ms',
  us: '_us',
  '%': '_percent',
  B: '_bytes',
  KB: '_kb',
  MB: '_mb',
  GB: '_gb',
  TB: '_tb',
  c: '_total',
}

/** Values by label and unit (`time_s`), as printed. A label never takes the place of the kind's own values. */
function perfValues(metrics: readonly PerfMetric[]): Values {
  const values: Record<string, number> = {}
  for (const { label, unit, value } of metrics) {
    if (value === undefined) continue
    const ending = UNIT_ENDINGS[unit] ?? ''
    const name = `${label.slice(0, VALUE_NAME_CHARS_MAX - ending.length)}${ending}`
    if (name !== 'exit_code' && name !== 'duration_ms' && name !== '__proto__') values[name] ??= value
  }
  return values
}

const perf: ConditionFunction = {
  name: 'perf',
  parameters: [{ name: 'label', type: 'text' }],
  returns: 'number',
  meaning: "a number of the plugin's performance data, by its label, in the plugin's own unit",
  call({ values }, label) {
    for (const ending of ['', ...Object.values(UNIT_ENDINGS)]) {
      const name = `${label}${ending}`
      const value = Object.hasOwn(values, name) ? values[name] : undefined
      if (typeof value === 'number') return value
    }
    throw new MissingValueError(`perf('${label}')`)
  },
}

/** The kind `command`. */
export const command: PolledKind<CommandOptions> = {
  mode: 'polled',
  kind: 'command',
  summary: 'a program that speaks the Nagios plugin interface',
  options,
  defaults: { everyMs: 60_000, timeoutMs: 30_000, after: 1, recover: 2 },
  values: [
    { name: 'exit_code', type: 'number', unit: '', meaning: '0 ok, 1 warning, 2 critical, 3 unknown' },
    { name: 'duration_ms', type: 'number', unit: 'ms', meaning: 'from start to end' },
  ],
  functions: [perf],
  fixed: { unknown: 'exit_code == 3', warning: 'exit_code == 1', critical: 'exit_code == 2' },
  downCodes: [],
  secretOptions: ['env'],
  observe,
}
