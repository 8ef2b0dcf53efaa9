/**
 * What a recording says, frame by frame: a head, the state that it begins with, then each event in its order.
 *
 * Every frame is canonical dag-cbor. The state is cut into parts, so that one of a large mesh is neither made nor read in
 * one go. An event carries a short hash of what the core decided then.
 */
import { hash } from 'node:crypto'
import {
  type Clock,
  decodeCanonical,
  type Effect,
  type Event,
  encodeCanonical,
  type Moment,
  ProtocolError,
  type State,
} from '@muster/protocol'
import { flightLimits } from './limits.ts'
import { fromPlain, isMap, toPlain } from './values.ts'

/** What a segment is about. `continues`: the one before ends with the very state that this begins with. */
export interface Head {
  readonly release: string
  readonly continues: boolean
}

/** One thing that a segment says after its head. */
export type Frame =
  /** A field of the state, or an entry of one that is a map. */
  | { readonly kind: 'field'; readonly field: string; readonly value: unknown }
  | { readonly kind: 'entry'; readonly field: string; readonly entry: readonly [unknown, unknown] }
  /** The state is whole. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'event'; readonly event: Event; readonly print: string }
  | ({ readonly kind: 'idle' } & IdleTicks)
  /** Nothing was lost: the agent stopped here, or the next segment goes on. */
  | { readonly kind: 'end'; readonly why: 'stopped' | 'continued' }

/**
 * Ticks in a row on which nothing happened, and what they left: the clocks, and when the next look is due. `wasDueAtMs` is
 * when it was due before them.
 */
export interface IdleTicks {
  readonly count: number
  readonly wasDueAtMs: number
  readonly clock: Clock
  readonly dueAtMs: number
}

/** Digits of a print: enough to tell two decisions apart, and no identity. */
const PRINT_DIGITS = 8
/** What a core that decided nothing leaves. */
export const NO_PRINT = ''
/**
 * A short hash of what a core decided: equal effects, equal prints. Reports do not count, for they are words to a person.
 */
export function printOf(effects: readonly Effect[]): string {
  const decisions = effects.filter(({ kind }) => kind !== 'report')
  if (decisions.length === 0) return NO_PRINT
  return hash('sha256', encodeCanonical(toPlain(decisions)), 'hex').slice(0, PRINT_DIGITS)
}

/** The first frame of a segment. */
export function encodeHead({ release, continues }: Head): Uint8Array {
  return encodeCanonical({ k: 'head', r: release, c: continues })
}

/** Reads the first frame of a segment. Throws a `ProtocolError`. */
export function decodeHead(bytes: Uint8Array): Head {
  const value = decodeCanonical(bytes, flightLimits.frameBytes)
  if (!isRecord(value) || value.k !== 'head') throw new ProtocolError('malformed', 'no head')
  const { r: release, c: continues } = value
  if (typeof release !== 'string' || typeof continues !== 'boolean')
    throw new ProtocolError('malformed', 'a broken head')
  return { release, continues }
}

/** Encodes a frame. */
export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.kind) {
    case 'field':
      return encodeCanonical({ k: 'field', f: frame.field, v: toPlain(frame.value) })
    case 'entry':
      return encodeCanonical({ k: 'entry', f: frame.field, v: toPlain(frame.entry) })
    case 'begin':
      return encodeCanonical({ k: 'begin' })
    case 'event': {
      const { at, ...rest } = frame.event
      return encodeCanonical({ k: 'event', a: momentToList(at), e: toPlain(rest), p: frame.print })
    }
    case 'idle': {
      const { count, clock, wasDueAtMs, dueAtMs } = frame
      return encodeCanonical({ k: 'idle', n: count, c: toPlain(clock), b: toPlain(wasDueAtMs), d: toPlain(dueAtMs) })
    }
    case 'end':
      return encodeCanonical({ k: 'end', w: frame.why })
    default:
      return frame satisfies never
  }
}

/** Reads a frame. Throws a `ProtocolError`. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const value = decodeCanonical(bytes, flightLimits.frameBytes)
  if (!isRecord(value)) throw new ProtocolError('malformed', 'a frame is a map')
  const { k, f, v, a, e, p, n, c, b, d, w } = value
  switch (k) {
    case 'field':
      if (typeof f === 'string') return { kind: 'field', field: f, value: fromPlain(v) }
      break
    case 'entry':
      if (typeof f === 'string' && Array.isArray(v)) {
        return { kind: 'entry', field: f, entry: [fromPlain(v[0]), fromPlain(v[1])] }
      }
      break
    case 'begin':
      return { kind: 'begin' }
    case 'event': {
      const rest = fromPlain(e)
      if (isRecord(rest) && typeof rest.kind === 'string' && typeof p === 'string') {
        return { kind: 'event', event: { ...rest, at: momentOf(a) } as Event, print: p }
      }
      break
    }
    case 'idle': {
      const [wasDueAtMs, dueAtMs] = [fromPlain(b), fromPlain(d)]
      if (typeof n === 'number' && typeof wasDueAtMs === 'number' && typeof dueAtMs === 'number') {
        return { kind: 'idle', count: n, clock: clockOf(fromPlain(c)), wasDueAtMs, dueAtMs }
      }
      break
    }
    case 'end':
      if (w === 'stopped' || w === 'continued') return { kind: 'end', why: w }
      break
    default:
  }
  throw new ProtocolError('malformed', 'a frame of no known kind')
}

/** The frames that hold a state, each of a bounded size, the last one `begin`. Made as they are asked for. */
export function* snapshotFrames(state: State): Generator<Uint8Array> {
  for (const [field, value] of Object.entries(state) as [string, unknown][]) {
    if (!isMap(value)) {
      yield encodeFrame({ kind: 'field', field, value })
      continue
    }
    yield encodeFrame({ kind: 'field', field, value: new Map() })
    for (const entry of value) yield encodeFrame({ kind: 'entry', field, entry })
  }
  yield encodeFrame({ kind: 'begin' })
}

function momentToList({ monotonicMs, bootMs, unixMs }: Moment): readonly number[] {
  return [monotonicMs, bootMs, unixMs]
}

function momentOf(value: unknown): Moment {
  const [monotonicMs, bootMs, unixMs] = Array.isArray(value) ? value : []
  return { monotonicMs: finite(monotonicMs), bootMs: finite(bootMs), unixMs: finite(unixMs) }
}

function clockOf(value: unknown): Clock {
  const { monotonicMs, bootMs, unixMs, awakeMs, elapsedMs } = isRecord(value) ? value : {}
  return {
    monotonicMs: finite(monotonicMs),
    bootMs: finite(bootMs),
    unixMs: finite(unixMs),
    awakeMs: finite(awakeMs),
    elapsedMs: finite(elapsedMs),
  }
}

function finite(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new ProtocolError('malformed', 'no time where one belongs')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
