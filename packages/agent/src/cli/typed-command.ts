/**
 * Commands that are printed to be typed: as they work for whoever reads them.
 *
 * In a clone there is no `muster` on the PATH but `npx muster`, and a folder that is not the default one must be named
 * each time. So texts say `: muster run`, and this makes `: npx muster run --dir FOLDER` of it where that is needed.
 */
import { type Folder, resolveFolder } from '../identity/folder.ts'
import { shellWord } from '../identity/key-file.ts'

/** How a command was started. */
export interface Started {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly homeDir: string
  readonly workingDir: string
  /** Undefined where the words were not understood so far. */
  readonly folder: Folder | undefined
}

/** A command at the start of a line, after a colon or a full stop, or after "or" and "then". Never one in the middle of a sentence. */
const COMMAND = /(?<=^ *|[:.?] +|\bor |\bthen )muster(?= )(?: ((?:recipient|check|config) [a-z]+|[a-z]+)\b)?/g
/** They have no folder. */
const FOLDERLESS = new Set(['simulate', 'demo', 'version', 'help'])

/** A text of ours, with its commands as they work when they are typed. Once: what it made it would not know again. */
export function typedText(started: Started, text: string): string {
  const launcher = launcherOf(started.env)
  const dir = dirOption(started)
  return text.replace(COMMAND, (_, words: string | undefined) =>
    words === undefined ? launcher : `${launcher} ${words}${FOLDERLESS.has(words) ? '' : dir}`,
  )
}

/** `muster`, or `npx muster` for one that npm has started: it lives in a clone. Source: npm's `@npmcli/run-script`. */
export function launcherOf(env: Started['env']): string {
  const isNpm = (env.npm_config_user_agent ?? '').startsWith('npm/') && (env.npm_lifecycle_event ?? '') !== ''
  return isNpm ? 'npx muster' : 'muster'
}

/** ` --dir FOLDER` where it is not the one that a command without it means. */
export function dirOption({ homeDir, workingDir, folder }: Started): string {
  const standard = resolveFolder({ env: {}, homeDir, workingDir })
  return folder === undefined || folder.path === standard.path ? '' : ` --dir ${shortWord(folder.path, homeDir)}`
}

/** `~/muster-try/laptop`, as a shell reads it; what needs quotes stays whole, for in quotes a shell knows no `~`. */
function shortWord(path: string, homeDir: string): string {
  const word = shellWord(path)
  const isInHome = homeDir !== '/' && word === path && path.startsWith(`${homeDir}/`)
  return isInHome ? `~${path.slice(homeDir.length)}` : word
}
