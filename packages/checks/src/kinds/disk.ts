/**
 * Space on the file system that holds a path, as `df` counts it: free is what a user without privileges may still
 * write. Whether it is read-only is read from `/proc/self/mountinfo`. Source: statvfs(3), proc_pid_mountinfo(5).
 */
import { readFile, realpath, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { causeOf } from '../causes.ts'
import type { Measurement, ObserveContext, PolledKind } from '../check.ts'
import { failed, observed, stopwatch } from '../observation.ts'

const options = z.strictObject({
  path: z.string().min(1).max(4096).startsWith('/', 'a path begins with /').default('/'),
})
type DiskOptions = z.infer<typeof options>

async function observe({ path }: DiskOptions, context: ObserveContext): Promise<Measurement> {
  const elapsedMs = stopwatch()
  try {
    const stats = await statfs(path)
    const used = stats.blocks - stats.bfree
    const reachable = used + stats.bavail
    if (reachable <= 0) {
      return { observation: failed('not-measured', `${path} is on a file system without blocks`, elapsedMs()) }
    }
    const isReadOnly = await readOnly(path, context.procPath)
    const values = {
      free_percent: (100 * stats.bavail) / reachable,
      used_percent: (100 * used) / reachable,
      free_bytes: stats.bavail * stats.bsize,
      total_bytes: stats.blocks * stats.bsize,
      // File systems that make inodes as they need them (btrfs) report none.
      inodes_free_percent: stats.files > 0 ? (100 * stats.ffree) / stats.files : 100,
      read_only: isReadOnly,
    }
    const gigabytes = (values.free_bytes / 1e9).toFixed(1)
    const text = `${values.free_percent.toFixed(1)} % free (${gigabytes} GB)${isReadOnly ? ', read-only' : ''}`
    return { observation: observed(values, elapsedMs(), text) }
  } catch (error) {
    const cause = causeOf(error)
    return { observation: failed(cause.code, `${path}: ${cause.message}`, elapsedMs()) }
  }
}

/** False where there is no mount table to ask. */
async function readOnly(path: string, procPath: string): Promise<boolean> {
  const table = await readFile(join(procPath, 'self', 'mountinfo'), 'utf8').catch(() => '')
  return isMountedReadOnly(table, await realpath(path))
}

/** Whether the mount that holds an absolute real path is read-only, by a text of `mountinfo`. */
export function isMountedReadOnly(mountinfo: string, path: string): boolean {
  let longest = -1
  let isReadOnly = false
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ', 2)
    const fields = before.split(' ')
    const mountPoint = unescapeOctal(fields[4] ?? '')
    if (mountPoint === '' || !isWithin(path, mountPoint)) continue
    // A later mount on the same point covers an earlier one.
    if (mountPoint.length < longest) continue
    longest = mountPoint.length
    const mountOptions = (fields[5] ?? '').split(',')
    const superOptions = (after.split(' ')[2] ?? '').split(',')
    isReadOnly = mountOptions.includes('ro') || superOptions.includes('ro')
  }
  return isReadOnly
}

function isWithin(path: string, mountPoint: string): boolean {
  return mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`)
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/gu, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/** The kind `disk`. */
export const disk: PolledKind<DiskOptions> = {
  mode: 'polled',
  kind: 'disk',
  summary: 'space and inodes on a file system, and whether it is read-only',
  options,
  defaults: {
    everyMs: 60_000,
    timeoutMs: 10_000,
    after: 3,
    recover: 2,
    warning: 'free_percent < 10',
    critical: 'free_percent < 5 || read_only',
  },
  values: [
    { name: 'free_percent', type: 'number', unit: '%', meaning: 'of what users may write, still free' },
    { name: 'used_percent', type: 'number', unit: '%', meaning: 'of what users may write, in use' },
    { name: 'free_bytes', type: 'number', unit: 'bytes', meaning: 'free for users without privileges' },
    { name: 'total_bytes', type: 'number', unit: 'bytes', meaning: 'size of the file system' },
    {
      name: 'inodes_free_percent',
      type: 'number',
      unit: '%',
      meaning: 'of inodes, free; 100 where they are unlimited',
    },
    { name: 'read_only', type: 'boolean', unit: '', meaning: 'the file system takes no writes' },
  ],
  downCodes: [],
  observe,
}
