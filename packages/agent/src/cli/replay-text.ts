/** The lines of `muster replay`. */
import { storyTimeText } from '@muster/protocol'
import type { StoryEnd, StoryLine } from '../recorder/story.ts'
import { counted, plain } from './plain-text.ts'
import { dateTimeText, zoneName } from './time-text.ts'

const TEXT_MAX = 600

/** "03:13:44.120  02:04.596  votes: …": the wall clock of the host that recorded in this zone, then time since the beginning. */
export function replayLine({ atMs, unixMs, topic, text }: StoryLine, timeZone?: string): string {
  const date = dateTimeText(unixMs, timeZone)
  const words = plain(text, TEXT_MAX)
  if (topic === 'recording') return unixMs === 0 ? `-- ${words}` : `-- ${date} ${zoneName(unixMs, timeZone)}  ${words}`
  const thousandths = String(((Math.floor(unixMs) % 1_000) + 1_000) % 1_000).padStart(3, '0')
  return `${date.slice(-8)}.${thousandths}  ${storyTimeText(Math.max(0, atMs))}  ${topic === 'difference' ? '! ' : ''}${words}`
}

/** What came of it all, in one line. */
export function replaySummary({ events, differences }: StoryEnd): string {
  const all = counted(events, 'event')
  if (differences === 0) return `-- ${all} replayed; today's core decides the same on each`
  return `-- ${all} replayed; today's core decides otherwise on ${differences}. The first says why, others may follow from it`
}
