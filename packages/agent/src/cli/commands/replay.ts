/** `muster replay`: runs a recording through the core, and tells why it judged and told as it did. */
import { basename, resolve } from 'node:path'
import { findRecordings, readRecording, unreadableText } from '../../recorder/finding.ts'
import { flightFolderOf } from '../../recorder/flight-disk.ts'
import { flightLimits } from '../../recorder/limits.ts'
import { RecordingError } from '../../recorder/recording-error.ts'
import { type Recording, type StoryEnd, type StoryLine, tellStory } from '../../recorder/story.ts'
import { type CliError, EXIT, usageError } from '../cli-error.ts'
import { plain } from '../plain-text.ts'
import { replayLine, replaySummary } from '../replay-text.ts'
import type { Context } from '../surroundings.ts'

/**
 * Tells the story of a recording, of all in a folder, or of this host's own.
 *
 * Exit code 1 when today's core decides otherwise than the one that recorded, 2 when there is nothing that can be read.
 */
export async function replay(context: Context, given: string | undefined): Promise<number> {
  const path = given === undefined ? flightFolderOf(context.folder.data) : resolve(context.workingDir, given)
  const recordings = await readAll(path)
  const lines: StoryLine[] = []
  const story = tellStory(recordings)
  let next = story.next()
  for (; next.done !== true; next = story.next()) {
    lines.push({ ...next.value, text: plain(next.value.text, TEXT_MAX) })
    // What could not be read is told before the story, or, if there is none, in the error alone.
    if (!context.json && next.value.unixMs !== 0) tell(context, lines)
  }
  const end = next.value
  if (end.read === 0) throw nothingRead(recordings)
  if (!context.json) tell(context, lines)
  if (context.json) context.print({ recordings: recordings.map(({ name }) => name), ...end, lines })
  else context.line(replaySummary(end))
  return codeOf(end)
}

const TEXT_MAX = 600

/** Prints lines and takes them away: a story may be long. */
function tell(context: Context, lines: StoryLine[]): void {
  for (const line of lines.splice(0)) context.line(replayLine(line))
}

function codeOf({ differences }: StoryEnd): number {
  return differences > 0 ? EXIT.bad : EXIT.done
}

/** Each is bounded, and so is the folder of a recorder. */
async function readAll(path: string): Promise<readonly Recording[]> {
  const paths = await findRecordings(path).catch((error: unknown) => {
    throw usageError(plain(unreadableText(path, error)), REMEDY)
  })
  if (paths.length === 0) throw usageError(`there are no recordings in ${plain(path)}`, REMEDY)
  const recordings: Recording[] = []
  let bytesLeft = FOLDER_BYTES_MAX
  for (const each of paths) {
    const name = plain(basename(each), 80)
    try {
      const bytes = await readRecording(each)
      bytesLeft -= bytes.byteLength
      if (bytesLeft < 0) throw new RecordingError('too-large', 'there is too much before it in this folder')
      recordings.push({ name, bytes })
    } catch (error) {
      if (paths.length === 1) throw usageError(plain(unreadableText(each, error)), REMEDY)
      const reason = error instanceof RecordingError ? error.message : 'it cannot be read'
      recordings.push({ name, bytes: new RecordingError('damaged', reason) })
    }
  }
  return recordings
}

/** Many times what one host keeps. */
const FOLDER_BYTES_MAX = 32 * flightLimits.bytes

const REMEDY = 'name a recording, or a folder of them: a host keeps its own in data/flight'

function nothingRead(recordings: readonly Recording[]): CliError {
  const [first] = recordings
  const count = recordings.length === 1 ? '' : ` (nor the ${recordings.length - 1} others)`
  const story = tellStory(first === undefined ? [] : [first]).next()
  const why = story.done === true ? 'nothing was recorded' : story.value.text
  return usageError(`${plain(why)}${count}`, REMEDY)
}
