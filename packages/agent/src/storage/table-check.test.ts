import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'
import { openLevel } from './level-driver.ts'
import { unpackSnappy } from './snappy.ts'
import { damagedBlocks } from './table-check.ts'

test.each([
  ['', 0],
  ['123456789', 0xe3069283],
])('the CRC-32C of "%s"', (text, sum) => {
  expect(crc32c(Buffer.from(text))).toBe(sum)
})

describe('snappy', () => {
  const bytes = (...parts: readonly (number | string)[]): Uint8Array =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))))
  test.each<[what: string, packed: Uint8Array, text: string | null]>([
    ['a literal', bytes(3, 0x08, 'abc'), 'abc'],
    ['a long literal', bytes(61, 0xf0, 60, 'x'.repeat(61)), 'x'.repeat(61)],
    ['a copy by one byte', bytes(8, 0x0c, 'abcd', 0x01, 4), 'abcdabcd'],
    ['a copy by two bytes', bytes(8, 0x0c, 'abcd', 0x0e, 4, 0), 'abcdabcd'],
    ['a copy by four bytes', bytes(8, 0x0c, 'abcd', 0x0f, 4, 0, 0, 0), 'abcdabcd'],
    ['a copy of what it makes', bytes(9, 0x00, 'a', 0x1e, 1, 0), 'a'.repeat(9)],
    ['a copy from before the beginning', bytes(8, 0x0c, 'abcd', 0x01, 5), null],
    ['a copy of nothing', bytes(8, 0x0c, 'abcd', 0x01, 0), null],
    ['too little', bytes(9, 0x0c, 'abcd', 0x01, 4), null],
    ['too much', bytes(2, 0x08, 'abc'), null],
    ['a literal that ends early', bytes(3, 0x08, 'ab'), null],
    ['a length beyond what is allowed', bytes(0xff, 0x01), null],
    ['nothing', bytes(), null],
  ])('%s', (_, packed, text) => {
    expect(unpackSnappy(packed, 100)).toEqual(text === null ? null : new Uint8Array(Buffer.from(text)))
  })
})

describe('a table of LevelDB', () => {
  let folder: string
  let table: Buffer

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-table-'))
    const driver = await openLevel(folder)
    const rows = Array.from({ length: 2_000 }, (_, index) => index)
    const operations = rows.map((index) => ({
      type: 'put' as const,
      key: Buffer.from(`a key that is long and alike ${String(index).padStart(6, '0')}`),
      value: Buffer.from(`value ${index} `.repeat(8)),
    }))
    await driver.batch(operations, { sync: true })
    await driver.close()
    // Its log becomes a table when it is opened again.
    await (await openLevel(folder)).close()
    const name = (await readdir(folder)).find((file) => file.endsWith('.ldb')) ?? ''
    table = await readFile(join(folder, name))
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** The table with one bit of this byte changed. */
  function flipped(at: number): Buffer {
    const bad = Buffer.from(table)
    bad[at] = (bad[at] ?? 0) ^ 0x10
    return bad
  }

  test('is sound as it was written', () => {
    expect(damagedBlocks(table)).toEqual([])
  })

  test('has its index packed, so that unpacking is tried here', () => {
    // Right before the footer are the index, its kind and its sum.
    expect(table[table.byteLength - 48 - 5]).toBe(1)
  })

  test('shows each bit that is wrong: in one block, or in what all others are found by', () => {
    const found = { blocks: 0, index: 0 }
    for (let at = 0; at < table.byteLength - 48; at += 13) {
      const damaged = damagedBlocks(flipped(at))
      if (damaged === null) found.index += 1
      else {
        expect(damaged).toHaveLength(1)
        const [{ offset, size } = { offset: 0, size: 0 }] = damaged
        expect({ at, isWithin: at >= offset && at < offset + size + 5 }).toEqual({ at, isWithin: true })
        found.blocks += 1
      }
    }
    expect(found.blocks).toBeGreaterThan(found.index)
    expect(found.index).toBeGreaterThan(0)
  })

  test.each([
    ['nothing', () => Buffer.of()],
    ['half of it', () => table.subarray(0, table.byteLength / 2)],
    ['another magic number', () => flipped(table.byteLength - 1)],
    ['an index elsewhere', () => flipped(table.byteLength - 47)],
  ])('of which is left %s has no index', (_, make) => {
    expect(damagedBlocks(make())).toBeNull()
  })
})
