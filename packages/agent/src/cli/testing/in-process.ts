/** The command line in the test's own process, where the launcher adds nothing to what is tested. */
import { runCli } from '../program.ts'
import type { Surroundings } from '../surroundings.ts'

/** How a command ended: its exit code and what it printed. */
export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Surroundings whose working folder is also the home folder, and what is printed in them. */
export function surroundingsIn(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): { readonly surroundings: Surroundings; readonly said: { out: string; err: string } } {
  const said = { out: '', err: '' }
  const surroundings: Surroundings = {
    env,
    workingDir: folder,
    homeDir: folder,
    out: (text) => {
      said.out += text
    },
    err: (text) => {
      said.err += text
    },
    isTerminal: false,
    isErrTerminal: false,
    columns: () => 80,
    interrupted: () => new AbortController().signal,
  }
  return { surroundings, said }
}

/** Runs `muster` with these words in a folder that is also the home folder. */
export async function inProcess(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { surroundings, said } = surroundingsIn(folder, env)
  const code = await runCli(args, surroundings)
  return { code, ...said }
}
