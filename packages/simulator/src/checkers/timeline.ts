/** A value over virtual time, as changes: what a checker asks about the past. */

/** A value that held from a time on, until the next. */
interface Change<T> {
  readonly atMs: number
  readonly value: T
}

/** The history of one value. */
export interface Timeline<T> {
  readonly set: (atMs: number, value: T) => void
  readonly at: (atMs: number) => T
  /** True when every value that held at any time within [fromMs, toMs] is accepted. */
  readonly always: (fromMs: number, toMs: number, accepts: (value: T) => boolean) => boolean
  /** The changes after `fromMs`, up to `toMs`. */
  readonly changes: (fromMs: number, toMs: number) => readonly Change<T>[]
}

/** Makes a history that begins with `initial`. Changes are set in the order of time. */
export function createTimeline<T>(initial: T): Timeline<T> {
  const changes: Change<T>[] = [{ atMs: Number.NEGATIVE_INFINITY, value: initial }]
  /** The index of the change that holds at a time. */
  const indexAt = (atMs: number): number => {
    let index = changes.length - 1
    while (index > 0 && (changes[index]?.atMs ?? 0) > atMs) index -= 1
    return index
  }
  return {
    set: (atMs, value) => {
      changes.push({ atMs, value })
    },
    at: (atMs) => changes[indexAt(atMs)]?.value ?? initial,
    always: (fromMs, toMs, accepts) => {
      for (let index = indexAt(fromMs); index < changes.length; index += 1) {
        const change = changes[index]
        if (change === undefined || (change.atMs > toMs && change.atMs > fromMs)) break
        if (!accepts(change.value)) return false
      }
      return true
    },
    changes: (fromMs, toMs) => changes.filter(({ atMs }) => atMs > fromMs && atMs <= toMs),
  }
}
