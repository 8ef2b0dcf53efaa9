/**
 * A host whose disk takes two seconds for each fsync, as a dying SD card does, and a disk under a backup: it hears, votes
 * and answers the roll as ever. Needs strace, and the right to trace.
 */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from './host.ts'
import { createMesh, type Mesh } from './mesh.ts'
import type { Running } from './processes.ts'
import type { Receiver } from './receiver.ts'

const LIMIT_MS = 60_000
/** Each fsync begins two seconds late. The traced process stays our child, so that it can be ended. */
const SLOW_FSYNC = [
  'strace',
  '-D',
  '-f',
  '-qq',
  '--seccomp-bpf',
  '-o',
  '/dev/null',
  '-e',
  'trace=fsync,fdatasync',
  '-e',
  'inject=fsync,fdatasync:delay_enter=2000000',
] as const

function whyNotSlow(): string | null {
  if (process.platform !== 'linux') return 'needs Linux'
  try {
    execFileSync(SLOW_FSYNC[0], [...SLOW_FSYNC.slice(1), 'true'], { stdio: 'ignore' })
    return null
  } catch {
    return 'needs strace and the right to trace'
  }
}

const why = whyNotSlow()
describe.skipIf(why !== null)(`a disk with an fsync of two seconds${why === null ? '' : ` (${why})`}`, () => {
  let mesh: Mesh
  let phone: Receiver
  let slow: Running

  beforeAll(async () => {
    mesh = await createMesh(['vps-1', 'vps-2', 'laptop'], { presence: '{every: 5s, grace: 5s}' })
    phone = await mesh.receiver('phone')
    const host = mesh.host('vps-2')
    expect(await host.end('SIGTERM')).toMatchObject({ code: 0 })
    slow = mesh.processes.start(['run', '--dir', host.dir], { prefix: SLOW_FSYNC })
    await until('vps-2 to answer', LIMIT_MS, () => host.status())
    await mesh.ready()
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
    expect(slow.err().filter((line) => line.includes('was not awake'))).toEqual([])
  }, 180_000)
})
