import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends a test run with one line that a person and a script read alike: `N passed, N failed, N skipped`.
 *
 * A module that could not be loaded counts as one failure, for its tests never ran.
 */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      tally.failed += module.errors().length
      for (const test of module.children.allTests()) {
        const state = test.result().state
        if (state === 'passed') tally.passed += 1
        else if (state === 'skipped') tally.skipped += 1
        else tally.failed += 1
      }
    }
    // The default reporter prints its summary in the same turn: ours goes out after it.
    process.on('exit', () => {
      process.stdout.write(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n`)
    })
  }
}
