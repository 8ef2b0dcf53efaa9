import { TEXT_CHARS_MAX } from '../limits.ts'
import { cutText } from '../sanitize.ts'

/** A condition that does not compile. Positions are within the condition's own text. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError'
  readonly code = 'bad-condition'
  /** The message without its position. */
  readonly reason: string
  /** UTF-16 units before the fault. */
  readonly offset: number
  readonly length: number
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number

  constructor(text: string, range: { readonly start: number; readonly end: number }, reason: string) {
    const offset = Math.min(Math.max(0, range.start), text.length)
    const before = text.slice(0, offset).split('\n')
    const line = before.length
    const column = (before.at(-1)?.length ?? 0) + 1
    super(cutText(`${line}:${column}: ${reason}`, 2 * TEXT_CHARS_MAX))
    this.reason = cutText(reason, 2 * TEXT_CHARS_MAX)
    this.offset = offset
    this.length = Math.max(1, Math.min(range.end, text.length) - offset)
    this.line = line
    this.column = column
  }
}
