import { defineConfig } from 'vitest/config'
import { SpreadSeeds } from './test/spread-seeds.ts'

// Real processes and a whole simulated day share two cores: a test waits for a condition, and this bounds the wait.
const bounds = { testTimeout: 60_000, hookTimeout: 60_000 }

export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', './test/tally-reporter.ts'],
    sequence: { sequencer: SpreadSeeds },
    projects: [
      {
        test: {
          name: 'code',
          include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/faults/**'],
          // One more than cores: beside thousands of seeds are tests that mostly wait for sockets.
          maxWorkers: 3,
          ...bounds,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Afterwards: agents with presence classes of seconds are not to compete with thousands of seeds for the cores.
        // They wait more than they work, so that three meshes fit on two.
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          maxWorkers: 3,
          ...bounds,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
