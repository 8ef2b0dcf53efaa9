import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testContext } from '../test-context.ts'
import { cpu, parseCpuTimes } from './cpu.ts'
import { disk, isMountedReadOnly } from './disk.ts'
import { load } from './load.ts'
import { memory } from './memory.ts'

const MEMINFO = 'MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\nSwapTotal: 200 kB\nSwapFree: 150 kB\n'

let procPath = ''
beforeEach(async () => {
  procPath = await mkdtemp(join(tmpdir(), 'muster-proc-'))
})
afterEach(() => rm(procPath, { recursive: true }))

describe('cpu', () => {
  const stat = (user: number, idle: number) => `cpu  ${user} 0 0 ${idle} 10 0 0 0 0 0\ncpu0 1 2\ncpu1 1 2\nintr 5\n`

  it('measures from the run before', async () => {
    const context = testContext({ procPath })
    context.memory.set('times', parseCpuTimes(stat(100, 1000)))
    await writeFile(join(procPath, 'stat'), stat(175, 1025))
    const { observation } = await cpu.observe({}, context)
    expect(observation.values).toEqual({ used_percent: 75, iowait_percent: 0, steal_percent: 0, cores: 2 })
    expect(observation.text).toBe('75.0 % used of 2 cores')
    expect(observation.error).toBeUndefined()
  })

  it.skipIf(process.platform !== 'linux')('looks twice in its first run on this machine', async () => {
    const { observation } = await cpu.observe({}, testContext())
    expect(observation.values.used_percent).toBeGreaterThanOrEqual(0)
    expect(observation.values.used_percent).toBeLessThanOrEqual(100)
  })

  it('says what it misses', async () => {
    const { observation } = await cpu.observe({}, testContext({ procPath }))
    expect(observation.error?.code).toBe('missing')
    expect(await cpu.needs?.(procPath)).toContain('needs')
    await writeFile(join(procPath, 'stat'), 'nothing of the kind')
    expect((await cpu.observe({}, testContext({ procPath }))).observation.error?.code).toBe('not-measured')
  })

  it('stops when told', async () => {
    await writeFile(join(procPath, 'stat'), stat(1, 1))
    const { observation } = await cpu.observe({}, testContext({ procPath, signal: AbortSignal.abort() }))
    expect(observation.error?.code).toBe('timeout')
  })
})

describe('load', () => {
  it('gives the averages for each core too', async () => {
    const { values } = (await load.observe({}, testContext())).observation
    expect(values.load15_per_core).toBeCloseTo(Number(values.load15) / Number(values.cores))
  })
})

describe('memory', () => {
  it('counts what is not available', async () => {
    await writeFile(join(procPath, 'meminfo'), MEMINFO)
    const { values } = (await memory.observe({}, testContext({ procPath }))).observation
    expect(values).toEqual({
      used_percent: 75,
      available_bytes: 256_000,
      total_bytes: 1_024_000,
      swap_used_percent: 25,
      swap_total_bytes: 204_800,
    })
  })

  it('reports kills for ten minutes, and none from before it watched', async () => {
    await writeFile(join(procPath, 'meminfo'), MEMINFO)
    let nowMs = 0
    const context = testContext({ procPath, nowMs: () => nowMs })
    const killsAt = async (minute: number, total: number) => {
      nowMs = minute * 60_000
      await writeFile(join(procPath, 'vmstat'), `nr_free_pages 1\noom_kill ${total}\n`)
      return (await memory.observe({}, context)).observation.values.oom_kills
    }
    expect(await killsAt(0, 5)).toBe(0)
    expect(await killsAt(1, 5)).toBe(0)
    expect(await killsAt(2, 7)).toBe(2)
    expect(await killsAt(8, 8)).toBe(3)
    expect(await killsAt(11, 8)).toBe(3)
    expect(await killsAt(12, 8)).toBe(1)
    expect(await killsAt(18, 8)).toBe(0)
  })

  it('says what it misses', async () => {
    expect((await memory.observe({}, testContext({ procPath }))).observation.error?.code).toBe('missing')
    expect(await memory.needs?.(procPath)).toContain('needs')
  })
})

describe('disk', () => {
  it('measures this machine', async () => {
    const { observation } = await disk.observe({ path: tmpdir() }, testContext())
    const { values } = observation
    expect(Number(values.free_percent) + Number(values.used_percent)).toBeCloseTo(100)
    expect(values.total_bytes).toBeGreaterThan(0)
    expect(values.read_only).toBe(false)
  })

  it('says when the path is not there', async () => {
    const { observation } = await disk.observe({ path: '/not/there' }, testContext())
    expect(observation.error).toEqual({ code: 'missing', message: '/not/there: not found' })
  })

  it.each([
    ['/', false],
    ['/mnt/ro', true],
    ['/mnt/ro/deep', true],
    ['/mnt/rose', false],
    ['/mnt/with space/x', true],
    ['/super', true],
    ['/twice', false],
  ])('knows that the mount of %s is read-only: %s', async (path, expected) => {
    const table = [
      '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
      '23 22 8:2 / /mnt/ro ro,nosuid - ext4 /dev/sdb1 rw',
      '24 22 8:3 / /mnt/with\\040space ro - ext4 /dev/sdc1 rw',
      '25 22 8:4 / /super rw - ext4 /dev/sdd1 ro,errors=remount-ro',
      '26 22 8:5 / /twice ro - ext4 /dev/sde1 ro',
      '27 22 8:6 / /twice rw - ext4 /dev/sdf1 rw',
      '28 22 8:7 / /mnt rw - ext4 /dev/sdg1 rw',
      'garbage',
    ].join('\n')
    expect(isMountedReadOnly(table, path)).toBe(expected)
  })

  it('reports a read-only mount', async () => {
    await mkdir(join(procPath, 'self'))
    await writeFile(join(procPath, 'self', 'mountinfo'), '22 1 8:1 / / ro - ext4 /dev/sda1 ro')
    const { observation } = await disk.observe({ path: '/' }, testContext({ procPath }))
    expect(observation.values.read_only).toBe(true)
    expect(observation.text).toContain('read-only')
  })
})
