/**
 * Accepts what today's core makes of recordings, after a deliberate change of it.
 *
 *     node test/recordings/accept.ts FILE…
 *
 * The events and their moments stay; what the core decides on each is written down anew. Read the story of each before and
 * after (`muster replay FILE`), and say in the commit why it changed.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Event, type State, step } from '@muster/protocol'
import { createBlockWriter, FILE_START } from '../../packages/agent/src/recorder/blocks.ts'
import { encodeFrame, encodeHead, snapshotFrames } from '../../packages/agent/src/recorder/frames.ts'
import { createNotes, type Notes } from '../../packages/agent/src/recorder/notes.ts'
import { readSegment } from '../../packages/agent/src/recorder/reading.ts'
import { replaySegment } from '../../packages/agent/src/recorder/replaying.ts'

const FRAMES_PER_BLOCK = 200

/** The same recording, as today's core would have made it. */
export function accepted(file: Uint8Array): Uint8Array {
  const { head, first, met } = readSegment(file)
  const frames = [encodeHead({ ...head, continues: false }), ...snapshotFrames(first)]
  const notes = createNotes(first)
  let state = first
  for (let next = met.next(); next.done !== true; next = met.next()) {
    if (next.value.kind === 'end') break
    if (next.value.kind === 'event') {
      const { event } = next.value
      const stepped = step(state, event)
      frames.push(...notes.take(event, stepped.effects, stepped.state))
      state = stepped.state
      continue
    }
    const idle = next.value
    const [same] = replaySegment({ head, first: state, met: one(idle) })
    if (same?.isSame === true) {
      notes.take({ kind: 'tick', at: idle.clock }, [], same.after)
      state = same.after
    } else state = tickThrough(notes, state, idle, frames)
  }
  frames.push(...notes.rest(), encodeFrame({ kind: 'end', why: 'stopped' }))
  const blocks = createBlockWriter()
  const bytes: Uint8Array[] = [FILE_START]
  for (let at = 0; at < frames.length; at += FRAMES_PER_BLOCK) {
    bytes.push(blocks.block(frames.slice(at, at + FRAMES_PER_BLOCK)))
  }
  return Buffer.concat(bytes)
}

type Idle = Extract<
  NonNullable<ReturnType<typeof readSegment>['met'] extends Generator<infer M> ? M : never>,
  { kind: 'idle' }
>

function* one(idle: Idle): Generator<Idle, 'whole'> {
  yield idle
  return 'whole'
}

/** Ticks that today's core does not let pass are taken one by one, evenly over their time. */
function tickThrough(notes: Notes, from: State, { clock, count }: Idle, frames: Uint8Array[]): State {
  let state = from
  for (let tick = 1; tick <= count; tick += 1) {
    const between = (a: number, b: number): number => a + ((b - a) * tick) / count
    const at = {
      monotonicMs: between(from.clock.monotonicMs, clock.monotonicMs),
      bootMs: between(from.clock.bootMs, clock.bootMs),
      unixMs: between(from.clock.unixMs, clock.unixMs),
    }
    const event: Event = { kind: 'tick', at }
    const stepped = step(state, event)
    frames.push(...notes.take(event, stepped.effects, stepped.state))
    state = stepped.state
  }
  return state
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const path of process.argv.slice(2)) {
    await writeFile(path, accepted(await readFile(path)))
    console.log(`${path}: accepted`)
  }
}
