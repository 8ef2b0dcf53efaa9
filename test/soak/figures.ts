/** What a soak brought: figures of each agent, counts of notices, and whether that is well. */
import { percentile } from '../bench/row.ts'
import type { AgentReading, DiskReading } from './readings.ts'
import type { Tally } from './seen-notices.ts'
import { type Point, slopePerHour } from './slope.ts'

/** Readings of younger lives are left out where a leak is looked for: an agent fills its caches first. Minutes. */
const WARM_MINUTES = 10
/** Shorter than this, a slope is noise: the collector's steps are a few megabytes each. Minutes. */
const SPAN_MINUTES = 10
/** The same for what is shown of each life. Minutes. */
const YOUNG_MINUTES = 1

/** Runs of so many minutes are held to the bound. */
export const JUDGED_MINUTES = 30
/** An agent may grow by so much over a whole run, as its slope has it: what collections and caches come to. MB. */
const GROWTH_MB_MAX = 10
/** No bound is below this, however long the run: the records of 48 hours are held in memory. MB/h. */
const BOUND_LEAST = 2

/** The steepest slope that is well in a run of so many minutes, in MB/h. */
export function boundMbPerHour(minutes: number): number {
  return Math.max(BOUND_LEAST, (GROWTH_MB_MAX * 60) / minutes)
}

/** One agent. */
export interface AgentFigures {
  readonly name: string
  /** Lives of it that were read. */
  readonly lives: number
  readonly rssMb: { readonly first: number; readonly last: number; readonly most: number }
  /** Over readings at least ten minutes after a start; null where they span less than ten minutes. This one is judged. */
  readonly slopeMbPerHour: number | null
  /** Over all lives, each from its second minute on, with a height of its own. Growth after a start is in it. */
  readonly slopeWithinLivesMbPerHour: number | null
  readonly descriptors: { readonly first: number; readonly last: number; readonly most: number }
  readonly storeMb: Growth | null
  readonly recorderMb: Growth | null
}

/** Something on disk. */
export interface Growth {
  readonly first: number
  readonly last: number
  /** Between the first reading and the last; null where they are one. */
  readonly perHour: number | null
}

/** All of it, as `--json` prints it. */
export interface SoakFigures extends Omit<Tally, 'seconds' | 'wrong'> {
  /** How long it ran, from when all agents saw each other. */
  readonly minutes: number
  /** It was ended before its time. */
  readonly endedEarly: boolean
  readonly hosts: number
  /** Why all hosts were on loopback; null when each had a network namespace. */
  readonly whyLoopback: string | null
  /** Verdicts on hosts that were neither dead nor cut off, whether they were told or not. */
  readonly falseVerdicts: number
  readonly secondsToNotice: { readonly median: number | null; readonly most: number | null }
  /** Null for a run that is too short to be held to one. */
  readonly boundMbPerHour: number | null
  readonly agents: readonly AgentFigures[]
  readonly isWell: boolean
  readonly wrong: readonly string[]
  /** What other programs used of the machine. */
  readonly otherWork: string | null
}

/** What figures are made of. */
export interface Brought {
  readonly minutes: number
  readonly endedEarly: boolean
  readonly names: readonly string[]
  readonly whyLoopback: string | null
  readonly tally: Tally
  /** Lines like `host-2 on host-5`. */
  readonly falseVerdicts: readonly string[]
  /** What kept the run itself from being what it should be. */
  readonly troubles: readonly string[]
  readonly agents: readonly AgentReading[]
  readonly disks: readonly DiskReading[]
  readonly otherWork: string | null
}

/** Works them out. */
export function figuresOf(brought: Brought): SoakFigures {
  const { minutes, endedEarly, names, whyLoopback, falseVerdicts, troubles, otherWork } = brought
  const { seconds, wrong: toldWrong, ...counts } = brought.tally
  const bound = minutes >= JUDGED_MINUTES ? boundMbPerHour(minutes) : null
  const agents = names.map((name) =>
    agentFigures(
      name,
      brought.agents.filter((each) => each.name === name),
      brought.disks.filter((each) => each.name === name),
    ),
  )
  const slopes = agents.flatMap(({ name, slopeMbPerHour }) =>
    slopeMbPerHour === null ? [] : [{ name, slope: slopeMbPerHour }],
  )
  const steep = bound === null ? [] : slopes.filter(({ slope }) => slope > bound)
  const wrong = [
    ...toldWrong,
    ...falseVerdicts.map((line) => `a false verdict: ${line}`),
    ...troubles,
    ...steep.map(({ name, slope }) => `${name} grows by ${slope.toFixed(1)} MB/h, more than ${bound?.toFixed(1)}`),
    ...(bound !== null && slopes.length === 0 ? ['no agent was left alone for long enough to see a slope'] : []),
  ]
  return {
    minutes: round(minutes),
    endedEarly,
    hosts: names.length,
    whyLoopback,
    ...counts,
    falseVerdicts: falseVerdicts.length,
    secondsToNotice: { median: rounded(percentile(seconds, 0.5)), most: rounded(percentile(seconds, 1)) },
    boundMbPerHour: rounded(bound),
    agents,
    isWell: wrong.length === 0,
    wrong,
    otherWork,
  }
}

function agentFigures(name: string, readings: readonly AgentReading[], disks: readonly DiskReading[]): AgentFigures {
  const lives = [...Map.groupBy(readings, ({ pid }) => pid).values()]
  const olderThan = (minutes: number): readonly (readonly Point[])[] =>
    lives
      .map((life) => life.filter(({ ageMinutes }) => ageMinutes >= minutes))
      .map((life) => life.map(({ hours, rssMb }) => ({ hours, value: rssMb })))
  const warm = olderThan(WARM_MINUTES)
  return {
    name,
    lives: lives.length,
    rssMb: rangeOf(readings.map(({ rssMb }) => rssMb)),
    slopeMbPerHour: spanMinutes(warm) < SPAN_MINUTES ? null : rounded(slopePerHour(warm)),
    slopeWithinLivesMbPerHour: rounded(slopePerHour(olderThan(YOUNG_MINUTES))),
    descriptors: rangeOf(readings.map(({ descriptors }) => descriptors)),
    storeMb: growthOf(disks.map(({ hours, storeMb }) => ({ hours, value: storeMb }))),
    recorderMb: growthOf(disks.map(({ hours, recorderMb }) => ({ hours, value: recorderMb }))),
  }
}

/** The longest stretch of one life. */
function spanMinutes(lines: readonly (readonly Point[])[]): number {
  return Math.max(0, ...lines.map((line) => ((line.at(-1)?.hours ?? 0) - (line[0]?.hours ?? 0)) * 60))
}

function rangeOf(values: readonly number[]): AgentFigures['rssMb'] {
  return { first: round(values[0] ?? 0), last: round(values.at(-1) ?? 0), most: round(Math.max(0, ...values)) }
}

function growthOf(points: readonly Point[]): Growth | null {
  const [first] = points
  const last = points.at(-1)
  if (first === undefined || last === undefined) return null
  const hours = last.hours - first.hours
  return {
    first: round(first.value),
    last: round(last.value),
    perHour: hours === 0 ? null : round((last.value - first.value) / hours),
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function rounded(value: number | null): number | null {
  return value === null ? null : round(value)
}
