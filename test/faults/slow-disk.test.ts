/**
 * A host whose disk takes four seconds for each fsync, as a dying SD card does, and a disk under a backup: it hears, votes
 * and answers the roll as ever. A core that waited that long would take each for a gap of its own, and judge nobody.
 * Needs strace, and the right to trace.
 */
import { execFileSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../e2e/host.ts'
import { createMesh, type Mesh } from '../e2e/mesh.ts'
import type { Receiver } from '../e2e/receiver.ts'

const LIMIT_MS = 60_000
/** Each fsync begins four seconds late. */
const SLOW_FSYNC = [
  '-f',
  '-qq',
  '-o',
  '/dev/null',
  '-e',
  'trace=fsync,fdatasync',
  '-e',
  'inject=fsync,fdatasync:delay_enter=4000000',
] as const

function whyNotSlow(): string | null {
  if (process.platform !== 'linux') return 'needs Linux'
  try {
    execFileSync('strace', [...SLOW_FSYNC, 'true'], { stdio: 'ignore' })
    return null
  } catch {
    return 'needs strace and the right to trace'
  }
}

/** Whether each thread of a process is traced: fsyncs are made by threads of their own. */
async function isHeld(pid: number): Promise<boolean> {
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const status = await readFile(`/proc/${pid}/task/${thread}/status`, 'utf8')
    if (!/^TracerPid:\t[1-9]/m.test(status)) return false
  }
  return true
}

const why = whyNotSlow()
describe.skipIf(why !== null)(`a disk with an fsync of four seconds${why === null ? '' : ` (${why})`}`, () => {
  let mesh: Mesh
  let phone: Receiver

  beforeAll(async () => {
    mesh = await createMesh(['vps-1', 'vps-2', 'laptop'], { presence: '{every: 5s, grace: 5s}' })
    phone = await mesh.receiver('phone')
    await mesh.ready()
    const { pid } = mesh.host('vps-2').agent()
    mesh.processes.start([...SLOW_FSYNC, '-p', String(pid)], { program: ['strace'] })
    await until('strace to hold vps-2', LIMIT_MS, () => isHeld(pid))
  }, 180_000)

  afterAll(() => mesh?.end())

  test('is no reason not to hear and not to be heard: a death is voted on by all, and told', async () => {
    await mesh.host('laptop').end('SIGKILL')
    const fired = await phone.next('fired', 'laptop', { limitMs: LIMIT_MS })
    expect([...(fired.incidents[0]?.voters ?? [])].sort()).toEqual(['vps-1', 'vps-2'])
    mesh.host('laptop').start()
    await phone.next('resolved', 'laptop', { limitMs: LIMIT_MS })
    await mesh.ready()
    expect(phone.about('vps-2')).toEqual([])
    const { err } = mesh.host('vps-2').agent()
    expect(err().filter((line) => line.includes('was not awake'))).toEqual([])
  }, 180_000)
})
