/** Finds the damaged blocks in the files of a database, before LevelDB reads them. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../identity/key-file.ts'
import { StorageError } from './storage-error.ts'
import { type BlockPlace, damagedBlocks } from './table-check.ts'

/** Damaged blocks by the names of their tables. */
export type Damage = ReadonlyMap<string, readonly BlockPlace[]>

/** The damaged blocks of each table that has some. Throws a `StorageError`: `corrupt` when a table has lost its index. */
export async function findDamage(database: string): Promise<Damage> {
  const damage = new Map<string, readonly BlockPlace[]>()
  try {
    for (const name of (await readdir(database)).filter((file) => /\.(?:ldb|sst)$/.test(file)).sort()) {
      const blocks = damagedBlocks(await readFile(join(database, name)))
      if (blocks === null) throw new StorageError('corrupt', `the index of ${name} is not what was written`)
      if (blocks.length > 0) damage.set(name, blocks)
    }
  } catch (cause) {
    if (cause instanceof StorageError) throw cause
    throw new StorageError('io', `the store cannot be read (${systemCode(cause) ?? 'unknown'})`, { cause })
  }
  return damage
}

/** "000005.ldb at byte 36864", for each block. */
export function damageTexts(damage: Damage): readonly string[] {
  return [...damage].flatMap(([name, blocks]) => blocks.map(({ offset }) => `${name} at byte ${offset}`))
}
