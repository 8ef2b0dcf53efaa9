/** The program: everything but the check of Node's version, which `bin/muster.js` makes before it loads this. */
import { EXIT } from './cli/cli-error.ts'
import { runCli } from './cli/program.ts'
import { systemSurroundings } from './cli/surroundings.ts'

/** Runs one command line (without `node` and the script) and sets the process's exit code. */
export async function run(argv: string[]): Promise<void> {
  // `muster history | head` closes our output early: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.bad),
  )
  process.exitCode = await runCli(argv, systemSurroundings())
}

// `node packages/agent/src/main.ts demo` runs without the launcher.
if (import.meta.main) await run(process.argv.slice(2))
