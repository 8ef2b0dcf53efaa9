/** One figure of a benchmark: many measurements made into a row, and rows into a table. */
import { percentile as percentileOf } from '../../packages/simulator/src/scale/percentile.ts'

/** What a figure is held to. What is absent is not asked for. */
export interface Target {
  readonly median?: number
  readonly p95?: number
  readonly max?: number
}

/** One row of the report, as `--json` prints it. */
export interface Row {
  readonly name: string
  readonly unit: string
  /** Which direction is good. */
  readonly better: 'less' | 'more'
  /** How many independent measurements are behind it; 0 when it could not be measured. */
  readonly runs: number
  readonly median: number | null
  readonly p95: number | null
  readonly max: number | null
  /** The same figure of another program, measured in the same run; null where it was not. */
  readonly peer: { readonly name: string; readonly median: number; readonly max: number } | null
  readonly target: Target | null
  /**
   * Follows from the figures; null when there is no target. False as well when it could not be measured, when a run
   * failed, and when there were fewer runs than the target is promised for.
   */
  readonly met: boolean | null
  /** Why it was left out, and what else there is to know of the runs. */
  readonly note?: string
}

/** What a row is made of. */
export interface Figures {
  readonly name: string
  readonly unit: string
  readonly better: 'less' | 'more'
  readonly runs: number
  readonly values: readonly number[]
  readonly target: Target | null
  /** How many runs the target is promised for. */
  readonly runsMin?: number
  /** What was wrong with runs that failed: no figure came, or one came with harm. Slow runs are no failures. */
  readonly failures?: readonly string[]
  readonly peer?: { readonly name: string; readonly values: readonly number[] }
  readonly note?: string
}

/** The value that is at least as great as `share` (0 to 1) of all; null of none, which is no figure. */
export function percentile(values: readonly number[], share: number): number | null {
  return values.length === 0 ? null : percentileOf(values, share)
}

/** Makes the row of these measurements. */
export function rowOf({ name, unit, better, runs, values, target, ...more }: Figures): Row {
  const { runsMin = 0, failures = [], peer } = more
  const figures = {
    median: rounded(percentile(values, 0.5)),
    p95: rounded(percentile(values, 0.95)),
    max: rounded(percentile(values, 1)),
  }
  const isMeasured = values.length > 0
  const isWhole = isMeasured && runs >= runsMin && failures.length === 0
  const note = [
    ...(more.note === undefined ? [] : [more.note]),
    ...(isMeasured && runs < runsMin ? [`a short run: the target is for ${runsMin} runs`] : []),
    ...failureTexts(failures),
  ].join('; ')
  return {
    name,
    unit,
    better,
    runs: isMeasured ? runs : 0,
    ...figures,
    peer: peer === undefined ? null : peerOf(peer),
    target,
    met: target === null ? null : isWhole && meets(figures, target, better),
    ...(note === '' ? {} : { note }),
  }
}

function peerOf({ name, values }: NonNullable<Figures['peer']>): Row['peer'] {
  const median = rounded(percentile(values, 0.5))
  const max = rounded(percentile(values, 1))
  return median === null || max === null ? null : { name, median, max }
}

/** Each reason once, with how often it came. */
function failureTexts(failures: readonly string[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const reason of failures) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => `${count} failed (${reason})`)
}

function meets(
  figures: Readonly<Record<keyof Target, number | null>>,
  target: Target,
  better: Figures['better'],
): boolean {
  for (const key of ['median', 'p95', 'max'] as const) {
    const wanted = target[key]
    const figure = figures[key]
    if (wanted === undefined) continue
    if (figure === null || (better === 'less' ? figure > wanted : figure < wanted)) return false
  }
  return true
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1_000) / 1_000
}

/** The rows as lines for a person. */
export function tableLines(rows: readonly Row[]): readonly string[] {
  const head = ['figure', 'unit', 'runs', 'median', 'p95', 'max', 'peer', 'target', 'met']
  const cells = rows.map((row) => [
    row.name,
    row.unit,
    String(row.runs),
    shown(row.median),
    shown(row.p95),
    shown(row.max),
    row.peer === null ? '-' : `${row.peer.name} ${row.peer.median} / ${row.peer.max}`,
    targetText(row),
    row.met === null ? '' : row.met ? 'yes' : 'NO',
  ])
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => (line[column] ?? '').length)),
  )
  const lines = [head, ...cells].map((line) =>
    line
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  const notes = rows.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`]))
  return [...lines, ...notes]
}

function shown(value: number | null): string {
  return value === null ? '-' : String(value)
}

function targetText({ target, better }: Row): string {
  const sign = better === 'less' ? '<=' : '>='
  return Object.entries(target ?? {})
    .map(([key, value]) => `${key} ${sign} ${value}`)
    .join(', ')
}
