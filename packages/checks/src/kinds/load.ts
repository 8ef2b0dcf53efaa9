/** The load averages: how many tasks ran or waited, over 1, 5 and 15 minutes. Source: proc_loadavg(5). */
import { availableParallelism, loadavg, platform } from 'node:os'
import { z } from 'zod'
import type { Measurement, PolledKind } from '../check.ts'
import { observed, stopwatch } from '../observation.ts'

async function observe(): Promise<Measurement> {
  const elapsedMs = stopwatch()
  const [load1 = 0, load5 = 0, load15 = 0] = loadavg()
  const cores = Math.max(1, availableParallelism())
  const values = {
    load1,
    load5,
    load15,
    load1_per_core: load1 / cores,
    load5_per_core: load5 / cores,
    load15_per_core: load15 / cores,
    cores,
  }
  const text = `load ${load1.toFixed(2)}, ${load5.toFixed(2)}, ${load15.toFixed(2)} on ${cores} cores`
  return { observation: observed(values, elapsedMs(), text) }
}

/** The kind `load`. */
export const load: PolledKind<Record<string, never>> = {
  mode: 'polled',
  kind: 'load',
  summary: 'how many tasks run or wait for a processor',
  options: z.strictObject({}),
  defaults: { everyMs: 15_000, timeoutMs: 5000, after: 3, recover: 2, warning: 'load15_per_core > 2' },
  values: [
    { name: 'load1', type: 'number', unit: '', meaning: 'tasks that ran or waited, over 1 minute' },
    { name: 'load5', type: 'number', unit: '', meaning: 'the same over 5 minutes' },
    { name: 'load15', type: 'number', unit: '', meaning: 'the same over 15 minutes' },
    { name: 'load1_per_core', type: 'number', unit: '', meaning: 'load1 divided by the processors' },
    { name: 'load5_per_core', type: 'number', unit: '', meaning: 'load5 divided by the processors' },
    { name: 'load15_per_core', type: 'number', unit: '', meaning: 'load15 divided by the processors' },
    { name: 'cores', type: 'number', unit: '', meaning: 'processors that this process may use' },
  ],
  downCodes: [],
  observe,
  async needs() {
    return platform() === 'win32' ? 'needs a system that has load averages' : undefined
  },
}
