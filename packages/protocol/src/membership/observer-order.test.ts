import { describe, expect, it } from 'vitest'
import { limits } from '../limits.ts'
import { rendezvousScore } from '../wire/names.ts'
import { firstObservers } from './observer-order.ts'

const HOSTS = Array.from({ length: 100 }, (_, index) => `host-${index}`)

function sorted(roster: readonly string[], mesh: string, subject: string): readonly string[] {
  const score = (host: string): string => rendezvousScore('observer', mesh, subject, host)
  const able = roster.filter((host) => host !== subject)
  return able.toSorted((a, b) => (score(a) > score(b) ? -1 : 1)).slice(0, limits.observers)
}

describe('the first observers in a large mesh', () => {
  it('are those of the whole order, whoever comes and goes', () => {
    let roster = HOSTS.slice(0, 80)
    for (const [round, subject] of HOSTS.slice(0, 60).entries()) {
      expect(firstObservers(roster, 'mesh', subject)).toEqual(sorted(roster, 'mesh', subject))
      // One goes, one of the newcomers or of those who went comes.
      const gone = roster[(round * 7) % roster.length]
      const next = HOSTS[(round * 11 + 3) % HOSTS.length]
      roster = roster.filter((host) => host !== gone && host !== next)
      if (next !== undefined) roster = [...roster, next]
    }
  })

  it('are looked for anew in another mesh, and again in the first', () => {
    for (const mesh of ['one', 'other', 'one']) {
      expect(firstObservers(HOSTS, mesh, 'host-1')).toEqual(sorted(HOSTS, mesh, 'host-1'))
    }
  })

  it('are nobody when more are missing than are kept', () => {
    const first = new Set(sorted(HOSTS, 'mesh', 'host-5'))
    firstObservers(HOSTS, 'mesh', 'host-5')
    const rest = HOSTS.filter((host) => !first.has(host))
    expect(firstObservers(rest, 'mesh', 'host-5')).toEqual(sorted(rest, 'mesh', 'host-5'))
    expect(firstObservers(HOSTS.slice(0, 6), 'mesh', 'host-5')).toBeNull()
  })
})
