/**
 * Memory in use, from `/proc/meminfo`, and the kernel's out-of-memory kills, from `/proc/vmstat`.
 *
 * Used is what is not available to a new program without swapping. Source: proc_meminfo(5), proc_vmstat(5).
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { causeOf } from '../causes.ts'
import type { Measurement, ObserveContext, PolledKind } from '../check.ts'
import { failed, observed, stopwatch } from '../observation.ts'

/** How long a kill is reported, so that it outlasts `after` and is seen. */
const KILLS_WINDOW_MS = 600_000

interface KillCount {
  readonly atMs: number
  readonly kills: number
}

async function observe(_options: Record<string, unknown>, context: ObserveContext): Promise<Measurement> {
  const elapsedMs = stopwatch()
  const path = join(context.procPath, 'meminfo')
  try {
    const memory = parseKilobytes(await readFile(path, 'utf8'))
    const total = memory.get('MemTotal')
    const available = memory.get('MemAvailable')
    if (total === undefined || available === undefined || total <= 0) {
      return { observation: failed('not-measured', `${path} has no MemTotal and MemAvailable`, elapsedMs()) }
    }
    const swapTotal = memory.get('SwapTotal') ?? 0
    const swapUsed = swapTotal - (memory.get('SwapFree') ?? 0)
    const kills = await recentKills(context)
    const values = {
      used_percent: (100 * (total - available)) / total,
      available_bytes: available * 1024,
      total_bytes: total * 1024,
      swap_used_percent: swapTotal === 0 ? 0 : (100 * swapUsed) / swapTotal,
      swap_total_bytes: swapTotal * 1024,
      ...(kills === undefined ? {} : { oom_kills: kills }),
    }
    const killed = kills === undefined || kills === 0 ? '' : `, ${kills} killed for lack of memory`
    return { observation: observed(values, elapsedMs(), `${values.used_percent.toFixed(1)} % used${killed}`) }
  } catch (error) {
    const cause = causeOf(error)
    return { observation: failed(cause.code, `${path}: ${cause.message}`, elapsedMs()) }
  }
}

/** Kills in the window, as far as this agent watched; `undefined` where the kernel does not count them. */
async function recentKills(context: ObserveContext): Promise<number | undefined> {
  const text = await readFile(join(context.procPath, 'vmstat'), 'utf8').catch(() => '')
  const counted = /^oom_kill (\d+)$/mu.exec(text)?.[1]
  if (counted === undefined) return undefined
  const now: KillCount = { atMs: context.nowMs(), kills: Number(counted) }
  const seen = (context.memory.get('kills') as readonly KillCount[] | undefined) ?? []
  // One entry a change is enough: each says from when on the count was what it is.
  const changed = seen.at(-1)?.kills === now.kills ? seen : [...seen, now]
  const since = now.atMs - KILLS_WINDOW_MS
  const base = changed.findLastIndex((entry) => entry.atMs <= since)
  const kept = changed.slice(Math.max(0, base)).slice(-64)
  context.memory.set('kills', kept)
  return Math.max(0, now.kills - (kept[0]?.kills ?? now.kills))
}

function parseKilobytes(text: string): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const match of text.matchAll(/^(\w+):\s+(\d+) kB$/gmu)) sizes.set(match[1] ?? '', Number(match[2]))
  return sizes
}

/** The kind `memory`. */
export const memory: PolledKind<Record<string, never>> = {
  mode: 'polled',
  kind: 'memory',
  summary: 'memory and swap in use, and kills for lack of memory',
  options: z.strictObject({}),
  defaults: {
    everyMs: 15_000,
    timeoutMs: 5000,
    after: 3,
    recover: 2,
    warning: "used_percent > 90 || value_or('oom_kills', 0) > 0",
    critical: 'used_percent > 98',
  },
  values: [
    { name: 'used_percent', type: 'number', unit: '%', meaning: 'of memory, not available to a new program' },
    { name: 'available_bytes', type: 'number', unit: 'bytes', meaning: 'available to a new program without swapping' },
    { name: 'total_bytes', type: 'number', unit: 'bytes', meaning: 'memory of this host' },
    { name: 'swap_used_percent', type: 'number', unit: '%', meaning: 'of swap; 0 where there is none' },
    { name: 'swap_total_bytes', type: 'number', unit: 'bytes', meaning: 'swap of this host' },
    {
      name: 'oom_kills',
      type: 'number',
      unit: '',
      meaning: 'programs the kernel killed for lack of memory, in the last 10 minutes; absent on kernels before 4.13',
    },
  ],
  downCodes: [],
  observe,
  async needs(procPath) {
    const text = await readFile(join(procPath, 'meminfo'), 'utf8').catch(() => '')
    return parseKilobytes(text).has('MemAvailable') ? undefined : `needs ${procPath}/meminfo (Linux)`
  },
}
