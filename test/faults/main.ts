/**
 * `npm run test:faults`: tests on real processes that break what surrounds them, too long for every run of the tests.
 * `--quick` runs each with fewer rounds and leaves the longest out; other words choose files, as with `npm test`.
 */
import { parseArgs } from 'node:util'
import { startVitest } from 'vitest/node'
import { QUICK } from './rounds.ts'

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})
if (values.quick) process.env[QUICK] = '1'
const vitest = await startVitest('test', positionals, {
  config: new URL('vitest.config.ts', import.meta.url).pathname,
  run: true,
})
await vitest.close()
