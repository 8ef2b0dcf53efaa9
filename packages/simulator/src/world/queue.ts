/** What is to happen, in virtual time: a binary heap in which equal times keep the order in which they were added. */

/** A time-ordered queue of things to run. */
export interface Queue {
  /** Runs `run` at virtual time `atMs`. */
  readonly add: (atMs: number, run: () => void) => void
  /** The time of the next thing, or infinity. */
  readonly nextMs: () => number
  /** Takes the next thing out. Undefined when nothing is left. */
  readonly take: () => (() => void) | undefined
  readonly size: () => number
  /** A place in the order of equal times, for something that is kept elsewhere. */
  readonly takeOrder: () => number
  /** The place of the next thing among those of its time, or infinity. */
  readonly nextOrder: () => number
}

interface Item {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** Makes an empty queue. */
export function createQueue(): Queue {
  const heap: Item[] = []
  let added = 0
  const before = (left: Item, right: Item): boolean =>
    left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order)

  const add = (atMs: number, run: () => void): void => {
    const item = { atMs, order: added, run }
    added += 1
    let index = heap.length
    heap.push(item)
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = heap[parentIndex]
      if (parent === undefined || !before(item, parent)) break
      heap[index] = parent
      index = parentIndex
    }
    heap[index] = item
  }

  const take = (): (() => void) | undefined => {
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return undefined
    if (first === last) return first.run
    let index = 0
    for (;;) {
      let childIndex = 2 * index + 1
      let child = heap[childIndex]
      if (child === undefined) break
      const right = heap[childIndex + 1]
      if (right !== undefined && before(right, child)) {
        child = right
        childIndex += 1
      }
      if (!before(child, last)) break
      heap[index] = child
      index = childIndex
    }
    heap[index] = last
    return first.run
  }

  return {
    add,
    take,
    nextMs: () => heap[0]?.atMs ?? Number.POSITIVE_INFINITY,
    size: () => heap.length,
    takeOrder: () => {
      added += 1
      return added - 1
    },
    nextOrder: () => heap[0]?.order ?? Number.POSITIVE_INFINITY,
  }
}
