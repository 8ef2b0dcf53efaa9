/** Who tells whom of what: a mesh of real cores, told step by step. */
import { describe, expect, test } from 'vitest'
import { CLOSED_BY_LEAVE } from './incidents/incident.ts'
import { createSmallMesh, type SmallMesh } from './testing/small-mesh.ts'
import { disk, firingAt, MINUTE, newsOf, outage, rankedFor, SECOND, THREE } from './testing/small-mesh-views.ts'

/** A mesh of three in which a host said goodbye while its disk was bad, a minute ago. */
function createLeftMesh(): SmallMesh {
  const mesh = createSmallMesh(THREE)
  mesh.configure('vps', [disk])
  mesh.observe('vps', 'disk', 'critical')
  mesh.run(20 * SECOND)
  mesh.command('vps', { kind: 'leave' })
  mesh.run(SECOND)
  mesh.crash('vps')
  mesh.run(MINUTE)
  return mesh
}

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

  // Its own Waku works again, but it is passed over for its failures, up to `turns.failedMostMs`.
  test('whoever finds a road later, within a minute, when Waku refuses everybody', () => {
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

test('a host that once came back without a restart, and is off after a blackout of all, is told of', () => {
  const mesh = createSmallMesh(THREE)
  mesh.setWaku('vps', 'refuses')
  mesh.unplug('vps')
  mesh.run(MINUTE)
  mesh.plug('vps')
  mesh.run(30 * SECOND)
  for (const host of THREE) mesh.crash(host)
  mesh.run(5 * SECOND)
  for (const host of ['laptop', 'server']) mesh.start(host)
  mesh.run(2 * MINUTE)
  expect(newsOf(mesh)).toEqual(['fired vps', 'resolved vps', 'fired vps'])
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

  test('that was bad when its host said goodbye, and still is when it comes back, is told anew', () => {
    const mesh = createLeftMesh()
    expect(newsOf(mesh)).toEqual(['fired vps/disk', 'resolved vps/disk'])
    mesh.start('vps')
    mesh.configure('vps', [disk])
    mesh.run(20 * SECOND)
    mesh.observe('vps', 'disk', 'critical')
    mesh.run(20 * SECOND)
    expect(newsOf(mesh).slice(2)).toEqual(['fired vps/disk'])
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

describe('a silence', () => {
  /** A check that is told as bad, then silenced for a minute. */
  const silenced = (judgement: 'warning' | 'critical' = 'critical', quiet: Partial<{ maintenance: boolean }> = {}) => {
    const mesh = createSmallMesh(THREE)
    mesh.configure('vps', [disk])
    mesh.observe('vps', 'disk', judgement)
    mesh.run(10 * SECOND)
    expect(newsOf(mesh)).toEqual(['fired vps/disk'])
    if (quiet.maintenance === true) {
      mesh.publish('laptop', { kind: 'maintenance', host: 'vps', forMs: MINUTE, atUnixMs: 0 })
    } else mesh.publish('laptop', { kind: 'silence', matcher: 'vps/disk', forMs: MINUTE, atUnixMs: 0 })
    mesh.run(10 * SECOND)
    return mesh
  }

  test.each([false, true])(
    'keeps the end quiet until it is over, then it is told, once (maintenance: %s)',
    (maintenance) => {
      const mesh = silenced('critical', { maintenance })
      mesh.observe('vps', 'disk', 'ok')
      mesh.run(49 * SECOND)
      for (const host of THREE) expect(mesh.incidentsOf(host)).toMatchObject([{ state: 'resolved' }])
      expect(newsOf(mesh)).toEqual(['fired vps/disk'])
      mesh.run(2 * SECOND)
      expect(newsOf(mesh)).toEqual(['fired vps/disk', 'resolved vps/disk'])
      mesh.run(3 * MINUTE)
      expect(newsOf(mesh).filter((news) => news.startsWith('resolved'))).toHaveLength(1)
    },
  )

  test('keeps quiet what begins and ends within it, for good', () => {
    const mesh = createSmallMesh(THREE)
    mesh.configure('vps', [disk])
    mesh.publish('laptop', { kind: 'silence', matcher: 'vps', forMs: MINUTE, atUnixMs: 0 })
    mesh.observe('vps', 'disk', 'critical')
    mesh.run(20 * SECOND)
    mesh.observe('vps', 'disk', 'ok')
    mesh.run(90 * SECOND)
    expect(newsOf(mesh)).toEqual([])
    expect(mesh.stateOf('laptop').settled.size).toBe(1)
  })

  test('keeps quiet what gets worse, until it is over', () => {
    const mesh = silenced('warning')
    mesh.observe('vps', 'disk', 'critical')
    mesh.run(45 * SECOND)
    expect(newsOf(mesh)).toEqual(['fired vps/disk'])
    mesh.run(10 * SECOND)
    expect(newsOf(mesh)).toEqual(['fired vps/disk', 'worse vps/disk'])
  })

  test('that a trouble ended in and the next began in tells the end first', () => {
    // Each check has an order of who tells of its own: among many the first to tell of the end is rarely the same host.
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ ...disk, name }))
    const mesh = createSmallMesh(THREE)
    mesh.configure('vps', names)
    const all = (judgement: 'ok' | 'critical') => {
      for (const { name } of names) mesh.observe('vps', name, judgement)
      mesh.run(12 * SECOND)
    }
    all('critical')
    mesh.publish('laptop', { kind: 'silence', matcher: 'vps', forMs: MINUTE, atUnixMs: 0 })
    all('ok')
    all('critical')
    expect(newsOf(mesh)).toHaveLength(names.length)
    // As agents do now and then, so that all know whose turn it is.
    for (const host of THREE) mesh.setWaku(host, 'works')
    mesh.run(MINUTE)
    for (const { name } of names) {
      const news = newsOf(mesh).filter((each) => each.endsWith(`/${name}`))
      expect(news).toEqual([`fired vps/${name}`, `resolved vps/${name}`, `fired vps/${name}`])
    }
  })
})

test('what was open on a host that leaves is told as closed, not as well again', () => {
  const mesh = createLeftMesh()
  const ends = mesh.told.filter(({ notice }) => notice.transition === 'resolved')
  expect(ends.map(({ notice }) => notice.incidents[0])).toMatchObject([{ check: 'disk', because: CLOSED_BY_LEAVE }])
  for (const host of ['laptop', 'server']) expect(mesh.incidentsOf(host)).toMatchObject([{ because: CLOSED_BY_LEAVE }])
})
