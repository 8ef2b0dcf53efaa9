/**
 * Reads a store on a disk that takes no writes.
 *
 * LevelDB cannot open a database without writing: it needs its lock file, and begins a new log and manifest. Its tables,
 * and the log and manifest of the run before, are only read, though. So a folder elsewhere is given links to them and
 * a copy of the file that names the manifest, and LevelDB opens that: what it writes lands beside the links, and what it
 * removes are links. It needs as much room as the old log has, 4 MiB at most, and a little more.
 */
import { copyFile, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openLevel } from './level-driver.ts'
import { StorageError } from './storage-error.ts'
import { assembleStore, type Store } from './store.ts'
import { databasePath, incarnationFile } from './store-folder.ts'

/** Where the folder of links goes: into memory where that is known to be, for the disk for temporary files may be the full one. */
const PLACES: readonly string[] = process.platform === 'linux' ? ['/dev/shm', tmpdir()] : [tmpdir()]

/** LevelDB's lock and its notes about itself: each opening has its own. */
const NOT_LINKED = new Set(['LOCK', 'LOG', 'LOG.old'])

/**
 * Opens what the store in a folder holds, to be read; null when there is none, or it cannot be read. What is written to
 * it is gone when it is closed. The folder is left as it is, and may be in use.
 *
 * Throws a `StorageError` `newer-format`.
 */
export async function lookIntoStore(path: string, places: readonly string[] = PLACES): Promise<Store | null> {
  const files = await readdir(databasePath(path)).catch((): string[] => [])
  if (!files.includes('CURRENT')) return null
  for (const place of places) {
    const folder = await mkdtemp(join(place, 'muster-look-')).catch(() => null)
    if (folder === null) continue
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true }).catch(() => undefined)
    try {
      await linkFiles(databasePath(path), folder, files)
      const store = await assembleStore(await openLevel(folder), incarnationFile(path), undefined)
      return { ...store, close: () => store.close().finally(remove) }
    } catch (error) {
      await remove()
      if (error instanceof StorageError && error.code === 'newer-format') throw error
    }
  }
  return null
}

async function linkFiles(from: string, to: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (NOT_LINKED.has(file)) continue
    // LevelDB replaces this one: the link would do, but a copy cannot be mistaken.
    if (file === 'CURRENT') await copyFile(join(from, file), join(to, file))
    else await symlink(resolve(from, file), join(to, file))
  }
}
