/** Passing notices on: to a program of the user's, or to a chat through Matterbridge. */
import { spawn } from 'node:child_process'
import type { Notice } from '@muster/protocol'
import { usageError } from './cli-error.ts'
import { plain } from './plain-text.ts'

const EXEC_TIMEOUT_MS = 60_000
const BRIDGE_TIMEOUT_MS = 10_000
const BRIDGE_TRIES = 3
const BRIDGE_PAUSE_MS = 1_000

/** What is passed on: the notice, and its text as a person reads it. */
export interface Passed {
  readonly notice: Notice
  readonly teller: string
  readonly heading: string
  readonly text: string
}

/** The words of a command line: split at spaces, quotes kept together. No shell, no variables, no wildcards. */
export function splitWords(text: string): readonly string[] {
  const words: string[] = []
  const pattern = /\s*((?:[^\s"']|"[^"]*"|'[^']*')+)/gy
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    words.push(
      (match[1] ?? '').replace(
        /"([^"]*)"|'([^']*)'/g,
        (_, double: string | undefined, single: string | undefined) => double ?? single ?? '',
      ),
    )
    if (pattern.lastIndex >= text.length) break
  }
  if (words.length === 0 || text.slice(pattern.lastIndex).trim() !== '') {
    throw usageError(
      `--exec ${plain(text, 80)}: a quote is open, or there is no command`,
      'write for example --exec "./notify.sh --loud"',
    )
  }
  return words
}

/** Runs the user's program with the notice as JSON on its standard input. Resolves with what went wrong, if anything. */
export function runProgram(words: readonly string[], passed: Passed): Promise<string | undefined> {
  const [program = '', ...args] = words
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'], timeout: EXEC_TIMEOUT_MS })
    child.on('error', (error) => resolve(`${program} cannot be run: ${error.message}`))
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : `${program} ended with ${signal ?? code}`))
    // A program that does not read its input closes it: that is its own affair.
    child.stdin.on('error', () => undefined)
    child.stdin.end(`${JSON.stringify(jsonOf(passed))}\n`)
  })
}

/** The notice for programs. */
export function jsonOf({ notice, teller, heading, text }: Passed): Readonly<Record<string, unknown>> {
  return { heading, ...notice, teller, verified: true, text }
}

/** Where a Matterbridge takes messages. */
export interface Bridge {
  readonly url: URL
  readonly gateway: string
  readonly token: string | undefined
}

/** Reads `--bridge`. Throws a `CliError`. */
export function readBridge(text: string, gateway: string, token: string | undefined): Bridge {
  if (!URL.canParse(text))
    throw usageError(`--bridge ${plain(text, 120)} is no URL`, 'write for example http://127.0.0.1:4242')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw usageError('--bridge takes an http or https URL')
  if (!url.pathname.endsWith('/api/message')) url.pathname = `${url.pathname.replace(/\/$/, '')}/api/message`
  return { url, gateway, token }
}

/** Posts one message, again after a failure. Resolves with what went wrong, if anything. Source: Matterbridge's API. */
export async function postToBridge(
  { url, gateway, token }: Bridge,
  passed: Passed,
  signal: AbortSignal,
): Promise<string | undefined> {
  const body = JSON.stringify({ text: passed.text, username: `muster (${plain(passed.teller, 63)})`, gateway })
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  let failure = 'not tried'
  for (let turn = 0; turn < BRIDGE_TRIES && !signal.aborted; turn += 1) {
    if (turn > 0) await new Promise((resolve) => setTimeout(resolve, BRIDGE_PAUSE_MS * 2 ** turn))
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(BRIDGE_TIMEOUT_MS)])
      const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal: limited })
      await response.body?.cancel()
      if (response.ok) return undefined
      failure = `the bridge answered ${response.status}`
      if (response.status < 500 && response.status !== 429) return failure
    } catch (error) {
      failure = `the bridge does not answer: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return failure
}
