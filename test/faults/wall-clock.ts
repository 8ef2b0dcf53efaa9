/**
 * Wall clocks that a test can set while their agents run. The monotonic clock stays as it is. Needs `faketime`: its
 * library is loaded straight, for the `faketime` command would stand between the agent and its signals.
 */
import { execFileSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { HostSettings } from '../e2e/host.ts'

/** Where Debian and others put it. Absent: it is not installed. */
const [LIBRARY] = globSync('/usr/{lib,lib64,local/lib}{,/*-linux-gnu}/faketime/libfaketime.so.1')

/** Why clocks cannot be set here, or null when they can. */
export function whyNoFakeClock(): string | null {
  if (process.platform !== 'linux') return 'needs Linux'
  if (LIBRARY === undefined) return 'needs faketime'
  const env = { LD_PRELOAD: LIBRARY, FAKETIME: '+1h', DONT_FAKE_MONOTONIC: '1' }
  const program = 'process.stdout.write(String(Date.now()))'
  try {
    const there = Number(execFileSync(process.execPath, ['-e', program], { env, encoding: 'utf8' }))
    return there - Date.now() > 1_800_000 ? null : 'faketime has no effect on Node here'
  } catch {
    return 'Node does not run under faketime here'
  }
}

export interface WallClock {
  /** What stands before each command of its host. */
  readonly prefix: NonNullable<HostSettings['prefix']>
  /** Sets it: `+0`, `+1h`, `-2h`, `+0 x60`. */
  set(offset: string): Promise<void>
}

/** A clock that a file sets, right at first. */
export async function createWallClock(file: string): Promise<WallClock> {
  const set = (offset: string): Promise<void> => writeFile(file, `${offset}\n`)
  await set('+0')
  const env = [
    `LD_PRELOAD=${LIBRARY ?? ''}`,
    `FAKETIME_TIMESTAMP_FILE=${file}`,
    'FAKETIME_NO_CACHE=1',
    'FAKETIME_DONT_FAKE_MONOTONIC=1',
    'DONT_FAKE_MONOTONIC=1',
  ]
  return { prefix: ['env', ...env], set }
}
