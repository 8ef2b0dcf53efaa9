/**
 * The agent's log on standard error: `time level phrase key=value`, one line each.
 *
 * Phrases are ours and constant; values may come from peers, so they are stripped of what a terminal would obey, and
 * whatever sounds secret is not printed at all.
 */
import { pino } from 'pino'
import type { Log, LogFields } from '../log.ts'
import { plain } from './plain-text.ts'

const VALUE_CHARS_MAX = 300
const SECRET = ['token', 'secret', 'seed', 'privateKey', 'swarmKey', 'authorization', 'password']
const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' }
const COLOURS: Readonly<Record<string, string>> = { debug: '90', info: '36', warn: '33', error: '31' }

/** How the log is written. */
export interface LogOptions {
  readonly write: (text: string) => void
  readonly colour: boolean
  /** Details too. */
  readonly verbose: boolean
}

/** A log that writes lines. */
export function createRunLog({ write, colour, verbose }: LogOptions): Log {
  const logger = pino(
    {
      level: verbose ? 'debug' : 'info',
      base: null,
      redact: { paths: [...SECRET, ...SECRET.map((name) => `*.${name}`)], censor: '(hidden)' },
    },
    { write: (line: string) => write(`${formatLine(line, colour)}\n`) },
  )
  const at =
    (level: 'debug' | 'info' | 'warn') =>
    (phrase: string, fields: LogFields = {}) =>
      logger[level]({ ...fields }, phrase)
  return { debug: at('debug'), info: at('info'), warn: at('warn') }
}

/** One record of the logger as a line. */
export function formatLine(line: string, colour: boolean): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const word = LEVELS[Number(level)] ?? 'info'
  const when = new Date(typeof time === 'number' ? time : 0).toISOString()
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${plain(key, 64)}=${valueText(value)}`)
  const shown = colour ? `\u001b[${COLOURS[word]}m${word.padEnd(5)}\u001b[0m` : word.padEnd(5)
  return [when, shown, plain(String(msg ?? ''), VALUE_CHARS_MAX), ...rest].join(' ')
}

function valueText(value: unknown): string {
  const text = plain(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''), VALUE_CHARS_MAX)
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}
