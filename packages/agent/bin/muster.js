#!/usr/bin/env node
// Plain JavaScript that any Node since 12 can read, so that one too old is told so in one line instead of a stack trace.
import module from 'node:module'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const oldest = [24, 0]
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(
    `muster: Node ${process.versions.node} is too old, ${oldest.join('.')} or newer is needed. In a clone, \`npx muster\` brings its own.\n`,
  )
  process.exit(2)
}

/**
 * V8's flags for the agent, which runs for months and mostly waits.
 *
 * A semi-space of 1 MB instead of 16 costs a few more short collections. A bounded heap grows in smaller steps; up to
 * 256 MB the bound itself costs nothing, and an idle agent uses 30. Two of the four tiers of code, the middle ones, pay for
 * what runs hot for seconds: here they would only hold 5 MB of code beside what they were made of.
 */
const AGENT_FLAGS = ['--max-semi-space-size=1', '--max-old-space-size=256', '--no-sparkplug', '--no-maglev']
/** For glibc's allocator: one arena, and what is free at its end goes back soon. Others ignore it; what the user set stays. */
const AGENT_ENV = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536', MALLOC_TOP_PAD_: '16384' }
const args = process.argv.slice(2)
const isAgent = args[0] === 'run' || (args[0] === '--dir' && args[2] === 'run')

// `run` becomes the same process again (same pid, same terminal) with the flags, which cannot be set once V8 runs.
if (isAgent && !AGENT_FLAGS.every((flag) => process.execArgv.includes(flag))) {
  becomeAgain([...process.execArgv, ...AGENT_FLAGS], { ...AGENT_ENV, ...process.env })
}

const cache = useCache()
const main = (isAgent && (await importBundle())) || (await import('../src/main.ts'))
await main.run(args)

/** The agent in one file; null where there can be none. */
async function importBundle() {
  if (cache === null) return null
  const { bundleIn } = await import('./bundle.js')
  const url = bundleIn(cache)
  return url === null ? null : import(url)
}

/** Replaces this process by the same program; comes back where that is not possible (Windows). */
function becomeAgain(execArgv, env) {
  if (typeof process.execve !== 'function' || process.platform === 'win32') return
  process.execve(process.execPath, [process.execPath, ...execArgv, fileURLToPath(import.meta.url), ...args], env)
}

/**
 * Keeps compiled code between starts, in the clone or where systemd's `CacheDirectory=` says: never in a folder that
 * others may write to, for code from there is run. Gives the folder, or null where nothing can be written, which only
 * costs time and memory.
 */
function useCache() {
  const { CACHE_DIRECTORY: given = '' } = process.env
  const own = fileURLToPath(new URL('../../../node_modules/.cache/muster', import.meta.url))
  const folders = given === '' ? [own] : [`${given}/compiled`, own]
  const { ENABLED, ALREADY_ENABLED } = module.constants.compileCacheStatus
  for (const folder of folders) {
    const { status } = module.enableCompileCache(folder)
    if (status === ENABLED || status === ALREADY_ENABLED) return folder
  }
  return null
}
