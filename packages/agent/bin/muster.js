#!/usr/bin/env node
// Plain JavaScript that any Node since 12 can read, so that one too old is told so in one line instead of a stack trace.
import process from 'node:process'

const oldest = [24, 0]
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(
    `muster: Node ${process.versions.node} is too old, ${oldest.join('.')} or newer is needed. In a clone, \`npx muster\` brings its own.\n`,
  )
  process.exit(2)
}
const main = await import('../src/main.ts')
await main.run(process.argv.slice(2))
