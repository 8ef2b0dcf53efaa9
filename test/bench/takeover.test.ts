import { describe, expect, it } from 'vitest'
import { parsePosition } from './alertmanager.ts'
import { hasTimeFor } from './given.ts'
import { shares } from './notice-time.ts'
import { createJobs, type Named, ranksOfCheck } from './turns.ts'

const MESH = '0123456789abcdef0123456789abcdef'
const hosts: readonly Named[] = ['a', 'b', 'c', 'd'].map((name) => ({ name, id: `12D3KooW${name}` }))
const [home = { name: '', id: '' }] = hosts
const names = Array.from({ length: 60 }, (_, index) => `job-${index}`)

describe('turns', () => {
  it('are the same whoever works them out, and differ from check to check', () => {
    const orders = names.map((name) => ranksOfCheck(MESH, home, name, hosts))
    expect(names.map((name) => ranksOfCheck(MESH, home, name, hosts.toReversed()))).toEqual(orders)
    expect(new Set(orders.map(([first]) => first))).toEqual(new Set(['a', 'b', 'c', 'd']))
  })

  it('give each job once, to the host that is first', () => {
    const jobs = createJobs(MESH, home, names, hosts)
    const wanted = names.filter((name) => ranksOfCheck(MESH, home, name, hosts)[0] === 'b')
    expect(wanted.map(() => jobs.take('b'))).toEqual(wanted)
    expect(() => jobs.take('b')).toThrow('no job is left that b would tell of first')
  })
})

describe('runs', () => {
  it.each([
    [20, 4, [5, 5, 5, 5]],
    [20, 3, [7, 7, 6]],
    [2, 5, [1, 1]],
  ])('%i are dealt out to %i meshes as %j', (runs, meshes, dealt) => {
    expect(shares(runs, meshes)).toEqual(dealt)
  })

  it('go on while there is time, and end at once when they are interrupted', () => {
    const endsAtMs = performance.now() + 60_000
    const { signal } = new AbortController()
    expect(hasTimeFor(1_000, { endsAtMs, signal })).toBe(true)
    expect(hasTimeFor(61_000, { endsAtMs, signal })).toBe(false)
    expect(() => hasTimeFor(1_000, { endsAtMs, signal: AbortSignal.abort(new Error('interrupted')) })).toThrow(
      'interrupted',
    )
  })
})

describe('an Alertmanager', () => {
  it('says its position in its metrics', () => {
    expect(parsePosition('# TYPE alertmanager_peer_position gauge\nalertmanager_peer_position 2\nx 1\n')).toBe(2)
    expect(() => parsePosition('x 1\n')).toThrow('does not say its position')
  })
})
