/**
 * Agents that are started on a disk which is full or read-only: they run, check, vote and tell all the same, say so in
 * their status, and write everything down once the disk takes it.
 */
import { cp, mkdtemp, readFile, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HistoryView, StatusView } from '../../packages/agent/src/api/shapes.ts'
import { mountSmallDisk, type SmallDisk, whyNoSmallDisk } from '../../packages/agent/src/storage/testing/small-disk.ts'
import { type Host, until } from '../e2e/host.ts'
import { createMesh, type Mesh } from '../e2e/mesh.ts'
import type { Receiver } from '../e2e/receiver.ts'

/** The disk is tried again after 30 s, then after 60 s: it may have been mended just after a try. Milliseconds. */
const BACK_MS = 150_000
const LIMIT_MS = 40_000

const why = whyNoSmallDisk()
describe.skipIf(why !== null)(`agents on bad disks${why === null ? '' : ` (${why})`}`, () => {
  let mesh: Mesh
  let phone: Receiver
  const disks = new Map<string, SmallDisk>()
  const host = (name: string): Host => mesh.host(name)
  const disk = (name: string): SmallDisk => {
    const found = disks.get(name)
    if (found === undefined) throw new Error(`${name} has no disk of its own`)
    return found
  }

  /** Puts the folder of a host that does not run onto a disk of its own. */
  async function moveToDisk(name: string): Promise<void> {
    const { dir } = host(name)
    const aside = await mkdtemp(join(tmpdir(), 'muster-aside-'))
    await cp(dir, aside, { recursive: true })
    disks.set(name, mountSmallDisk('48m', dir))
    await cp(aside, dir, { recursive: true })
    await rm(aside, { recursive: true })
  }

  const incarnationOf = async (name: string): Promise<number> =>
    Number(await readFile(join(host(name).dir, 'data', 'incarnation'), 'utf8'))

  async function incarnationsInHistory(name: string): Promise<readonly number[]> {
    const { code, out, err } = await host(name).muster('history', '--host', name, '--json', '--limit', '1000')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const { entries } = JSON.parse(out) as HistoryView
    return [...new Set(entries.map(({ incarnation }) => incarnation))].sort((a, b) => a - b)
  }

  beforeAll(async () => {
    mesh = await createMesh(['vps-1', 'vps-2', 'laptop'])
    phone = await mesh.receiver('phone')
    for (const name of ['vps-1', 'vps-2']) {
      expect(await host(name).end('SIGTERM')).toMatchObject({ code: 0 })
      await moveToDisk(name)
      // As if it were the first start: then the token is to be made as well.
      await unlink(join(host(name).dir, 'api.token'))
    }
    disk('vps-1').fill()
    disk('vps-2').remount('ro')
  }, 120_000)

  afterAll(async () => {
    // Nobody may hold a file on them any more.
    await mesh?.processes.end()
    for (const each of disks.values()) each.unmount()
    await mesh?.end()
  })

  test('run, and say what is wrong in their log and their status', async () => {
    for (const [name, reason] of [
      ['vps-1', 'no space left on the disk'],
      ['vps-2', 'the disk takes no writes'],
    ] as const) {
      host(name).start()
      const status = await until(`${name} to answer`, LIMIT_MS, async () => {
        const { code, out } = await host(name).muster('status', '--json')
        return code === 0 ? (JSON.parse(out) as StatusView) : null
      })
      expect(status.store).toMatchObject({ reason, inMemory: true })
      expect(status.warnings.join()).toMatch(/the store takes no writes since .* waits in memory, .*: /u)
      // What is on the disk was read: nobody had to tell it.
      expect(status.recipients.map(({ name: each }) => each)).toEqual(['phone'])
      const said = host(name).agent().err()
      expect(said.filter((line) => line.includes('goes on in memory'))).toHaveLength(1)
      expect(said.filter((line) => line.includes('the API token cannot be written'))).toHaveLength(1)
    }
    await mesh.ready()
  }, 90_000)

  test('vote and tell: a death and the return are each told once', async () => {
    expect(await incarnationOf('vps-1')).toBe(1)
    await host('laptop').end('SIGKILL')
    const fired = await phone.next('fired', 'laptop')
    expect([...(fired.incidents[0]?.voters ?? [])].sort()).toEqual(['vps-1', 'vps-2'])
    expect(['vps-1', 'vps-2']).toContain(fired.toldBy)
    expect(await host('vps-1').muster('status')).toMatchObject({ code: 1 })
    host('laptop').start()
    await phone.next('resolved', 'laptop')
    await mesh.ready()
    expect(phone.notices().map(({ transition }) => transition)).toEqual(['fired', 'resolved'])
  }, 120_000)

  test('share their folder with no second agent, though there is no lock: the ports of the config are taken', async () => {
    for (const name of disks.keys()) {
      const { code, err } = await mesh.processes.run(['run', '--dir', host(name).dir])
      expect({ name, code }).toEqual({ name, code: 2 })
      expect(err).toMatch(/is in use by another program/u)
    }
    await mesh.ready()
  }, 60_000)

  test('go on above the number of the start before, which could not be written, when they start again', async () => {
    const startsSeen = async (): Promise<number> => {
      const { entries } = await host('vps-1').history('vps-2')
      return new Set(entries.map(({ incarnation }) => incarnation)).size
    }
    // A start that ends before its first entry leaves none.
    await until('an entry of the second start', LIMIT_MS, async () => (await startsSeen()) === 2)
    expect(await host('vps-2').end('SIGTERM')).toMatchObject({ code: 0 })
    host('vps-2').start()
    await mesh.ready()
    await until('entries of three starts', LIMIT_MS, async () => (await startsSeen()) === 3)
    expect(await incarnationOf('vps-2')).toBe(1)
  }, 90_000)

  test('keep what they did when the disk is back while they run', async () => {
    disk('vps-1').makeRoom()
    await until('vps-1 to write again', BACK_MS, async () => (await host('vps-1').status()).store === null)
    expect(host('vps-1').agent().err().join('\n')).toContain('the store takes writes again')
    expect(await incarnationOf('vps-1')).toBe(2)
    await until('the token', BACK_MS, () => readFile(join(host('vps-1').dir, 'api.token')))
    expect(await host('vps-1').muster('silence', 'laptop', '--for', '1m')).toMatchObject({ code: 0 })
    expect(await host('vps-1').end('SIGTERM')).toMatchObject({ code: 0 })
    expect(await incarnationsInHistory('vps-1')).toEqual([1, 2])
  }, 400_000)

  test('and when it is back as they stop', async () => {
    disk('vps-2').remount('rw')
    expect(await host('vps-2').end('SIGTERM')).toMatchObject({ code: 0 })
    expect(await incarnationOf('vps-2')).toBe(3)
    expect(await incarnationsInHistory('vps-2')).toEqual([1, 2, 3])
  }, 60_000)

  test('start anew with all of it, as if nothing had been', async () => {
    for (const name of ['vps-1', 'vps-2']) host(name).start()
    await mesh.ready()
    await mesh.sameHistory()
    for (const name of ['vps-1', 'vps-2']) {
      expect((await host(name).status()).store).toBeNull()
      expect(await incarnationOf(name)).toBe(name === 'vps-1' ? 3 : 4)
    }
    expect(phone.notices().map(({ transition }) => transition)).toEqual(['fired', 'resolved'])
  }, 120_000)
})
