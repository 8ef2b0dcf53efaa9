/** Who is missing, and why: a mesh of real cores, told step by step. */
import { describe, expect, test } from 'vitest'
import { createSmallMesh } from './testing/small-mesh.ts'
import { claimsAt, disk, firingAt, MINUTE, newsOf, outage, SECOND, THREE } from './testing/small-mesh-views.ts'

describe('three hosts, one loses power', () => {
  test('both others conclude within 15.8 s, under one id, and one of them tells', () => {
    const mesh = createSmallMesh(THREE)
    mesh.crash('vps')
    const atMs = mesh.nowMs()
    mesh.run(30 * SECOND)
    expect(mesh.concluded.map(({ by, subject }) => `${by} of ${subject}`).sort()).toEqual([
      'laptop of vps',
      'server of vps',
    ])
    for (const conclusion of mesh.concluded) {
      expect(conclusion.atMs - atMs).toBeGreaterThan(4 * SECOND)
      expect(conclusion.atMs - atMs).toBeLessThanOrEqual(15_800)
    }
    const [laptop, server] = [mesh.incidentsOf('laptop'), mesh.incidentsOf('server')]
    expect(laptop.map(({ id }) => id)).toEqual(server.map(({ id }) => id))
    expect(laptop).toMatchObject([
      { fault: 'silent', severity: 'critical', state: 'firing', voters: ['laptop', 'server'], observers: 2 },
    ])
    expect(newsOf(mesh)).toEqual(['fired vps'])
    expect([claimsAt(mesh, 'laptop'), claimsAt(mesh, 'server')]).toEqual([1, 1])
  })

  test('the notice says since when, who agrees and what else was on it', () => {
    const mesh = createSmallMesh(THREE)
    mesh.configure('vps', [disk, { ...disk, name: 'backup' }])
    mesh.observe('vps', 'disk', 'ok')
    mesh.observe('vps', 'backup', 'ok')
    mesh.run(15 * SECOND)
    const lastHeard = mesh.stateOf('laptop').members.get('vps')?.heardUnixMs ?? 0
    mesh.crash('vps')
    mesh.run(30 * SECOND)
    const [told] = mesh.told
    expect(told?.notice).toMatchObject({ transition: 'fired', massDeath: false, toldBy: told?.by })
    expect(told?.notice.incidents).toMatchObject([
      {
        hostName: 'vps',
        voters: ['laptop', 'server'],
        observers: 2,
        alsoOn: ['backup', 'disk'],
        sinceUnixMs: lastHeard,
      },
    ])
  })

  test('its return is told once and by then it has a higher life', () => {
    const mesh = createSmallMesh(THREE)
    mesh.crash('vps')
    mesh.run(30 * SECOND)
    mesh.start('vps')
    mesh.run(5 * MINUTE)
    expect(newsOf(mesh)).toEqual(['fired vps', 'resolved vps'])
    expect(mesh.told[1]?.notice.incidents[0]?.lastedMs).toBeGreaterThanOrEqual(30 * SECOND)
    expect(firingAt(mesh, 'laptop')).toEqual([])
    expect(mesh.stateOf('laptop').members.get('vps')?.life).toEqual({ incarnation: 2, epoch: 0 })
  })

  test('back before anybody concluded, it is no news', () => {
    const mesh = createSmallMesh(THREE)
    outage(mesh, 'vps', 3 * SECOND)
    mesh.run(MINUTE)
    expect(mesh.concluded).toEqual([])
    expect(mesh.incidentsOf('laptop')).toEqual([])
  })

  test('with the second one dead as well, the sole survivor accuses nobody and says that it is isolated', () => {
    const mesh = createSmallMesh(THREE)
    mesh.crash('vps')
    mesh.crash('server')
    mesh.run(MINUTE)
    expect(firingAt(mesh, 'laptop')).toEqual(['isolated laptop'])
    expect(newsOf(mesh)).toEqual(['fired laptop'])
  })
})

describe('two hosts, one loses power', () => {
  test('the other concludes alone within 29 s and says that it could not be sure', () => {
    const mesh = createSmallMesh(['vps', 'laptop'])
    mesh.crash('vps')
    const atMs = mesh.nowMs()
    mesh.run(29 * SECOND)
    expect(mesh.concluded).toMatchObject([{ by: 'laptop', subject: 'vps', how: 'alone' }])
    expect(mesh.incidentsOf('laptop')).toMatchObject([
      { fault: 'silent', severity: 'unknown', voters: ['laptop'], observers: 1 },
    ])
    expect(newsOf(mesh)).toEqual(['fired vps'])
    expect((mesh.told[0]?.atMs ?? 0) - atMs).toBeLessThanOrEqual(29 * SECOND)
  })
})

describe('five hosts, three lose power at once', () => {
  test('the two others tell all three in one notice, as a mass death', () => {
    const mesh = createSmallMesh(['a', 'b', 'c', 'd', 'e'])
    for (const host of ['a', 'b', 'c']) mesh.crash(host)
    const atMs = mesh.nowMs()
    mesh.run(MINUTE)
    expect([...newsOf(mesh)].sort()).toEqual(['fired a', 'fired b', 'fired c'])
    expect(mesh.told).toHaveLength(1)
    expect(mesh.told[0]?.notice.massDeath).toBe(true)
    expect((mesh.told[0]?.atMs ?? 0) - atMs).toBeLessThanOrEqual(24_800)
  })
})

describe('a link is cut', () => {
  test('twice without a restart: two incidents with ids of their own, two fired, two resolved', () => {
    const mesh = createSmallMesh(THREE)
    for (const _ of [1, 2]) {
      mesh.setWaku('vps', 'refuses')
      mesh.unplug('vps')
      mesh.run(40 * SECOND)
      mesh.plug('vps')
      mesh.run(MINUTE)
    }
    const ofVps = mesh.incidentsOf('laptop').filter(({ host }) => host === 'vps')
    expect(new Set(ofVps.map(({ id }) => id)).size).toBe(2)
    expect(ofVps.map(({ life }) => life?.incarnation)).toEqual([1, 1])
    expect(newsOf(mesh)).toEqual(['fired vps', 'resolved vps', 'fired vps', 'resolved vps'])
  })

  test('between two of three only: nobody is accused, for the third hears both', () => {
    const mesh = createSmallMesh(THREE)
    mesh.cut('vps', 'laptop')
    mesh.run(5 * MINUTE)
    expect(mesh.concluded).toEqual([])
    expect(mesh.told).toEqual([])
    expect(mesh.stateOf('laptop').members.get('vps')).toMatchObject({ direct: false })
    expect(mesh.stateOf('laptop').members.get('server')).toMatchObject({ direct: true })
  })

  test('around one host: it opens an incident about itself only, under the id that the others use', () => {
    const mesh = createSmallMesh(THREE)
    mesh.unplug('vps')
    mesh.run(MINUTE)
    expect(mesh.concluded.filter(({ by }) => by === 'vps')).toEqual([])
    expect(firingAt(mesh, 'vps')).toEqual(['isolated vps'])
    expect(mesh.incidentsOf('vps').map(({ id }) => id)).toEqual(mesh.incidentsOf('laptop').map(({ id }) => id))
    mesh.plug('vps')
    mesh.run(MINUTE)
    expect(firingAt(mesh, 'vps')).toEqual([])
    expect(firingAt(mesh, 'laptop')).toEqual([])
  })
})

describe('an absence that is excused', () => {
  test('a host that sleeps is recorded and not told', () => {
    const mesh = createSmallMesh(THREE, { presence: { laptop: { sleeps: true } } })
    mesh.freeze('laptop', 'suspended')
    mesh.run(90 * SECOND)
    expect(firingAt(mesh, 'vps')).toEqual(['asleep laptop'])
    mesh.thaw('laptop')
    mesh.run(MINUTE)
    expect(firingAt(mesh, 'vps')).toEqual([])
    expect(mesh.stateOf('vps').members.get('laptop')?.state).toBe('alive')
    expect(mesh.told).toEqual([])
  })

  test('a host that left is watched by nobody', () => {
    const mesh = createSmallMesh(THREE)
    mesh.command('vps', { kind: 'leave' })
    mesh.crash('vps')
    mesh.run(10 * MINUTE)
    expect(mesh.concluded).toEqual([])
    expect(mesh.told).toEqual([])
    expect(mesh.stateOf('laptop').members.get('vps')?.state).toBe('left')
  })

  test('a host that stopped and is back in time is no news', () => {
    const mesh = createSmallMesh(THREE)
    mesh.command('vps', { kind: 'stop' })
    outage(mesh, 'vps', 4 * MINUTE)
    mesh.run(MINUTE)
    expect(mesh.concluded).toEqual([])
    expect(mesh.told).toEqual([])
  })

  test('a host that stopped and is not back within its restart time is told of then', () => {
    const mesh = createSmallMesh(THREE, { presence: { vps: { restartMs: MINUTE } } })
    mesh.command('vps', { kind: 'stop' })
    mesh.crash('vps')
    const atMs = mesh.nowMs()
    mesh.run(2 * MINUTE)
    expect(firingAt(mesh, 'laptop')).toEqual(['stopped vps'])
    expect(newsOf(mesh)).toEqual(['fired vps'])
    expect((mesh.told[0]?.atMs ?? 0) - atMs).toBeGreaterThan(MINUTE)
    expect((mesh.told[0]?.atMs ?? 0) - atMs).toBeLessThanOrEqual(MINUTE + 6 * SECOND)
  })

  test('a host in maintenance is told of when the maintenance is over and it is still away', () => {
    const mesh = createSmallMesh(THREE)
    mesh.publish('laptop', { kind: 'maintenance', host: 'vps', forMs: MINUTE, atUnixMs: 0 })
    mesh.crash('vps')
    mesh.run(55 * SECOND)
    expect(firingAt(mesh, 'laptop')).toEqual(['silent vps'])
    expect(mesh.told).toEqual([])
    mesh.run(15 * SECOND)
    expect(newsOf(mesh)).toEqual(['fired vps'])
  })

  test('a host in maintenance that is back before its end is no news at all', () => {
    const mesh = createSmallMesh(THREE)
    mesh.publish('laptop', { kind: 'maintenance', host: 'vps', forMs: 10 * MINUTE, atUnixMs: 0 })
    outage(mesh, 'vps', MINUTE)
    mesh.run(MINUTE)
    expect(mesh.told).toEqual([])
  })
})

describe('a gap of our own', () => {
  test.each(['stopped', 'suspended'] as const)('%s for 90 s and resumed, a host accuses nobody', (how) => {
    const mesh = createSmallMesh(THREE)
    mesh.freeze('laptop', how)
    mesh.run(90 * SECOND)
    mesh.thaw('laptop')
    mesh.run(2 * MINUTE)
    expect(mesh.concluded.filter(({ by }) => by === 'laptop')).toEqual([])
    expect(mesh.concluded.every(({ subject }) => subject === 'laptop')).toBe(true)
    expect(newsOf(mesh)).toEqual(['fired laptop', 'resolved laptop'])
  })

  test('of everybody at once makes nobody accuse anybody', () => {
    const mesh = createSmallMesh(THREE)
    for (const host of THREE) mesh.freeze(host, 'suspended')
    mesh.run(5 * MINUTE)
    for (const host of THREE) mesh.thaw(host)
    mesh.run(2 * MINUTE)
    expect(mesh.concluded).toEqual([])
    expect(mesh.told).toEqual([])
  })

  test('a host that dies during it is still told of', () => {
    const mesh = createSmallMesh(THREE)
    mesh.freeze('laptop', 'suspended')
    mesh.run(5 * SECOND)
    mesh.thaw('laptop')
    mesh.crash('vps')
    mesh.run(MINUTE)
    expect(newsOf(mesh)).toEqual(['fired vps'])
  })
})

describe('history', () => {
  test('is the same on all after a host was away while another wrote', () => {
    const mesh = createSmallMesh(THREE)
    mesh.configure('vps', [disk])
    mesh.observe('vps', 'disk', 'ok')
    mesh.run(15 * SECOND)
    mesh.crash('laptop')
    for (const judgement of ['warning', 'critical', 'ok'] as const) {
      mesh.observe('vps', 'disk', judgement)
      mesh.run(15 * SECOND)
    }
    mesh.start('laptop')
    mesh.run(MINUTE)
    const heads = THREE.map((host) => mesh.stateOf(host).heads.get('vps'))
    expect(heads[0]?.seq).toBe(4)
    expect(heads).toEqual([heads[0], heads[0], heads[0]])
    expect(mesh.stateOf('laptop').sets).toEqual(mesh.stateOf('vps').sets)
  })
})

describe('step', () => {
  test('leaves the state that it was given as it was', () => {
    const mesh = createSmallMesh(THREE)
    const before = mesh.stateOf('laptop')
    const copy = structuredClone(before)
    mesh.crash('vps')
    mesh.run(MINUTE)
    expect(before).toEqual(copy)
  })
})
