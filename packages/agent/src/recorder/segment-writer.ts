/** The writing of one segment: room is made for it, its snapshot is written, then the frames that follow. */
import type { State } from '@muster/protocol'
import { createBlockWriter, FILE_START, rawBytesOf } from './blocks.ts'
import { type FlightDisk, type FlightWriter, segmentName, segmentNumber } from './flight-disk.ts'
import { encodeHead, type Head, snapshotFrames } from './frames.ts'
import { flightLimits, SEGMENT_SHARE } from './limits.ts'

/** How much may be on the disk. Bytes. */
export interface FlightRoom {
  /** All segments together. */
  readonly bytes: number
  readonly segmentBytes: number
}

/** A segment whose snapshot is on the disk. */
export interface SegmentWriter {
  /** Bytes in the file. */
  bytes(): number
  /** Frames as one block, while the segment has no more than so many bytes. Throws when it would, and the system's errors. */
  write(frames: readonly Uint8Array[], bytesMax?: number): Promise<void>
  close(): Promise<void>
}

/** Begins a segment. The oldest ones go first, so that at no time there is more than the room. */
export async function beginSegment(
  disk: FlightDisk,
  { bytes: bytesMax, segmentBytes }: FlightRoom,
  head: Head,
  state: State,
): Promise<SegmentWriter> {
  const files = [...(await disk.list())]
  const last = files.at(-1)
  let held = files.reduce((sum, { bytes }) => sum + bytes, 0)
  while (files.length > 0 && (held + segmentBytes > bytesMax || files.length >= flightLimits.segments)) {
    const oldest = files.shift()
    if (oldest === undefined) break
    await disk.remove(oldest.name)
    held -= oldest.bytes
  }
  const name = segmentName(last === undefined ? 1 : segmentNumber(last.name) + 1)
  const file = await disk.create(name)
  try {
    const writer = writerOf(file, segmentBytes)
    await file.append(FILE_START)
    await writeSnapshot(writer, segmentBytes * SEGMENT_SHARE, head, state)
    return writer
  } catch (error) {
    await file.close().catch(() => undefined)
    // Without its snapshot it is worth nothing, and a full disk would have one more of it at each try.
    await disk.remove(name).catch(() => undefined)
    throw error
  }
}

function writerOf(file: FlightWriter, segmentBytes: number): SegmentWriter {
  const blocks = createBlockWriter()
  let bytes = FILE_START.byteLength
  return {
    bytes: () => bytes,
    async write(frames, bytesMax = segmentBytes) {
      const block = blocks.block(frames)
      if (bytes + block.byteLength > bytesMax) throw tooLarge()
      bytes += block.byteLength
      await file.append(block)
    },
    close: () => file.close(),
  }
}

/** Part by part: between two of them the agent does other things, and nobody writes to a state. */
async function writeSnapshot(writer: SegmentWriter, bytesMax: number, head: Head, state: State): Promise<void> {
  let frames: Uint8Array[] = [encodeHead(head)]
  let raw = 0
  let rawAll = 0
  for (const frame of snapshotFrames(state)) {
    frames.push(frame)
    raw += rawBytesOf(frame)
    rawAll += rawBytesOf(frame)
    if (frame.byteLength > flightLimits.frameBytes || rawAll > flightLimits.snapshotRawBytes) {
      throw tooLarge()
    }
    if (raw < flightLimits.blockBytes) continue
    await writer.write(frames, bytesMax)
    frames = []
    raw = 0
  }
  await writer.write(frames, bytesMax)
}

function tooLarge(): Error {
  return new Error('there is more to be recorded than a segment holds')
}
