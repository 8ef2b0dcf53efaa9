import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SharedKeyMap } from './shared-key-map.ts'

type Turn = { readonly copy: boolean; readonly key: number; readonly value: number | null }

const turns = fc.array(
  fc.record({
    copy: fc.boolean(),
    key: fc.integer({ min: 0, max: 12 }),
    value: fc.option(fc.integer({ min: 0, max: 99 })),
  }),
  { maxLength: 60 },
)

/** Sets what has a value, deletes what has none. */
function write(map: Map<number, number> | SharedKeyMap<number, number>, { key, value }: Turn): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}

describe('a map that shares its keys with its copies', () => {
  it('holds what a Map would hold, in the same order', () => {
    fc.assert(
      fc.property(turns, (played) => {
        let plain = new Map([...'abcdef'].map((_, index) => [index * 2, index] as [number, number]))
        let shared = SharedKeyMap.copyOf(plain)
        plain = new Map(plain)
        for (const turn of played) {
          if (turn.copy) shared = SharedKeyMap.copyOf(shared)
          write(plain, turn)
          write(shared, turn)
          expect(shared.size).toBe(plain.size)
          expect([shared.get(turn.key), shared.has(turn.key)]).toEqual([plain.get(turn.key), plain.has(turn.key)])
          expect([...shared]).toEqual([...plain])
          expect([...shared.keys()]).toEqual([...plain.keys()])
          expect([...shared.values()]).toEqual([...plain.values()])
        }
        const seen: [number, number][] = []
        shared.forEach((value, key) => void seen.push([key, value]))
        expect(seen).toEqual([...plain])
      }),
    )
  })

  it('may be written to while it is walked, as a Map may', () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(numbers, fc.func(fc.boolean()), fc.boolean(), (keys, goes, isWritten) => {
        const plain = new Map(keys.map((key) => [key, key * 2]))
        const shared = SharedKeyMap.copyOf(SharedKeyMap.copyOf(plain))
        const first = keys[0] ?? 0
        for (const map of [plain, shared]) if (isWritten) map.set(first, 1)
        const walked = [plain, shared].map((map) => {
          const seen: [number, number][] = []
          for (const [key, value] of map) {
            seen.push([key, value])
            if (goes(key)) map.delete(key)
            // Another one, which may come later.
            if (goes(key, 1)) map.delete(key + 1)
          }
          const values: number[] = []
          for (const value of map.values()) {
            values.push(value)
            if (goes(value, 2)) map.delete(value / 2)
          }
          return { seen, values, left: [...map] }
        })
        expect(walked[1]).toEqual(walked[0])
      }),
    )
  })

  it('lets two copies of one map, and the map itself, go their own ways', () => {
    const played = fc.array(fc.record({ who: fc.integer({ min: 0, max: 2 }), turn: turns.map(([turn]) => turn) }), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(played, (writes) => {
        const plain = new Map([...'abc'].map((_, index) => [index, index] as [number, number]))
        const shared = SharedKeyMap.copyOf(plain)
        const plains = [new Map(plain), new Map(plain), plain]
        const shareds = [SharedKeyMap.copyOf(shared), SharedKeyMap.copyOf(shared), shared]
        for (const { who, turn } of writes) {
          if (turn === undefined) continue
          for (const maps of [plains, shareds]) write(maps[who] as Map<number, number>, turn)
          expect(shareds.map((map) => [...map])).toEqual(plains.map((map) => [...map]))
          expect(shareds.map((map) => [map.size, map.get(turn.key), map.has(turn.key)])).toEqual(
            plains.map((map) => [map.size, map.get(turn.key), map.has(turn.key)]),
          )
        }
      }),
    )
  })

  it('leaves what it was copied from as it was', () => {
    fc.assert(
      fc.property(turns, (played) => {
        let newest = SharedKeyMap.copyOf(
          new Map([[1, 1] as const, [2, 2] as const, [3, 3] as const]) as Map<number, number>,
        )
        const kept: {
          readonly map: ReadonlyMap<number, number>
          readonly held: readonly (readonly [number, number])[]
        }[] = []
        for (const turn of played) {
          kept.push({ map: newest, held: [...newest] })
          newest = SharedKeyMap.copyOf(newest)
          write(newest, turn)
        }
        for (const { map, held } of kept) expect([...map]).toEqual(held)
      }),
    )
  })
})
