/** Makes the agent's one file in the folder that is named on the command line; `bundle.js` calls it, in a process of its own. */
import { createHash } from 'node:crypto'
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import { join, relative, resolve, sep } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { MANIFEST, ROOT } from './bundle.js'

const startedAtMs = Date.now()
const [folder] = process.argv.slice(2)
const path = (url) => fileURLToPath(new URL(url, import.meta.url))
const COMMANDS = path('../src/cli/commands/')

const HTTP = '\0http'
const KEPT_MS = 3_600_000

/**
 * What stays outside: the database, which is native and finds its binary beside itself, and the other commands.
 *
 * An import of `node:http` reads all that it has, also what Node loads only when it is asked for: a WebSocket, which brings
 * a second HTTP client with it. 14 MB in a process that has nothing else; here it gets only what is there already.
 */
const outside = {
  name: 'outside',
  resolveId(name, importer, { kind }) {
    if (kind !== 'require-call' && (name === 'http' || name === 'node:http')) return HTTP
    if (name === 'classic-level') return { id: createRequire(importer).resolve(name), external: true }
    if (kind !== 'dynamic-import' || !name.startsWith('.')) return null
    const file = resolve(importer, '..', name)
    if (!file.startsWith(COMMANDS) || file === join(COMMANDS, 'run.ts')) return null
    return { id: pathToFileURL(file).href, external: true }
  },
  load(id) {
    if (id !== HTTP) return null
    const values = Object.entries(Object.getOwnPropertyDescriptors(http)).filter(([, property]) => 'value' in property)
    const names = values.map(([name]) => name).join(', ')
    return `const http = process.getBuiltinModule('node:http')\nexport default http\nexport const { ${names} } = http`
  },
}

try {
  await make()
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}

async function make() {
  const bundle = await rolldown({ input: path('../src/main.ts'), platform: 'node', plugins: [outside], cwd: ROOT })
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false, comments: false })
  const [{ code: text, moduleIds }] = output
  const code = inAscii(text)
  if (output.length !== 1) throw new Error(`there are ${output.length} files instead of one`)

  // Of what npm installed its own lockfile speaks.
  const own = moduleIds.filter((id) => id.startsWith(ROOT) && !id.includes(`${sep}node_modules${sep}`))
  const files = [...own, path('make-bundle.js'), join(ROOT, 'node_modules', '.package-lock.json')]
  const sources = files.map((file) => {
    const { size, mtimeMs } = statSync(file)
    if (mtimeMs > startedAtMs) throw new Error(`${file} was changed meanwhile`)
    return [relative(ROOT, file), size, mtimeMs]
  })

  const file = `agent-${createHash('sha256').update(code).digest('hex').slice(0, 16)}.mjs`
  put(file, code)
  put(MANIFEST, JSON.stringify({ root: ROOT, file, sources }))
  // Who runs from an older one has read all of it; who is about to will have within the hour.
  for (const name of readdirSync(folder)) {
    const isOld = /^agent-.*\.mjs/u.test(name) && startedAtMs - statSync(join(folder, name)).mtimeMs > KEPT_MS
    if (isOld && name !== file) rmSync(join(folder, name), { force: true })
  }
}

/**
 * V8 holds the text of a program as long as it runs, with two bytes for every character if one of them needs two: here a
 * few emoji in a table of multibase cost an agent 10 MB. Comments are gone, so that what is left stands in strings.
 */
function inAscii(text) {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Whole or not at all: another agent may start meanwhile. */
function put(name, text) {
  const draft = join(folder, `${name}.${process.pid}`)
  writeFileSync(draft, text)
  renameSync(draft, join(folder, name))
}
