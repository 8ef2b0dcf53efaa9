/** `muster verify` on files of a database that have lost a bit. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { meddle } from '../audit/testing/kept-mesh.ts'
import { at, createKeptWorld, type KeptWorld, there, vps } from '../audit/testing/kept-world.ts'
import { entryKey } from '../storage/keys.ts'

let world: KeptWorld
beforeAll(async () => {
  world = await createKeptWorld()
})
afterAll(() => world.remove())

describe('damaged files are told, and what can be read is', () => {
  /** A copy of the whole folder in which a bit of a file is wrong. */
  async function bentFile(ending: RegExp, place: (file: Buffer) => number): Promise<string> {
    // Opened twice: what was in the log of the database goes into a table.
    const path = await world.meddled()
    await meddle(path, [])
    const store = join(path, 'data', 'store')
    const name = there((await readdir(store)).find((file) => ending.test(file)))
    const file = await readFile(join(store, name))
    const index = place(file)
    file[index] = (file[index] ?? 0) ^ 1
    await writeFile(join(store, name), file)
    return path
  }

  test('a block of entries', async () => {
    const { code, out } = await world.verify('--dir', await bentFile(/\.ldb$/u, (file) => file.indexOf(vps.self) + 300))
    expect(code).toBe(1)
    expect(out).toMatch(/^WRONG \d+\.ldb at byte \d+: this block of the database is not what was written/mu)
  })

  test.each<[what: string, ending: RegExp, place: (file: Buffer) => number]>([
    ['the index of a table', /\.ldb$/u, (file) => file.byteLength - 60],
    ['the list of tables', /^MANIFEST/u, (file) => file.byteLength / 2],
  ])('%s', async (_, ending, place) => {
    const { code, out, err } = await world.verify('--dir', await bentFile(ending, (file) => Math.floor(place(file))))
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(
      /^muster: the database in .* cannot be opened: .*\n {2}an agent that starts here sets it aside/u,
    )
  })

  test('a value of which only the sum is wrong', async () => {
    const key = entryKey(vps.self, at(1, 2))
    const path = await world.meddled()
    const raw = new Level<Uint8Array, Uint8Array>(join(path, 'data', 'store'), {
      keyEncoding: 'view',
      valueEncoding: 'view',
    })
    const value = there(await raw.get(key))
    await raw.put(key, value.with(0, (value[0] ?? 0) ^ 1))
    await raw.close()
    const { code, out } = await world.verify('--dir', path)
    expect(code).toBe(1)
    expect(out).toMatch(/^vps-1 +7 entries, .* WRONG\n {2}life 1 entry 2: the bytes on disk are not those that/mu)
  })
})
