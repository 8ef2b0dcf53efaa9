import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

export default defineConfig({
  root: root('.'),
  test: {
    name: 'faults',
    include: ['test/faults/**/*.test.ts'],
    // Meshes of seconds beside each other on two cores: more at once would measure the machine.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', root('test/tally-reporter.ts')],
  },
})
