/**
 * `muster exec NAME -- CMD…`: runs a command and reports how it ended, as the last line of a cron job.
 *
 * The command comes first: it always runs, its streams pass through, and its exit code is ours, whether an agent runs or
 * not. A report that cannot be made costs one line.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { constants } from 'node:os'
import { sendPing } from '../api-client.ts'
import { usageError } from '../cli-error.ts'
import { plain } from '../plain-text.ts'
import type { Context } from '../surroundings.ts'
import { isNotFound, noSuchCheck, pingPath } from './push.ts'

/** Bytes of the command's last output that are reported. */
const TAIL_BYTES_MAX = 8_000
/** A job must not wait for an agent that hangs. Milliseconds. */
const REPORT_TIMEOUT_MS = 5_000
/** What a shell says of a command that is not there, and of one that cannot be run. */
const EXIT_NOT_FOUND = 127
const EXIT_NOT_EXECUTABLE = 126
/** A shell adds the signal's number to this. */
const EXIT_SIGNAL = 128

/** Runs the command and resolves with its exit code. Throws a `CliError` for words that are no command. */
export async function exec(
  context: Context,
  name: string,
  command: readonly string[],
  { isApart }: { readonly isApart: boolean },
): Promise<number> {
  const [program = ''] = command
  if (!isApart && program.startsWith('-')) {
    throw usageError(`${plain(program, 40)} is no command to run`, `write: muster exec ${plain(name, 64)} -- CMD`)
  }
  const report = reporter(context, name)
  const started = report('/start', '')
  const { exitCode, tail } = await runThrough(command)
  await started
  await report(`/${exitCode}`, tail)
  return exitCode
}

/** Reports under one run id; only the first failure is told. */
function reporter({ folder, err, typed }: Context, name: string) {
  const runId = randomUUID()
  let hasFailed = false
  return async (signal: string, body: string): Promise<void> => {
    try {
      await sendPing(folder, `${pingPath(name, signal)}?rid=${runId}`, body, { timeoutMs: REPORT_TIMEOUT_MS })
    } catch (error) {
      if (!hasFailed) for (const line of failureLines(error, name)) err(`${typed(line)}\n`)
      hasFailed = true
    }
  }
}

function failureLines(error: unknown, name: string): readonly string[] {
  const known = isNotFound(error) ? noSuchCheck(name) : error
  const [why = ''] = (known instanceof Error ? known.message : String(known)).split('\n', 1)
  const line = `muster: ${name} is not reported: ${why}`
  return known === error ? [line] : [line, `  ${noSuchCheck(name).remedy}`]
}

/** Runs a program with our streams, and keeps the end of what it prints. */
function runThrough(command: readonly string[]): Promise<{ readonly exitCode: number; readonly tail: string }> {
  const [program = '', ...args] = command
  const tail = createTail()
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['inherit', 'pipe', 'pipe'] })
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal)
    }
    const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, forward)
    const end = (exitCode: number): void => {
      for (const signal of signals) process.off(signal, forward)
      resolve({ exitCode, tail: tail.text() })
    }
    for (const [stream, out] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ] as const) {
      stream.on('data', (chunk: Buffer) => {
        tail.add(chunk)
        if (!out.write(chunk)) {
          stream.pause()
          out.once('drain', () => stream.resume())
        }
      })
    }
    child.on('error', (error) => {
      const isMissing = 'code' in error && error.code === 'ENOENT'
      const said = `muster: ${program}: ${isMissing ? 'command not found' : error.message}\n`
      process.stderr.write(said)
      tail.add(Buffer.from(said))
      end(isMissing ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE)
    })
    child.on('close', (code, signal) => end(code ?? EXIT_SIGNAL + (signal === null ? 0 : constants.signals[signal])))
  })
}

function createTail() {
  let kept = Buffer.alloc(0)
  return {
    add(chunk: Buffer): void {
      kept = Buffer.concat([kept, chunk]).subarray(-TAIL_BYTES_MAX)
    },
    text: () => kept.toString('utf8'),
  }
}
