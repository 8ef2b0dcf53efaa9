/**
 * How busy the processors were since the run before, from `/proc/stat`.
 *
 * Busy is all time but idle and iowait. Guest time is already in user time. Source: proc_stat(5).
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { causeOf } from '../causes.ts'
import type { Measurement, ObserveContext, PolledKind } from '../check.ts'
import { failed, observed, stopwatch } from '../observation.ts'

/** The first run has no run before it, so it looks twice, this far apart. */
const FIRST_WINDOW_MS = 400

interface CpuTimes {
  readonly busy: number
  readonly iowait: number
  readonly steal: number
  readonly total: number
  readonly cores: number
}

/** Reads the totals and counts the processors; `undefined` when the text is not that of `/proc/stat`. */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const line = /^cpu +([\d ]+)$/mu.exec(text)?.[1]
  if (line === undefined) return undefined
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line
    .trim()
    .split(/ +/u)
    .map(Number)
  const busy = user + nice + system + irq + softirq + steal
  const cores = Math.max(1, text.match(/^cpu\d+ /gmu)?.length ?? 0)
  return { busy, iowait, steal, total: busy + idle + iowait, cores }
}

async function observe(_options: Record<string, unknown>, context: ObserveContext): Promise<Measurement> {
  const elapsedMs = stopwatch()
  const path = join(context.procPath, 'stat')
  try {
    let before = context.memory.get('times') as CpuTimes | undefined
    let now = parseCpuTimes(await readFile(path, 'utf8'))
    if (now !== undefined && (before === undefined || now.total <= before.total)) {
      before = now
      await wait(FIRST_WINDOW_MS, undefined, { signal: context.signal })
      now = parseCpuTimes(await readFile(path, 'utf8'))
    }
    if (now === undefined || before === undefined) {
      return { observation: failed('not-measured', `${path} cannot be read as CPU times`, elapsedMs()) }
    }
    context.memory.set('times', now)
    const total = now.total - before.total
    if (total <= 0) return { observation: failed('not-measured', 'the CPU times did not advance', elapsedMs()) }
    const percent = (ticks: number) => Math.min(100, Math.max(0, (100 * ticks) / total))
    const values = {
      used_percent: percent(now.busy - before.busy),
      iowait_percent: percent(now.iowait - before.iowait),
      steal_percent: percent(now.steal - before.steal),
      cores: now.cores,
    }
    const text = `${values.used_percent.toFixed(1)} % used of ${now.cores} cores`
    return { observation: observed(values, elapsedMs(), text) }
  } catch (error) {
    if (context.signal.aborted) return { observation: failed('timeout', 'no answer in time', elapsedMs()) }
    const cause = causeOf(error)
    return { observation: failed(cause.code, `${path}: ${cause.message}`, elapsedMs()) }
  }
}

/** The kind `cpu`. */
export const cpu: PolledKind<Record<string, never>> = {
  mode: 'polled',
  kind: 'cpu',
  summary: 'how busy the processors were since the run before',
  options: z.strictObject({}),
  defaults: {
    everyMs: 15_000,
    timeoutMs: 5000,
    after: 3,
    recover: 2,
    forMs: 600_000,
    warning: 'used_percent > 85',
    critical: 'used_percent > 95',
  },
  values: [
    { name: 'used_percent', type: 'number', unit: '%', meaning: 'of all processor time, not idle and not waiting' },
    { name: 'iowait_percent', type: 'number', unit: '%', meaning: 'idle while waiting for a disk' },
    { name: 'steal_percent', type: 'number', unit: '%', meaning: 'taken by the hypervisor for other guests' },
    { name: 'cores', type: 'number', unit: '', meaning: 'processors online' },
  ],
  downCodes: [],
  observe,
  async needs(procPath) {
    const text = await readFile(join(procPath, 'stat'), 'utf8').catch(() => '')
    return parseCpuTimes(text) === undefined ? `needs ${procPath}/stat (Linux)` : undefined
  },
}
