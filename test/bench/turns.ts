/** Whose turn it is to tell of what, worked out beside the agents, so that a benchmark can harm the right one in time. */
import { checkIncidentId, rendezvousScore } from '../../packages/protocol/src/index.ts'

/** A host, by its name and its id in the mesh. */
export interface Named {
  readonly name: string
  readonly id: string
}

/** Who tells of a check's first trouble, first rank first, while the Waku of all of them works. */
export function ranksOfCheck(mesh: string, home: Named, check: string, hosts: readonly Named[]): readonly string[] {
  const incident = checkIncidentId(mesh, home.id, check, 1)
  const scored = hosts.map(({ name, id }) => ({ name, score: rendezvousScore('notifier', mesh, incident, id) }))
  return scored.sort((a, b) => (a.score > b.score ? -1 : 1)).map(({ name }) => name)
}

/** Who tells of any host's death, first rank first, while the Waku of all of them works; the dead are left out. */
export function ranksOfHosts(mesh: string, hosts: readonly Named[]): readonly string[] {
  const scored = hosts.map(({ name, id }) => ({ name, score: rendezvousScore('notifier', mesh, '', id) }))
  return scored.sort((a, b) => (a.score > b.score ? -1 : 1)).map(({ name }) => name)
}

/** Checks that have not failed yet. Each fails once: another time would be another incident, with another order. */
export interface Jobs {
  /** One of which this host is the first to tell. Throws when there is none left. */
  take(first: string): string
}

/** So many push checks of one host, with the order of all hosts for each. */
export function createJobs(mesh: string, home: Named, names: readonly string[], hosts: readonly Named[]): Jobs {
  const left = new Map(names.map((name) => [name, ranksOfCheck(mesh, home, name, hosts)[0]]))
  return {
    take(first) {
      for (const [name, notifier] of left) {
        if (notifier !== first) continue
        left.delete(name)
        return name
      }
      throw new Error(`no job is left that ${first} would tell of first`)
    },
  }
}
