/** Every bound of a recording, on disk and in memory, with its unit and its reason. */

const KIB = 1_024
const MIB = 1_024 * KIB

/** The bounds of the flight recorder and of those who read what it wrote. */
export const flightLimits = {
  /** All segments together: about a day of an idle mesh of three. */
  bytes: 8 * MIB,
  /** One segment. The oldest goes when a new one begins, so three quarters of all are there at any time. */
  segmentBytes: 2 * MIB,
  /** Segments, however small: each start of the agent begins one, and one that starts again and again is worth a look. */
  segments: 256,
  /** What is compressed and written together, before compression: a millisecond of work. */
  blockBytes: 64 * KIB,
  /** What was observed is written after this long at the latest, milliseconds: a crash costs that much of the end. */
  flushMs: 2_000,
  /** One frame: an event holds 256 KiB at most (a digest), an entry of a snapshot all results of one host. */
  frameBytes: 4 * MIB,
  /** One segment before compression, for the time and memory of who reads it. */
  rawBytes: 64 * MIB,
  /** A snapshot before compression: a mesh of 1,200 hosts has some 10 MiB. */
  snapshotRawBytes: 32 * MIB,
  /** How far back a block refers to the bytes before it: the window of deflate. Source: RFC 1951. */
  windowBytes: 32 * KIB,
  /** Between two tries to begin anew after a trouble, milliseconds: doubled each time, until it has run for the longest. */
  retryMsMin: 30_000,
  retryMsMax: 10 * 60_000,
} as const

/** Of a segment: what may wait for the disk, and what its snapshot may take. Together they always fit. */
export const SEGMENT_SHARE = 0.5
