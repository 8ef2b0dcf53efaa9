/**
 * The peer of `store`: the event log of OrbitDB 4, which keeps signed, chained entries as Muster does.
 *
 * It is installed from npm into a folder of its own for the time of the run, with what its README needs, in the releases
 * that it is itself tested with. Without a network there is no peer.
 */
import { execFile } from 'node:child_process'
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { reasonOf } from './given.ts'
import { findProgram } from './installed.ts'

const run = promisify(execFile)

const PACKAGES = [
  '@orbitdb/core@4',
  'helia@6',
  'blockstore-level@3',
  'libp2p@3',
  '@libp2p/gossipsub@15',
  '@libp2p/identify@4',
]
const INSTALL_MS = 180_000
/** What opening and closing may take beside the writing or reading itself. Milliseconds. */
const BESIDE_MS = 30_000
const PEER = fileURLToPath(new URL('./store-orbit-peer.ts', import.meta.url))

/** What writing so many entries took; fewer were `written` when the time was up. */
export interface Written {
  readonly written: number
  readonly seconds: number
  readonly cpuSeconds: number
}

/** How long it took until what had been written could be used, and until all of it was read. */
export interface Reopened {
  readonly openSeconds: number
  readonly readSeconds: number
  readonly entries: number
}

/** An installed OrbitDB. */
export interface Orbit {
  /** Writes entries of a file and opens them again, each for `secondsMax` at most. Null: they were not open or read by then. */
  measure(file: string, count: number, secondsMax: number): Promise<{ written: Written; reopened: Reopened | null }>
}

/** Installs it. Throws, with the reason, where that cannot be. */
export async function installOrbit(folder: string, signal: AbortSignal): Promise<Orbit> {
  const npm = await findProgram('npm')
  if (npm === null) throw new Error('npm is not installed')
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{"name":"peer","private":true,"type":"module"}\n')
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  // What `npm run` says of this project must not lead npm back into it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  await run(npm, [...args, ...PACKAGES], { cwd: folder, env, signal, timeout: INSTALL_MS })
  await copyFile(PEER, join(folder, 'peer.ts'))

  async function peer<T>(limitMs: number, ...given: readonly string[]): Promise<T> {
    const options = { cwd: folder, signal, timeout: limitMs, killSignal: 'SIGKILL' } as const
    const { stdout } = await run(process.execPath, ['--max-old-space-size=4096', 'peer.ts', ...given], options)
    return JSON.parse(stdout) as T
  }

  return {
    async measure(file, count, secondsMax) {
      const limitMs = secondsMax * 1_000 + BESIDE_MS
      await rm(join(folder, 'data'), { recursive: true, force: true })
      const { address, ...written } = await peer<Written & { readonly address: string }>(
        limitMs,
        'write',
        file,
        String(count),
        String(secondsMax),
      )
      const reopened = await peer<Reopened>(limitMs, 'reopen', address).catch((error: unknown) => {
        signal.throwIfAborted()
        if (error instanceof Error && 'killed' in error && error.killed === true) return null
        throw new Error(`it did not open again: ${reasonOf(error)}`)
      })
      return { written, reopened }
    },
  }
}
