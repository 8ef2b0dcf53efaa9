/** The program: everything but the check of Node's version, which `bin/muster.js` makes before it loads this. */
import { EXIT } from './cli/cli-error.ts'
import { runCli } from './cli/program.ts'
import { systemSurroundings } from './cli/surroundings.ts'

/** Runs one command line (without `node` and the script) and ends the process with its exit code. */
export async function run(argv: string[]): Promise<void> {
  // `muster history | head` closes our output early: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.bad),
  )
  // Who read an agent's log may go: the watch goes on without. A log line about it would fail the same way, for ever.
  process.stderr.on('error', () => undefined)
  const exitCode = await runCli(argv, systemSurroundings())
  await Promise.all([written(process.stdout), written(process.stderr)])
  // Not left to an empty event loop: a socket that a library forgot would keep a stopped agent in the process list for ever.
  process.exit(exitCode)
}

/** Resolves once all that was written has left the process. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()))
}

// `node packages/agent/src/main.ts demo` runs without the launcher.
if (import.meta.main) await run(process.argv.slice(2))
