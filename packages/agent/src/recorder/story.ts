/**
 * The story of some recordings: segment after segment through today's core, and what mattered of it.
 *
 * A segment that begins with the state in which the one before ended goes on with its story.
 */
import { equalBytes, type State, secondsText } from '@muster/protocol'
import { snapshotFrames } from './frames.ts'
import { readSegment, type Segment } from './reading.ts'
import { RecordingError } from './recording-error.ts'
import { type ReplayEnd, type Replayed, replaySegment } from './replaying.ts'
import { createNarrator, decisionText, type Narrator } from './why/narrator.ts'
import { type WhyLine, wordsOf } from './why/words.ts'

/** One line of a story. `atMs`: milliseconds since the first event of this life of the agent, suspend included. */
export interface StoryLine {
  readonly text: string
  readonly topic: WhyLine['topic'] | 'recording' | 'difference'
  readonly atMs: number
  readonly unixMs: number
}

/** What came of a replay. */
export interface StoryEnd {
  readonly events: number
  readonly idleTicks: number
  /** Events on which today's core decides otherwise. The first one says something. */
  readonly differences: number
  /** Recordings that could be read, wholly or in part. */
  readonly read: number
}

/** A recording by its name, and its bytes or why there are none. */
export interface Recording {
  readonly name: string
  readonly bytes: Uint8Array | RecordingError
}

/** Told of each difference beyond it is only how many there were. */
const DIFFERENCES_TOLD = 3

/** Where a segment left the story, for one that continues it. */
interface Left {
  readonly end: ReplayEnd
  readonly narrator: Narrator
  /** The time of the line 00:00. */
  readonly sinceMs: number
}

interface Sums {
  events: number
  idleTicks: number
  differences: number
  read: number
}

/** Tells the story of recordings in their order. */
export function* tellStory(recordings: Iterable<Recording>): Generator<StoryLine, StoryEnd> {
  const sums: Sums = { events: 0, idleTicks: 0, differences: 0, read: 0 }
  let left: Left | null = null
  for (const { name, bytes } of recordings) {
    const segment = open(bytes)
    if (segment instanceof RecordingError) {
      yield { topic: 'recording', atMs: 0, unixMs: 0, text: `${name}: ${segment.message}` }
      left = null
      continue
    }
    sums.read += 1
    try {
      left = yield* tellSegment(name, segment, left, sums)
    } catch {
      // What somebody made up: the core took it, and it makes no sense.
      yield { topic: 'recording', atMs: 0, unixMs: 0, text: `${name}: ${NO_EVENT}` }
      left = null
    }
  }
  return sums
}

function open(bytes: Recording['bytes']): Segment | RecordingError {
  if (bytes instanceof RecordingError) return bytes
  try {
    return readSegment(bytes)
  } catch (error) {
    if (error instanceof RecordingError) return error
    throw error
  }
}

function* tellSegment(name: string, segment: Segment, left: Left | null, sums: Sums): Generator<StoryLine, Left> {
  const before = segment.head.continues && left?.end.how === 'continued' && goesOn(left, segment) ? left : null
  const sinceMs = before?.sinceMs ?? segment.first.clock.elapsedMs
  const narrator = before?.narrator ?? createNarrator()
  const lineOf = ({ clock }: State, topic: StoryLine['topic'], text: string): StoryLine => {
    return { topic, text, atMs: clock.elapsedMs - sinceMs, unixMs: clock.unixMs }
  }
  if (before === null) yield lineOf(segment.first, 'recording', beginText(name, segment))
  const replay = replaySegment(segment)
  let next = replay.next()
  for (; next.done !== true; next = replay.next()) {
    const replayed = next.value
    if (replayed.event === null) sums.idleTicks += 1
    else sums.events += 1
    for (const { topic, text } of narrator.tell(replayed)) yield lineOf(replayed.after, topic, text)
    if (replayed.isSame) continue
    sums.differences += 1
    if (sums.differences <= DIFFERENCES_TOLD) yield lineOf(replayed.after, 'difference', differenceText(replayed))
  }
  const end = next.value
  const text = endText(name, end)
  if (text !== null) yield lineOf(end.state, 'recording', text)
  return { end, narrator, sinceMs }
}

/** Whether nothing is missing between two segments, and both are of one host. */
function goesOn({ end }: Left, { first }: Segment): boolean {
  const others = snapshotFrames(end.state)
  for (const frame of snapshotFrames(first)) {
    const other = others.next()
    if (other.done === true || !equalBytes(other.value, frame)) return false
  }
  return true
}

function differenceText({ event, effects, after }: Replayed): string {
  const decided = decisionText(effects, wordsOf(after))
  return `DIFFERS: on this ${event?.kind ?? 'tick'} today's core decides otherwise than the one that recorded: ${decided}`
}

function beginText(name: string, { head, first }: Segment): string {
  const words = wordsOf(first)
  const { self, name: host } = first.options
  const others = [...first.members.values()].map((member) => `${words.host(member.host)} ${member.state}`)
  const open = [...first.incidents.values()].filter(({ state }) => state === 'firing').length
  const since = first.clock.elapsedMs === 0 ? 'at its start' : `${secondsText(first.clock.elapsedMs)} after its start`
  return (
    `${name}: ${host} (${self.slice(-8)}), life ${first.life.incarnation}.${first.life.epoch}, ${since}, muster ${head.release}; ` +
    `${others.length === 0 ? 'knows nobody' : others.join(', ')}; ${open} open incidents` +
    (first.quiet === null ? '' : '; judges nobody yet')
  )
}

const NO_EVENT = 'what comes next is no event of this release, the rest is left out'

function endText(name: string, { how }: ReplayEnd): string | null {
  switch (how) {
    case 'stopped':
      return `${name}: the agent stopped here`
    case 'whole':
      return `${name}: nothing more was written, the agent runs on or was killed`
    case 'torn':
      return `${name}: it ends in the middle of a write`
    case 'damaged':
      return `${name}: it is damaged from here on, the rest is left out`
    case 'broken':
      return `${name}: ${NO_EVENT}`
    case 'continued':
      return null
    default:
      return how satisfies never
  }
}
