/** `muster verify` as a person meets it: what is whole, facts, names, mistakes. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeRecord } from '@muster/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entryBy, entryRow, heartbeatBy, held, recordRow, storedEntry } from '../audit/testing/kept-mesh.ts'
import { at, createKeptWorld, entryOfVps, type KeptWorld, verdict, vps } from '../audit/testing/kept-world.ts'
import { headOf } from '../shell/testing/entries.ts'
import { createStore } from '../storage/index.ts'
import { entryKey } from '../storage/keys.ts'

let world: KeptWorld
beforeAll(async () => {
  world = await createKeptWorld()
})
afterAll(() => world.remove())

/** Each file of a folder and the hash of its content. */
async function contentsOf(path: string): Promise<readonly string[]> {
  const names = (await readdir(path)).sort()
  const hashes = names.map(async (name) =>
    createHash('sha256')
      .update(await readFile(join(path, name)))
      .digest('hex'),
  )
  return (await Promise.all(hashes)).map((hash, index) => `${names[index]} ${hash}`)
}

test('a whole store is told host by host, and stays as it is to the byte', async () => {
  const before = await contentsOf(join(world.home, 'whole', 'data', 'store'))
  expect(await world.verify('--dir', 'whole')).toEqual({
    code: 0,
    err: '',
    out: [
      'laptop  5 entries, life 1 entry 1 to life 1 entry 5, in 1 life, 3 records  whole\n',
      'vps-1   7 entries, life 1 entry 1 to life 3 entry 3, in 2 lives, 2 records  whole\n',
    ].join(''),
  })
  expect(await contentsOf(join(world.home, 'whole', 'data', 'store'))).toEqual(before)
})

test.each([['vps-1'], [vps.self], [vps.self.slice(-8)]])('one host, called %s', async (name) => {
  const { code, out } = await world.verify(name, '--dir', 'whole')
  expect({ code, lines: out.split('\n').length - 1 }).toEqual({ code: 0, lines: 1 })
  expect(out).toMatch(/^vps-1 .* whole$/mu)
})

test('what a host signed and is not here is said: nobody can tell whether it ever came', async () => {
  const goodbye = held(heartbeatBy(vps, headOf(entryOfVps(6))))
  const path = await world.meddled(
    [entryKey(vps.self, at(3, 3)), null],
    recordRow('verdicts', `goodbye/${vps.self}`, goodbye),
  )
  const { code, out } = await world.verify('--dir', path)
  expect(code).toBe(0)
  expect(out).toContain('  it signed that there is life 3 entry 3 too: that never came here, or was removed\n')
})

test('what is trimmed is no damage, and is said', async () => {
  const path = await world.meddled([entryKey(vps.self, at(1, 1)), null], [entryKey(vps.self, at(1, 2)), null])
  const { code, out } = await world.verify('--dir', path)
  expect(code).toBe(0)
  expect(out).toMatch(/^vps-1 +5 entries, life 1 entry 3 to life 3 entry 3, those before are trimmed, .* whole$/mu)
  expect(out).toContain('History is 48 h.')
})

test('a database that was set aside is named, for nothing of it was looked at', async () => {
  const path = await world.meddled()
  await mkdir(join(path, 'data', 'store.damaged-1'))
  const { code, out } = await world.verify('--dir', path)
  expect(code).toBe(0)
  expect(out).toContain('store.damaged-1 was damaged and set aside before: nothing of it was looked at.\n')
})

test('facts come as JSON: what is wrong, where, and what proves it', async () => {
  const otherSecond = entryBy(vps, at(1, 2), headOf(entryOfVps(0)).cid, { atUnixMs: 5 })
  const [cidOfOther, cidOfSecond] = [headOf(otherSecond).cid, headOf(entryOfVps(1)).cid]
  const path = await world.meddled(entryRow(vps.self, at(1, 2), storedEntry(otherSecond)))
  const { code, out } = await world.verify('--json', '--dir', path)
  expect(code).toBe(1)
  const finding = { kind: 'equivocation', place: at(1, 3), record: null, cids: [cidOfOther, cidOfSecond] }
  expect(JSON.parse(out)).toMatchObject({
    whole: false,
    strays: { wrong: 0, findings: [] },
    hosts: [
      { name: 'laptop', whole: true, wrong: 0, findings: [] },
      { name: 'vps-1', host: vps.self, whole: false, wrong: 1, findings: [finding], from: at(1, 1), to: at(3, 3) },
    ],
  })
})

test('what is wrong with one host does not make another wrong', async () => {
  const path = await world.meddled([entryKey(vps.self, at(1, 3)), null])
  expect((await world.verify('laptop', '--dir', path)).code).toBe(0)
  expect((await world.verify('vps-1', '--dir', path)).code).toBe(1)
})

test('names and keys that others wrote cannot reach the terminal', async () => {
  const evil = '\u001b[2J\u009b31m\u202eevil\n-- fake'
  const path = await world.meddled(
    recordRow('verdicts', evil, held(verdict)),
    recordRow('mesh-records', `${evil}/`, new Uint8Array([1])),
    recordRow('members', `newest/${vps.self}/${evil}`, encodeRecord(entryOfVps(1))),
    [new Uint8Array([0x65, ...Buffer.from(evil), 0, ...new Uint8Array(16)]), new Uint8Array([1])],
  )
  for (const more of [[], ['--json']]) {
    const { code, out } = await world.verify('--dir', path, ...more)
    expect(code).toBe(1)
    expect(out).toContain('evil')
    expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(out).not.toMatch(/^-- fake/mu)
  }
})

describe('mistakes are exit code 2, with what to do', () => {
  test.each<[args: readonly string[], said: RegExp]>([
    [['nobody', '--dir', 'whole'], /^muster: no host is called nobody here\n {2}there are laptop, vps-1\n$/u],
    [['--dir', 'no-such'], /^muster: there is no folder .*no-such\n {2}name another with --dir DIR or MUSTER_DIR\n$/u],
    [['--dir', 'empty'], /swarm\.key/u],
    [['--dir', 'fresh'], /^muster: there is no store in .*: no agent ever ran there\n/u],
  ])('verify %j', async (args, said) => {
    await mkdir(join(world.home, 'empty'), { recursive: true, mode: 0o700 })
    await mkdir(join(world.home, 'fresh'), { recursive: true, mode: 0o700 })
    const key = await readFile(join(world.home, 'whole', 'swarm.key'))
    await writeFile(join(world.home, 'fresh', 'swarm.key'), key, { mode: 0o600 })
    const { code, out, err } = await world.verify(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(said)
  })

  test('an agent that runs on the folder', async () => {
    const path = await world.meddled()
    const agent = await createStore(join(path, 'data'))
    const { code, err } = await world.verify('--dir', path)
    expect(code).toBe(2)
    expect(err).toMatch(/^muster: another muster runs on this folder \(pid \d+\): .*\n {2}stop it first/u)
    await agent.close()
  })
})
