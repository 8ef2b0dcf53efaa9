/**
 * Reading a segment: its head, the state that it begins with, and what was met from there on.
 *
 * The file may come from anywhere. What is read is bounded, and whatever cannot be what a recorder wrote is damage: the
 * frames before it are good.
 */
import { createState, limits, type Moment, ProtocolError, type State } from '@muster/protocol'
import { type FileEnd, readFrames } from './blocks.ts'
import { decodeFrame, decodeHead, type Frame, type Head } from './frames.ts'
import { flightLimits } from './limits.ts'
import { RecordingError } from './recording-error.ts'
import { isMap } from './values.ts'

/** What a core met: an event, ticks on which nothing happened, or the end of the segment. */
export type Met = Extract<Frame, { kind: 'event' | 'idle' | 'end' }>

/** A segment as it was read. `met` is read as it is asked for, once, and ends where the file or its good part does. */
export interface Segment {
  readonly head: Head
  readonly first: State
  readonly met: Generator<Met, FileEnd>
}

/** Reads a segment. Throws a `RecordingError`. */
export function readSegment(file: Uint8Array): Segment {
  // Compressed bytes are fewer than raw ones, but for blocks that cannot be compressed.
  if (file.byteLength > flightLimits.rawBytes) throw new RecordingError('too-large', 'it is larger than any recording')
  const frames = readFrames(file)
  try {
    const head = frames.next()
    if (head.done === true) throw new RecordingError('damaged', 'nothing of it was written')
    return { head: decodeHead(head.value), first: readSnapshot(frames), met: readMet(frames) }
  } catch (cause) {
    if (cause instanceof RecordingError) throw cause
    throw new RecordingError('damaged', 'its beginning is damaged', { cause })
  }
}

function readSnapshot(frames: Generator<Uint8Array, FileEnd>): State {
  const fields: Record<string, unknown> = {}
  let bytes = 0
  for (let next = frames.next(); next.done !== true; next = frames.next()) {
    bytes += next.value.byteLength
    if (bytes > flightLimits.snapshotRawBytes) throw new RecordingError('too-large', 'its first state is too large')
    const frame = decodeFrame(next.value)
    if (frame.kind === 'begin') return stateOf(fields)
    if (frame.kind === 'field') fields[frame.field] = frame.value
    else if (frame.kind === 'entry') addEntry(fields[frame.field], frame.entry)
    else break
  }
  throw new RecordingError('damaged', 'its first state is not whole')
}

function addEntry(map: unknown, [key, value]: readonly [unknown, unknown]): void {
  if (!(map instanceof Map)) throw new ProtocolError('malformed', 'an entry of no map')
  map.set(key, value)
}

const NOWHEN: Moment = { monotonicMs: 0, bootMs: 0, unixMs: 0 }

/** The state of these fields. One that a release before this did not have yet is as at a start. */
function stateOf(fields: Readonly<Record<string, unknown>>): State {
  const { options } = fields
  if (typeof options !== 'object' || options === null) throw new ProtocolError('malformed', 'a state without options')
  const restored = { incarnation: 0, heads: {}, entries: [], carried: [], incidents: [] }
  const start = createState(options as State['options'], restored, NOWHEN)
  const state = { ...start, ...fields } as State
  for (const [field, value] of Object.entries(start)) {
    if (!isAlike(value, state[field as keyof State])) throw new ProtocolError('malformed', 'a state of other fields')
  }
  checkSizes(state)
  return state
}

/** Whether a field may hold this, by what it holds at a start; what is null at some time may be anything. */
function isAlike(start: unknown, value: unknown): boolean {
  if (start === null || value === null) return true
  if (isMap(start)) return isMap(value)
  if (start instanceof Set) return value instanceof Set
  return typeof start === typeof value && Array.isArray(start) === Array.isArray(value)
}

/** The core keeps these bounds itself; a state from outside might not. */
function checkSizes({ members, records, incidents, checks }: State): void {
  const isTooLarge =
    members.size > limits.members ||
    records.size > limits.records + SLACK ||
    incidents.size > limits.incidents + SLACK ||
    checks.size > limits.checks
  if (isTooLarge) throw new ProtocolError('malformed', 'a state beyond its bounds')
}

/** What is over a bound goes when it is next tidied. */
const SLACK = 10_000

function* readMet(frames: Generator<Uint8Array, FileEnd>): Generator<Met, FileEnd> {
  for (let next = frames.next(); ; next = frames.next()) {
    if (next.done === true) return next.value
    let frame: Frame
    try {
      frame = decodeFrame(next.value)
    } catch {
      return 'damaged'
    }
    if (frame.kind !== 'event' && frame.kind !== 'idle' && frame.kind !== 'end') return 'damaged'
    yield frame
  }
}
