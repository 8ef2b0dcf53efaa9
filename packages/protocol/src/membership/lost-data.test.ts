import { describe, expect, test } from 'vitest'
import type { CheckSpec } from '../observation.ts'
import { createSmallMesh, type SmallMesh } from '../testing/small-mesh.ts'

const DISK: CheckSpec = {
  name: 'disk',
  kind: 'disk',
  everyMs: 10_000,
  graceMs: 5_000,
  after: 1,
  recover: 1,
  forMs: 0,
  heartbeat: 'awake',
  tags: [],
}

/** Kills and starts a host some times, so that its peers know it by a high incarnation. */
function restart(mesh: SmallMesh, host: string, times: number): void {
  for (let time = 0; time < times; time += 1) {
    mesh.crash(host)
    mesh.run(2_000)
    mesh.start(host)
    mesh.run(20_000)
  }
}

const lifeSeenBy = (mesh: SmallMesh, by: string, of: string) => mesh.stateOf(by).members.get(of)?.heartbeat?.body.life

describe.each([
  { name: 'that was deleted', hasBackup: false },
  { name: 'that was restored from an old copy', hasBackup: true },
])('a host with data $name', ({ hasBackup }) => {
  test('is heard again within a period, by a life above all that its peers knew', () => {
    const mesh = createSmallMesh(['a', 'b', 'c'])
    const backup = hasBackup ? mesh.backUp('a') : null
    restart(mesh, 'a', 3)
    const before = lifeSeenBy(mesh, 'b', 'a')?.incarnation ?? 0
    expect(before).toBe(4)
    mesh.crash('a')
    mesh.replaceDisk('a', backup)
    mesh.run(1_000)
    mesh.start('a')
    mesh.run(12_000)
    expect(mesh.stateOf('a').life.incarnation).toBeGreaterThan(before)
    for (const peer of ['b', 'c']) expect(lifeSeenBy(mesh, peer, 'a')).toEqual(mesh.stateOf('a').life)
    mesh.run(60_000)
    expect(mesh.concluded).toEqual([])
    expect(mesh.backUp('a').incarnation).toBe(mesh.stateOf('a').life.incarnation)
  })

  test('that was told of as silent is back with one recovery', () => {
    const mesh = createSmallMesh(['a', 'b', 'c'])
    const backup = hasBackup ? mesh.backUp('a') : null
    restart(mesh, 'a', 3)
    mesh.crash('a')
    mesh.run(60_000)
    mesh.replaceDisk('a', backup)
    mesh.start('a')
    mesh.run(60_000)
    expect(mesh.told.map(({ notice }) => notice.transition)).toEqual(['fired', 'resolved'])
    expect(mesh.stateOf('b').members.get('a')?.state).toBe('alive')
  })

  test('gets its own log back before it writes on', () => {
    const mesh = createSmallMesh(['a', 'b', 'c'])
    const backup = hasBackup ? mesh.backUp('a') : null
    mesh.configure('a', [DISK])
    for (const judgement of ['ok', 'critical', 'ok', 'critical', 'ok'] as const) {
      mesh.observe('a', 'disk', judgement)
      mesh.run(15_000)
    }
    expect(mesh.told.map(({ notice }) => notice.transition)).toEqual(['fired', 'resolved', 'fired', 'resolved'])
    mesh.crash('a')
    mesh.replaceDisk('a', backup)
    mesh.run(1_000)
    mesh.start('a')
    mesh.configure('a', [DISK])
    // The first failure after the loss must not be taken for the first of all: it is a new incident, and told.
    mesh.observe('a', 'disk', 'critical')
    mesh.run(20_000)
    expect(mesh.told.slice(4).map(({ notice }) => notice.transition)).toEqual(['fired'])
    for (const peer of ['b', 'c']) {
      expect(mesh.stateOf(peer).heads.get('a')).toEqual(mesh.stateOf('a').heads.get('a'))
      const log = ({ entries }: ReturnType<SmallMesh['backUp']>) =>
        entries.flatMap(({ record: { signer, body } }) => (signer === 'a' ? [[body.life.incarnation, body.seq]] : []))
      expect(log(mesh.backUp('a'))).toEqual(log(mesh.backUp(peer)))
    }
  })
})

test('a host whose data was lost while its peers were away answers them when they come', () => {
  const mesh = createSmallMesh(['a', 'b', 'c'])
  restart(mesh, 'a', 3)
  mesh.crash('a')
  mesh.replaceDisk('a', null)
  mesh.unplug('a')
  mesh.start('a')
  mesh.run(120_000)
  mesh.plug('a')
  mesh.run(20_000)
  for (const peer of ['b', 'c']) expect(mesh.stateOf(peer).members.get('a')?.state).toBe('alive')
  expect(mesh.told.filter(({ notice }) => notice.transition === 'fired')).toHaveLength(1)
})

test('a log of many lives comes back in one go, and no life of it is used again', () => {
  const mesh = createSmallMesh(['a', 'b', 'c'])
  for (let time = 0; time < 6; time += 1) {
    mesh.configure('a', [DISK])
    mesh.observe('a', 'disk', time % 2 === 0 ? 'critical' : 'ok')
    mesh.run(5_000)
    restart(mesh, 'a', 1)
  }
  mesh.crash('a')
  mesh.replaceDisk('a', null)
  mesh.start('a')
  mesh.run(5_000)
  expect(mesh.stateOf('a').life).toEqual({ incarnation: 8, epoch: 0 })
  mesh.configure('a', [DISK])
  mesh.observe('a', 'disk', 'critical')
  mesh.run(5_000)
  expect(mesh.stateOf('a').heads.get('a')?.incarnation).toBe(8)
  expect(mesh.stateOf('b').heads.get('a')).toEqual(mesh.stateOf('a').heads.get('a'))
})

test('what fails while its data is lost and its peers are away is told when they come, once', () => {
  const slow: CheckSpec = { ...DISK, name: 'backup', everyMs: 3_600_000, graceMs: 600_000 }
  const mesh = createSmallMesh(['a', 'b', 'vps'])
  mesh.configure('vps', [slow])
  for (const judgement of ['ok', 'critical', 'ok'] as const) {
    mesh.observe('vps', 'backup', judgement)
    mesh.run(15_000)
  }
  expect(mesh.told).toHaveLength(2)
  mesh.crash('vps')
  mesh.replaceDisk('vps', null)
  mesh.unplug('vps')
  mesh.start('vps')
  mesh.configure('vps', [slow])
  mesh.observe('vps', 'backup', 'critical')
  mesh.run(6_000)
  mesh.plug('vps')
  mesh.run(30_000)
  expect(mesh.told.slice(2).map(({ notice }) => notice.transition)).toEqual(['fired'])
  for (const host of ['a', 'b', 'vps']) {
    expect(mesh.stateOf(host).results.get('vps')?.get('backup')).toMatchObject({ status: 'critical', episode: 2 })
  }
})

test('a trouble that goes on while its host loses its data is neither told as over nor told again', () => {
  const patient: CheckSpec = { ...DISK, after: 3 }
  const mesh = createSmallMesh(['a', 'b', 'vps'])
  mesh.configure('vps', [patient])
  for (let run = 0; run < 4; run += 1) {
    mesh.observe('vps', 'disk', 'critical')
    mesh.run(10_000)
  }
  mesh.crash('vps')
  mesh.replaceDisk('vps', null)
  mesh.unplug('vps')
  mesh.start('vps')
  mesh.configure('vps', [patient])
  mesh.observe('vps', 'disk', 'critical')
  mesh.run(500)
  mesh.plug('vps')
  for (let run = 0; run < 4; run += 1) {
    mesh.observe('vps', 'disk', 'critical')
    mesh.run(10_000)
  }
  expect(mesh.told.map(({ notice }) => notice.transition)).toEqual(['fired'])
})
