/** The runs behind a figure, as they come in: values, runs that failed, and the peer's. */
import { type Row, rowOf } from './row.ts'
import { PROMISED, type PromisedName, promisedOf } from './targets.ts'

/** The runs of one figure. */
export interface Series {
  readonly values: readonly number[]
  add(value: number): void
  /** A run that failed, and why: it may have a value all the same. */
  fail(reason: string): void
  /** Why it was not measured, or how; said once in the row. */
  note(text: string): void
  /** A run of another program, in the same unit. */
  addPeer(name: string, value: number): void
  row(): Row
}

/** No runs yet of a figure in the table. */
export function createSeries(name: PromisedName): Series {
  const values: number[] = []
  const failures: string[] = []
  const notes = new Set<string>()
  let peer: { readonly name: string; readonly values: number[] } | undefined
  return {
    values,
    add: (value) => void values.push(value),
    fail: (reason) => void failures.push(reason),
    note: (text) => void notes.add(text),
    addPeer(peerName, value) {
      peer ??= { name: peerName, values: [] }
      peer.values.push(value)
    },
    row: () =>
      rowOf({
        name,
        ...PROMISED[name],
        runs: values.length,
        values,
        failures,
        ...(peer === undefined ? {} : { peer }),
        ...(notes.size === 0 ? {} : { note: [...notes].join('; ') }),
      }),
  }
}

/** The figures of one benchmark: a row for each, whatever happens. */
export interface Report {
  of(name: PromisedName): Series
  /** Says of each figure of these that brought nothing so far why that is. */
  leaveOut(names: readonly PromisedName[], why: string): void
  rows(): readonly Row[]
}

/** A report on all figures that a benchmark answers for. */
export function createReport(benchmark: string): Report {
  const all = new Map(promisedOf(benchmark).map((name) => [name, createSeries(name)]))
  const of = (name: PromisedName): Series => {
    const series = all.get(name)
    if (series === undefined) throw new Error(`${benchmark} does not answer for ${name}`)
    return series
  }
  return {
    of,
    leaveOut(names, why) {
      for (const name of names) if (of(name).values.length === 0) of(name).note(`not measured: ${why}`)
    },
    rows: () => [...all.values()].map((series) => series.row()),
  }
}
