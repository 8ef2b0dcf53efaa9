/** What a mesh of real cores does, told step by step. Times are seconds since the fault. */
import { describe, expect, test } from 'vitest'
import { ranksFor } from './notifier/ranks.ts'
import type { CheckSpec } from './observation.ts'
import { createSmallMesh, type SmallMesh } from './testing/small-mesh.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const THREE = ['vps', 'laptop', 'server'] as const

const disk: CheckSpec = {
  name: 'disk',
  kind: 'disk',
  everyMs: 60 * SECOND,
  graceMs: 30 * SECOND,
  after: 1,
  recover: 1,
  forMs: 0,
  heartbeat: 'awake',
  tags: [],
}

/** The news so far, as `transition host` or `transition host/check`. */
function newsOf(mesh: SmallMesh): readonly string[] {
  return mesh.told.flatMap(({ notice }) =>
    notice.incidents.map(
      ({ hostName, check }) => `${notice.transition} ${check === '' ? hostName : `${hostName}/${check}`}`,
    ),
  )
}

/** Who is next to tell of a host, by the view of another. */
function rankedFor(mesh: SmallMesh, host: string, viewer: string): readonly string[] {
  return ranksFor(mesh.stateOf(viewer), { id: '', host, check: '', fault: 'silent' }).filter((peer) => peer !== host)
}

function claimsAt(mesh: SmallMesh, host: string): number {
  return [...mesh.stateOf(host).records.values()].filter(
    ({ record }) => record.domain === 'notice' && record.body.step === 'claim',
  ).length
}

function firingAt(mesh: SmallMesh, host: string): readonly string[] {
  return mesh
    .incidentsOf(host)
    .filter(({ state }) => state === 'firing')
    .map(({ fault, host: of }) => `${fault} ${of}`)
}

/** Takes the host's power away for a while and lets the others settle after its return. */
function outage(mesh: SmallMesh, host: string, forMs: number): void {
  mesh.crash(host)
  mesh.run(forMs)
  mesh.start(host)
  mesh.run(15 * SECOND)
}

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

describe('who tells', () => {
  test('the next in rank, when the first dies with its claim', () => {
    const mesh = createSmallMesh(['vps', 'laptop', 'server', 'nas'])
    const [first = '', second] = rankedFor(mesh, 'vps', 'laptop')
    for (const host of ['laptop', 'server', 'nas']) mesh.setWaku(host, 'works')
    mesh.setWaku(first, 'dies-with-claim')
    mesh.crash('vps')
    const atMs = mesh.nowMs()
    mesh.runUntil(() => mesh.told.length > 0, MINUTE)
    expect(mesh.told[0]).toMatchObject({ by: second })
    expect((mesh.told[0]?.atMs ?? 0) - atMs).toBeLessThanOrEqual(15_800 + 6_400)
    mesh.run(MINUTE)
    expect(newsOf(mesh).filter((news) => news === 'fired vps')).toHaveLength(1)
    expect(newsOf(mesh).filter((news) => news === `fired ${first}`)).toHaveLength(1)
  })

  test('the next in rank, at once, when the Waku of the first refuses', () => {
    const mesh = createSmallMesh(THREE)
    const [first = '', second] = rankedFor(mesh, 'vps', 'laptop')
    mesh.setWaku(first, 'refuses')
    mesh.crash('vps')
    const atMs = mesh.nowMs()
    mesh.run(MINUTE)
    expect(newsOf(mesh)).toEqual(['fired vps'])
    expect(mesh.told[0]).toMatchObject({ by: second })
    expect((mesh.told[0]?.atMs ?? 0) - atMs).toBeLessThanOrEqual(15_800 + 500)
  })

  test('first of all, whoever’s Waku worked a moment ago', () => {
    const mesh = createSmallMesh(THREE)
    const [first, second = ''] = rankedFor(mesh, 'vps', 'laptop')
    mesh.setWaku(second, 'works')
    mesh.run(15 * SECOND)
    expect(rankedFor(mesh, 'vps', 'laptop')).toEqual([second, first])
    mesh.crash('vps')
    mesh.run(30 * SECOND)
    expect(mesh.told).toMatchObject([{ by: second }])
  })

  test('whoever finds a road later, when Waku refuses everybody', () => {
    const mesh = createSmallMesh(THREE)
    for (const host of THREE) mesh.setWaku(host, 'refuses')
    mesh.crash('vps')
    mesh.run(2 * MINUTE)
    expect(mesh.told).toEqual([])
    mesh.setWaku('laptop', 'works')
    mesh.run(MINUTE)
    expect(newsOf(mesh)).toEqual(['fired vps'])
  })

  test('nobody again after a restart: the merged log says that it was told', () => {
    const mesh = createSmallMesh(THREE)
    mesh.crash('vps')
    mesh.run(30 * SECOND)
    for (const host of ['laptop', 'server']) mesh.crash(host)
    for (const host of ['laptop', 'server']) mesh.start(host)
    mesh.run(2 * MINUTE)
    expect(newsOf(mesh)).toEqual(['fired vps'])
  })
})

describe('reminders', () => {
  test('are told while nobody has answered, and the end is told all the same', () => {
    const mesh = createSmallMesh(THREE, { remindMs: MINUTE })
    mesh.crash('vps')
    mesh.run(2 * MINUTE + 30 * SECOND)
    expect(newsOf(mesh)).toEqual(['fired vps', 'reminder-1 vps', 'reminder-2 vps'])
    const [incident] = mesh.incidentsOf('laptop')
    mesh.publish('server', { kind: 'ack', incident: incident?.id ?? '', by: 'phone', atUnixMs: 0 })
    mesh.run(5 * MINUTE)
    expect(mesh.told).toHaveLength(3)
    mesh.start('vps')
    mesh.run(MINUTE)
    expect(newsOf(mesh).slice(3)).toEqual(['resolved vps'])
  })
})

describe('a host that comes and goes', () => {
  test('has one flapping incident from its third outage within ten minutes on, until it is steady', () => {
    const mesh = createSmallMesh(THREE)
    for (const _ of [1, 2, 3, 4]) outage(mesh, 'vps', 40 * SECOND)
    const flapping = mesh.incidentsOf('laptop').filter(({ fault }) => fault === 'flapping')
    expect(flapping).toMatchObject([{ state: 'firing', host: 'vps' }])
    expect(newsOf(mesh)).toEqual(['fired vps', 'resolved vps', 'fired vps', 'resolved vps', 'fired vps'])
    mesh.run(20 * MINUTE)
    expect(newsOf(mesh).slice(5)).toEqual(['resolved vps'])
    expect(firingAt(mesh, 'server')).toEqual([])
  })

  test('is told each time when its outages are far apart', () => {
    const mesh = createSmallMesh(THREE)
    for (const _ of [1, 2, 3]) {
      outage(mesh, 'vps', 40 * SECOND)
      mesh.run(6 * MINUTE)
    }
    expect(mesh.incidentsOf('laptop').map(({ fault }) => fault)).toEqual(['silent', 'silent', 'silent'])
    expect(newsOf(mesh)).toEqual(
      ['fired', 'resolved', 'fired', 'resolved', 'fired', 'resolved'].map((news) => `${news} vps`),
    )
  })
})

describe('a check', () => {
  const quiet = (mesh: SmallMesh, ms: number) => {
    for (let passed = 0; passed < ms; passed += MINUTE) {
      mesh.observe('vps', 'disk', 'ok')
      mesh.run(MINUTE)
    }
  }

  test('that turns critical and back is told twice, under one id everywhere', () => {
    const mesh = createSmallMesh(THREE)
    mesh.configure('vps', [disk])
    quiet(mesh, 2 * MINUTE)
    mesh.observe('vps', 'disk', 'critical')
    mesh.run(10 * SECOND)
    expect(newsOf(mesh)).toEqual(['fired vps/disk'])
    const ids = THREE.map((host) => mesh.incidentsOf(host).map(({ id }) => id))
    expect(ids).toEqual([ids[0], ids[0], ids[0]])
    quiet(mesh, MINUTE)
    expect(newsOf(mesh)).toEqual(['fired vps/disk', 'resolved vps/disk'])
  })

  test('that goes from warning to critical is told as worse, once', () => {
    const mesh = createSmallMesh(THREE)
    mesh.configure('vps', [disk])
    mesh.observe('vps', 'disk', 'warning')
    mesh.run(10 * SECOND)
    mesh.observe('vps', 'disk', 'critical')
    mesh.run(20 * SECOND)
    mesh.observe('vps', 'disk', 'critical')
    mesh.run(20 * SECOND)
    expect(newsOf(mesh)).toEqual(['fired vps/disk', 'worse vps/disk'])
  })

  test('that does not report in time is late, and well again with its next good run', () => {
    const mesh = createSmallMesh(THREE)
    mesh.configure('vps', [disk])
    mesh.observe('vps', 'disk', 'ok')
    mesh.run(89 * SECOND)
    expect(mesh.incidentsOf('laptop')).toEqual([])
    mesh.run(5 * SECOND)
    expect(mesh.stateOf('laptop').results.get('vps')?.get('disk')?.status).toBe('late')
    expect(newsOf(mesh)).toEqual(['fired vps/disk'])
    quiet(mesh, MINUTE)
    expect(newsOf(mesh)).toEqual(['fired vps/disk', 'resolved vps/disk'])
  })

  test('that is taken out of the configuration ends its incident and is forgotten by all', () => {
    const mesh = createSmallMesh(THREE)
    mesh.configure('vps', [disk])
    mesh.observe('vps', 'disk', 'critical')
    mesh.run(10 * SECOND)
    mesh.configure('vps', [])
    mesh.run(10 * SECOND)
    for (const host of THREE) {
      expect(mesh.incidentsOf(host)).toMatchObject([{ state: 'resolved' }])
      expect(mesh.stateOf(host).results.get('vps')?.size).toBe(0)
    }
    mesh.run(5 * MINUTE)
    expect(newsOf(mesh)).toEqual(['fired vps/disk', 'resolved vps/disk'])
  })

  test('of a host that is silent is folded into the host’s incident', () => {
    const mesh = createSmallMesh(THREE)
    mesh.configure('vps', [disk])
    mesh.observe('vps', 'disk', 'ok')
    mesh.run(15 * SECOND)
    mesh.crash('vps')
    mesh.run(5 * MINUTE)
    expect(newsOf(mesh)).toEqual(['fired vps'])
  })

  test('of a mesh of one is told by its own host', () => {
    const mesh = createSmallMesh(['vps'])
    mesh.configure('vps', [disk])
    mesh.observe('vps', 'disk', 'critical')
    mesh.run(10 * SECOND)
    expect(newsOf(mesh)).toEqual(['fired vps/disk'])
  })

  test('that is silenced is not told until the silence is over', () => {
    const mesh = createSmallMesh(THREE)
    mesh.publish('laptop', { kind: 'silence', matcher: 'vps/disk', forMs: MINUTE, atUnixMs: 0 })
    mesh.configure('vps', [disk, { ...disk, name: 'backup' }])
    mesh.observe('vps', 'disk', 'critical')
    mesh.observe('vps', 'backup', 'critical')
    mesh.run(50 * SECOND)
    expect(newsOf(mesh)).toEqual(['fired vps/backup'])
    mesh.run(20 * SECOND)
    expect(newsOf(mesh)).toEqual(['fired vps/backup', 'fired vps/disk'])
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
