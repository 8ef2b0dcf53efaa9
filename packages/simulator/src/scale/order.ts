/** Numbers in the order of their times: a binary heap in two plain lists, for searches that visit thousands of hosts. */

/** Numbers that wait, each at a time. */
export interface Order {
  readonly add: (atMs: number, value: number) => void
  /** Takes out the number with the earliest time. Undefined when none is left. */
  readonly take: () => number | undefined
}

/** Makes an empty order. */
export function createOrder(): Order {
  const times: number[] = []
  const values: number[] = []
  const at = (index: number): number => times[index] ?? Number.POSITIVE_INFINITY
  const swap = (a: number, b: number): void => {
    const [time, value] = [times[a] ?? 0, values[a] ?? 0]
    times[a] = times[b] ?? 0
    values[a] = values[b] ?? 0
    times[b] = time
    values[b] = value
  }
  return {
    add: (atMs, value) => {
      let index = times.push(atMs) - 1
      values.push(value)
      while (index > 0) {
        const parent = (index - 1) >> 1
        if (at(parent) <= at(index)) return
        swap(index, parent)
        index = parent
      }
    },
    take: () => {
      const first = values[0]
      if (first === undefined) return undefined
      swap(0, times.length - 1)
      times.pop()
      values.pop()
      let index = 0
      for (;;) {
        const left = 2 * index + 1
        const least = at(left + 1) < at(left) ? left + 1 : left
        if (at(least) >= at(index)) return first
        swap(index, least)
        index = least
      }
    },
  }
}
