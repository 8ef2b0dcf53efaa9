/** A small file system of a test's own, which can be full or read-only. Needs Linux, root, and the right to mount. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One that is mounted. */
export interface SmallDisk {
  readonly path: string
  /** Changes how it is mounted: `ro`, `rw`, `size=64m`. */
  remount(options: string): void
  /** Takes all room that is left. */
  fill(): void
  /** Gives it back. */
  makeRoom(): void
  unmount(): void
}

/** Why no such disk can be had here, for the name of what is skipped; null when one can. */
export function whyNoSmallDisk(): string | null {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    mountSmallDisk('64k').unmount()
    return null
  } catch {
    return 'needs the right to mount'
  }
}

/** Mounts one: over a folder that is there, or on a new one. Throws where that is not possible. */
export function mountSmallDisk(size: string, folder?: string): SmallDisk {
  const path = folder ?? mkdtempSync(join(tmpdir(), 'muster-disk-'))
  const removeFolder = (): void => {
    if (folder === undefined) rmdirSync(path)
  }
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', path], { stdio: 'ignore' })
  } catch (error) {
    removeFolder()
    throw error
  }
  const filler = join(path, 'filler')
  return {
    path,
    remount: (options) => void execFileSync('mount', ['-o', `remount,${options}`, path]),
    fill() {
      // Until not a single byte more is taken.
      for (const bytes of [1 << 20, 4_096, 1]) {
        const chunk = Buffer.alloc(bytes)
        try {
          for (;;) writeFileSync(filler, chunk, { flag: 'a' })
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
        }
      }
    },
    makeRoom: () => rmSync(filler, { force: true }),
    unmount() {
      execFileSync('umount', [path])
      removeFolder()
    },
  }
}
