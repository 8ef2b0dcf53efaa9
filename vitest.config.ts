import { defineConfig } from 'vitest/config'

// Real processes and a whole simulated day share two cores: a test waits for a condition, and this bounds the wait.
const bounds = { testTimeout: 60_000, hookTimeout: 60_000 }

export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', './test/tally-reporter.ts'],
    projects: [
      {
        test: {
          name: 'code',
          include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          ...bounds,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Afterwards: agents with presence classes of seconds are not to compete with thousands of seeds for the cores.
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          ...bounds,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
