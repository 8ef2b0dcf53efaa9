/**
 * Why a recording cannot be read.
 *
 * - `foreign`: the file is no recording
 * - `newer-version`: a release with another format wrote it
 * - `damaged`: not even its beginning, from which all else follows, is whole
 * - `too-large`: larger than any that is written
 */
export type RecordingErrorCode = 'foreign' | 'newer-version' | 'damaged' | 'too-large'

/** A recording cannot be read. Its message is half a line for a person, to stand after the name of the file. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError'
  readonly code: RecordingErrorCode

  constructor(code: RecordingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
