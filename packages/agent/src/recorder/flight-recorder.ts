/**
 * The flight recorder: keeps what one core met lately, bounded, on the disk.
 *
 * What the core met becomes a frame at once, for nothing else knows the order; all else happens behind: frames wait in a
 * bounded queue, are compressed together and written without an fsync. The core's loop never waits. A disk that is slow,
 * full or read-only costs the recording: the recorder stops, says so once, and later begins anew with a snapshot.
 */
import type { Effect, Event, State } from '@muster/protocol'
import type { Clock } from '../clock.ts'
import { type Log, reasonOf } from '../log.ts'
import { fileBytesMax, rawBytesOf } from './blocks.ts'
import type { FlightDisk } from './flight-disk.ts'
import { encodeFrame } from './frames.ts'
import { flightLimits, SEGMENT_SHARE } from './limits.ts'
import { createNotes, type Notes } from './notes.ts'
import { beginSegment, type FlightRoom, type SegmentWriter } from './segment-writer.ts'

/** Records one core. */
export interface FlightRecorder {
  /** Takes what the core has met. Never waits and never throws. */
  observe(event: Event, effects: readonly Effect[], state: State): void
  /** Resolves when all that was observed is in the file, or the recorder has stopped because of a trouble. */
  settled(): Promise<void>
  /** Ends the recording in order. */
  stop(): Promise<void>
}

/** What a recorder needs. All but the first four have a default that works. */
export interface FlightRecorderDeps {
  readonly disk: FlightDisk
  /** The release that runs, for who reads the recording. */
  readonly release: string
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
  readonly room?: FlightRoom
  readonly flushMs?: number
  readonly retryMs?: number
}

/** What waits to be written, in its order. */
type Waiting =
  | { readonly kind: 'segment'; readonly state: State; readonly continues: boolean }
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }

/** One stretch without a trouble: from its first snapshot until the recorder stops. */
interface Stretch {
  readonly notes: Notes
  readonly waiting: Waiting[]
  /** Raw bytes that wait or are being written, and those of them in the newest segment, with their number. */
  queuedBytes: number
  ahead: { bytes: number; frames: number }
  /** Raw bytes that were put into the newest segment. */
  rawBytes: number
  /** The segment that is written, and whether it is the newest that was asked for. */
  segment: SegmentWriter | null
  isNewest: boolean
  readonly sinceMs: number
}

/** Begins to record a core, from its first state on. */
export function createFlightRecorder(first: State, deps: FlightRecorderDeps): FlightRecorder {
  const { disk, release, clock, log, flushMs = flightLimits.flushMs, retryMs = flightLimits.retryMsMin } = deps
  const room = deps.room ?? { bytes: flightLimits.bytes, segmentBytes: flightLimits.segmentBytes }
  const queueBytesMax = room.segmentBytes * SEGMENT_SHARE * 0.9
  let newest = first
  let stretch: Stretch | null = null
  let working: Promise<void> | null = null
  let flushTimer: NodeJS.Timeout | undefined
  let retryTimer: NodeJS.Timeout | undefined
  let troubles = 0
  let hasSaid = false
  let hasBegun = false
  let isStopped = false

  function begin(): void {
    // A write that hangs since the trouble is not to meet another.
    if (working !== null) return retryLater()
    const begun: Stretch = {
      notes: createNotes(newest),
      waiting: [],
      queuedBytes: 0,
      ahead: { bytes: 0, frames: 0 },
      rawBytes: 0,
      segment: null,
      isNewest: false,
      sinceMs: clock.monotonicMs(),
    }
    stretch = begun
    nextSegment(begun, false)
    work(begun)
  }

  function nextSegment(its: Stretch, continues: boolean): void {
    if (continues) push(its, encodeFrame({ kind: 'end', why: 'continued' }))
    its.waiting.push({ kind: 'segment', state: newest, continues })
    its.ahead = { bytes: 0, frames: 0 }
    its.rawBytes = 0
    its.isNewest = false
  }

  function push(its: Stretch, bytes: Uint8Array): void {
    its.waiting.push({ kind: 'frame', bytes })
    its.queuedBytes += rawBytesOf(bytes)
    its.ahead = { bytes: its.ahead.bytes + rawBytesOf(bytes), frames: its.ahead.frames + 1 }
    its.rawBytes += rawBytesOf(bytes)
  }

  /** Whether the newest segment might not hold what waits, one frame more, and what ends a segment. */
  function isFull({ segment, isNewest, ahead, rawBytes }: Stretch, nextBytes: number): boolean {
    const written = isNewest && segment !== null ? segment.bytes() : room.segmentBytes * SEGMENT_SHARE
    const most = written + fileBytesMax(ahead.bytes + nextBytes + LAST_BYTES, ahead.frames + 3)
    return most > room.segmentBytes || rawBytes + nextBytes > flightLimits.rawBytes - flightLimits.snapshotRawBytes
  }

  /** Takes the frames of one event, which led from the newest state to another. */
  function take(its: Stretch, frames: readonly Uint8Array[]): void {
    const met = frames.at(-1)
    if (met === undefined) return
    if (met.byteLength > flightLimits.frameBytes) throw new Error('what was met is too large to be recorded')
    for (const idle of frames.slice(0, -1)) push(its, idle)
    if (isFull(its, rawBytesOf(met))) nextSegment(its, true)
    push(its, met)
    if (its.queuedBytes > queueBytesMax) throw new Error('the disk does not keep up')
  }

  /** Writes what waits, soon. */
  function wake(its: Stretch): void {
    if (its.queuedBytes >= flightLimits.blockBytes) return work(its)
    if (flushTimer !== undefined || its.waiting.length === 0) return
    flushTimer = setTimeout(() => {
      flushTimer = undefined
      if (stretch !== null) work(stretch)
    }, flushMs)
    flushTimer.unref()
  }

  function work(its: Stretch): void {
    working ??= writeAll(its)
      .catch((error: unknown) => fail(its, reasonOf(error)))
      .finally(() => {
        working = null
      })
  }

  async function writeAll(its: Stretch): Promise<void> {
    for (let next = its.waiting[0]; next !== undefined && stretch === its; next = its.waiting[0]) {
      if (next.kind === 'segment') {
        its.waiting.shift()
        await its.segment?.close()
        its.segment = null
        const head = { release, continues: next.continues }
        const begun = await beginSegment(disk, room, head, next.state)
        if (stretch !== its) return await begun.close()
        its.segment = begun
        its.isNewest = !its.waiting.some(({ kind }) => kind === 'segment')
        goesOn(its)
      } else {
        const frames = takeBlock(its.waiting)
        const bytes = frames.reduce((sum, frame) => sum + rawBytesOf(frame), 0)
        await its.segment?.write(frames)
        its.queuedBytes -= bytes
        if (its.isNewest) {
          its.ahead = { bytes: its.ahead.bytes - bytes, frames: its.ahead.frames - frames.length }
        }
      }
    }
  }

  function goesOn(its: Stretch): void {
    if (hasSaid) log.info('the flight recorder records again', {})
    hasSaid = false
    if (clock.monotonicMs() - its.sinceMs > flightLimits.retryMsMax) troubles = 0
  }

  /** Gives the stretch up: what waits is dropped, and all that is observed until the next one. */
  function fail(its: Stretch, reason: string): void {
    if (stretch !== its) return
    stretch = null
    its.waiting.length = 0
    if (!hasSaid) log.warn('the flight recorder has stopped, it tries again later', { reason })
    hasSaid = true
    const { segment } = its
    its.segment = null
    // One that is being written closes when that has ended, if it ever does.
    if (segment !== null) void (working ?? Promise.resolve()).then(() => segment.close()).catch(() => undefined)
    retryLater()
  }

  function retryLater(): void {
    if (isStopped) return
    const delayMs = Math.min(Math.max(flightLimits.retryMsMax, retryMs), retryMs * 2 ** Math.min(troubles, 16))
    troubles += 1
    clearTimeout(retryTimer)
    retryTimer = setTimeout(begin, delayMs)
    retryTimer.unref()
  }

  return {
    observe(event, effects, state) {
      // Not before: a start that fails because a port is in use is not to push out what was recorded before.
      if (!hasBegun) {
        hasBegun = true
        begin()
      }
      const its = stretch
      try {
        if (its === null || isStopped) return
        take(its, its.notes.take(event, effects, state))
        wake(its)
      } catch (error) {
        if (its !== null) fail(its, reasonOf(error))
      } finally {
        newest = state
      }
    },
    async settled() {
      for (;;) {
        const its = stretch
        if (its !== null) {
          for (const frame of its.notes.rest()) push(its, frame)
          work(its)
        }
        await working
        if (stretch === null || stretch.waiting.length === 0) return
      }
    },
    async stop() {
      isStopped = true
      clearTimeout(retryTimer)
      clearTimeout(flushTimer)
      const its = stretch
      if (its === null) return
      for (const frame of its.notes.rest()) push(its, frame)
      push(its, encodeFrame({ kind: 'end', why: 'stopped' }))
      while (stretch === its && its.waiting.length > 0) {
        work(its)
        await working
      }
      stretch = null
      await its.segment?.close().catch(() => undefined)
    },
  }
}

/** The most that the ticks before an end and the mark of the end take. */
const LAST_BYTES = 512

/** The first frames of the queue that make a block. */
function takeBlock(waiting: Waiting[]): readonly Uint8Array[] {
  const frames: Uint8Array[] = []
  let bytes = 0
  for (let next = waiting[0]; next?.kind === 'frame' && bytes < flightLimits.blockBytes; next = waiting[0]) {
    frames.push(next.bytes)
    bytes += rawBytesOf(next.bytes)
    waiting.shift()
  }
  return frames
}
