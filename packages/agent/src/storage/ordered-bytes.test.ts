import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createOrderedBytes } from './ordered-bytes.ts'

/** Bytes as text: few, so that they meet. */
const key = fc
  .array(fc.constantFrom(0, 1, 65, 254, 255), { maxLength: 3 })
  .map((bytes) => String.fromCharCode(...bytes))
const change = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, size: fc.nat({ max: 5 }) }),
  fc.record({ kind: fc.constant('delete' as const), key }),
)

test('says what a plain map says, in the order of the keys, and counts its bytes', () => {
  const look = fc.record({ first: key, end: key, reverse: fc.boolean(), limit: fc.nat({ max: 4 }) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.array(look, { maxLength: 10 }), (changes, looks) => {
      const ordered = createOrderedBytes()
      const model = new Map<string, string>()
      for (const each of changes) {
        if (each.kind === 'set') {
          const value = String(each.size).repeat(each.size)
          ordered.set(each.key, value)
          model.set(each.key, value)
        } else {
          ordered.delete(each.key)
          model.delete(each.key)
        }
      }
      const rows = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
      for (const [name, value] of rows) expect(ordered.get(name)).toBe(value)
      expect(ordered.bytes()).toBe(rows.reduce((sum, [name, value]) => sum + name.length + value.length, 0))
      const all = { reverse: false, limit: Number.POSITIVE_INFINITY }
      expect(ordered.range('', '\u0100', all)).toEqual(rows)
      for (const { first, end, reverse, limit } of looks) {
        const within = rows.filter(([name]) => name >= first && name < end)
        if (reverse) within.reverse()
        expect(ordered.range(first, end, { reverse, limit })).toEqual(within.slice(0, limit))
      }
    }),
    { numRuns: 500 },
  )
})

test('a range is a snapshot', () => {
  const ordered = createOrderedBytes()
  for (const name of ['a', 'b', 'c']) ordered.set(name, name)
  const rows = ordered.range('a', 'd', { reverse: false, limit: 9 })
  ordered.delete('b')
  ordered.set('aa', 'aa')
  expect(rows.map(([name]) => name)).toEqual(['a', 'b', 'c'])
})
