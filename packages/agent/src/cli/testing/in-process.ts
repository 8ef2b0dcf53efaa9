/** The command line in the test's own process, where the launcher adds nothing to what is tested. */
import { runCli } from '../program.ts'

/** How a command ended: its exit code and what it printed. */
export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs `muster` with these words in a folder that is also the home folder. */
export async function inProcess(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const ended = { out: '', err: '' }
  const code = await runCli(args, {
    env,
    workingDir: folder,
    homeDir: folder,
    out: (text) => {
      ended.out += text
    },
    err: (text) => {
      ended.err += text
    },
    isTerminal: false,
    columns: () => 80,
    interrupted: () => new AbortController().signal,
  })
  return { code, ...ended }
}
