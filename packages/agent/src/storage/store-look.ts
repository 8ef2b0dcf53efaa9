/**
 * Reads a store on a disk that takes no writes.
 *
 * LevelDB cannot open a database without writing: it needs its lock file, and begins a new log and manifest. Its tables,
 * and the log and manifest of the run before, are only read, though. So a folder elsewhere is given links to them and
 * a copy of the file that names the manifest, and LevelDB opens that: what it writes lands beside the links, and what it
 * removes are links. It needs as much room as the old log has, 4 MiB at most, and a little more.
 */
import { copyFile, mkdtemp, open, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { systemCode } from '../identity/key-file.ts'
import type { Driver } from './driver.ts'
import type { Damage } from './find-damage.ts'
import { openLevel } from './level-driver.ts'
import { StorageError } from './storage-error.ts'
import { assembleStore, type Store } from './store.ts'
import { databasePath, incarnationFile } from './store-folder.ts'
import type { BlockPlace } from './table-check.ts'

/** Where the folder of links goes: into memory where that is known to be, for the disk for temporary files may be the full one. */
const PLACES: readonly string[] = process.platform === 'linux' ? ['/dev/shm', tmpdir()] : [tmpdir()]

/** The same the other way round, for who looks through all of it: where LevelDB tidies up meanwhile it may write half of it anew. */
export const ROOMY_PLACES: readonly string[] = PLACES.toReversed()

/** LevelDB's lock and its notes about itself: each opening has its own. */
const NOT_LINKED = new Set(['LOCK', 'LOG', 'LOG.old'])

/**
 * Opens what the store in a folder holds, to be read; null when there is none, or it cannot be read. What is written to
 * it is gone when it is closed. The folder is left as it is, and may be in use.
 *
 * Throws a `StorageError` `newer-format`.
 */
export async function lookIntoStore(path: string, places: readonly string[] = PLACES): Promise<Store | null> {
  try {
    return (await lookIntoDatabase(path, places)).store
  } catch (error) {
    if (error instanceof StorageError && error.code === 'newer-format') throw error
    return null
  }
}

/** A database that is looked into: its rows as they are, and the store that they make. */
interface Look {
  /** Closed with the store. */
  readonly driver: Driver
  readonly store: Store
}

/** The same, with its rows but for those in damaged blocks, which LevelDB is kept from reading. Throws a `StorageError` that says why it cannot be read. */
export async function lookIntoDatabase(
  path: string,
  places: readonly string[] = PLACES,
  damage: Damage = new Map(),
): Promise<Look> {
  const files = await readdir(databasePath(path)).catch((cause: unknown) => {
    throw new StorageError('io', `the store cannot be read (${systemCode(cause) ?? 'unknown'})`, { cause })
  })
  if (!files.includes('CURRENT')) throw new StorageError('corrupt', 'the store is damaged')
  let failure: unknown = new StorageError('io', 'there is no room for temporary files')
  for (const place of places) {
    const folder = await mkdtemp(join(place, 'muster-look-')).catch(() => null)
    if (folder === null) continue
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true }).catch(() => undefined)
    try {
      await linkFiles(databasePath(path), folder, files, damage)
      const driver = await openLevel(folder)
      const store = await assembleStore(driver, incarnationFile(path), undefined)
      return { driver, store: { ...store, close: () => store.close().finally(remove) } }
    } catch (error) {
      await remove()
      if (error instanceof StorageError && error.code === 'newer-format') throw error
      failure = error instanceof StorageError ? error : failure
    }
  }
  throw failure
}

async function linkFiles(from: string, to: string, files: readonly string[], damage: Damage): Promise<void> {
  for (const file of files) {
    if (NOT_LINKED.has(file)) continue
    const blocks = damage.get(file)
    if (blocks !== undefined) await copyWithout(join(from, file), join(to, file), blocks)
    // LevelDB replaces this one: the link would do, but a copy cannot be mistaken.
    else if (file === 'CURRENT') await copyFile(join(from, file), join(to, file))
    else await symlink(resolve(from, file), join(to, file))
  }
}

/** A block of a kind that there is not: LevelDB passes over it, and says so. */
const NO_KIND = Uint8Array.of(0xff)

/** Copies a table in which these blocks cannot be read. */
async function copyWithout(from: string, to: string, blocks: readonly BlockPlace[]): Promise<void> {
  await copyFile(from, to)
  const file = await open(to, 'r+')
  try {
    for (const { offset, size } of blocks) await file.write(NO_KIND, 0, 1, offset + size)
  } finally {
    await file.close()
  }
}
