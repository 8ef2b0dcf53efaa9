/** What tests of kinds hand to `observe`. */
import type { ObserveContext } from './check.ts'

/** A context of 10 s over this machine's `/proc`, with what the test wants otherwise. */
export function testContext(changes: Partial<ObserveContext> = {}): ObserveContext {
  return {
    signal: AbortSignal.timeout(10_000),
    timeoutMs: 10_000,
    memory: new Map(),
    nowMs: () => performance.now(),
    procPath: '/proc',
    ...changes,
  }
}
