/** How far a long work is, on standard error, for who watches a terminal. */
import { plain } from './plain-text.ts'
import type { Surroundings } from './surroundings.ts'

/** Short works say nothing. */
const QUIET_MS = 3_000
const TELL_EVERY_MS = 500

/** One line that is written again and again. */
export interface Progress {
  tell(text: string): void
  /** Takes the line away, before anything else is said. */
  end(): void
}

/** Begins now. `nowMs` is a monotonic clock. */
export function createProgress(
  { err, isErrTerminal }: Pick<Surroundings, 'err' | 'isErrTerminal'>,
  nowMs: () => number = () => performance.now(),
): Progress {
  let nextMs = nowMs() + QUIET_MS
  let isShown = false
  return {
    tell(text) {
      if (!isErrTerminal || nowMs() < nextMs) return
      nextMs = nowMs() + TELL_EVERY_MS
      isShown = true
      err(`${CLEAR_LINE}${plain(text, 76)}`)
    },
    end() {
      if (isShown) err(CLEAR_LINE)
      isShown = false
    },
  }
}

const CLEAR_LINE = '\r\u001b[K'
