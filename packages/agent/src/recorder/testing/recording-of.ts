/** The file of a recording, made of what a core met. */
import { createBlockWriter, FILE_START } from '../blocks.ts'
import { encodeFrame, encodeHead, snapshotFrames } from '../frames.ts'
import { createNotes } from '../notes.ts'
import type { SimulatedLife } from './simulated-lives.ts'

/** Frames that stand in one block, so that several blocks are met. */
const FRAMES_PER_BLOCK = 100

/** The frames of a whole life, its snapshot first. */
export function framesOf({ first, steps }: SimulatedLife): readonly Uint8Array[] {
  const notes = createNotes(first)
  const frames = [encodeHead({ release: 'test', continues: false }), ...snapshotFrames(first)]
  for (const { event, effects, state } of steps) frames.push(...notes.take(event, effects, state))
  return [...frames, ...notes.rest(), encodeFrame({ kind: 'end', why: 'stopped' })]
}

/** The file of these frames. */
export function fileOf(frames: readonly Uint8Array[], perBlock = FRAMES_PER_BLOCK): Uint8Array {
  const blocks = createBlockWriter()
  const bytes: Uint8Array[] = [FILE_START]
  for (let at = 0; at < frames.length; at += perBlock) bytes.push(blocks.block(frames.slice(at, at + perBlock)))
  return Buffer.concat(bytes)
}

/** The file of a whole life. */
export function recordingOf(life: SimulatedLife): Uint8Array {
  return fileOf(framesOf(life))
}
