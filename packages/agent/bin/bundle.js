/**
 * The agent in one file: what `run` loads of our sources and of its libraries, made once in a clone and again when a source
 * has changed. A thousand modules take an agent a second and 30 MB more than one file of the same code (docs/adr/0010).
 *
 * Plain JavaScript, and apart from what makes the file: stripping types and bundling leave their memory with whoever does it.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** What names the file and says of which sources it is: `{root, file, sources: [path, size, changed]}`. */
export const MANIFEST = 'agent.json'
/** The clone: `npm ci` changes its lockfile in `node_modules`, whatever else it changes there. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const MAKER = fileURLToPath(new URL('./make-bundle.js', import.meta.url))
const MAKING_MS = 120_000

/**
 * The URL of the agent's one file in `folder`, made anew if it has to be; null where that is not possible, after one line on
 * stderr: then it runs from its sources.
 */
export function bundleIn(folder) {
  const known = freshIn(folder)
  if (known !== null) return known
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
  } catch (error) {
    return complain(error.message)
  }
  const { status, stderr } = spawnSync(process.execPath, [MAKER, folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: MAKING_MS,
  })
  return status === 0 ? freshIn(folder) : complain(stderr)
}

/** The file, if it is of the sources as they are now. */
function freshIn(folder) {
  try {
    const { root, file, sources } = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8'))
    if (root !== ROOT || !statSync(join(folder, file)).isFile()) return null
    const isFresh = sources.every(([path, size, changed]) => {
      const now = statSync(join(ROOT, path))
      return now.size === size && now.mtimeMs === changed
    })
    return isFresh ? pathToFileURL(join(folder, file)).href : null
  } catch {
    return null
  }
}

function complain(why) {
  const [line] = String(why).trim().split('\n')
  process.stderr.write(`muster: its sources could not be bundled, so it runs from them, with more memory: ${line}\n`)
  return null
}
