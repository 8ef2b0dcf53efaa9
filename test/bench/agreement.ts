/**
 * Whether hosts agree: each sees each alive, and all hold the same open incidents.
 *
 * A host holds none about itself but that it is isolated, and so is not asked about itself. Ended ones are not compared: who
 * was not there, or heard the host all the time, never had them.
 */
import type { HostView, IncidentView } from '../../packages/agent/src/api/shapes.ts'
import { until } from '../e2e/host.ts'
import type { BenchMesh } from './bench-mesh.ts'

/** Far above what is measured. Milliseconds. */
const AGREED_MS = 90_000
/** Often enough for the figure, seldom enough to cost the agents little. Milliseconds. */
const ASK_EVERY_MS = 250

/** What is compared of one host. */
export interface Opinion {
  readonly name: string
  readonly hosts: readonly Pick<HostView, 'name' | 'state'>[]
  readonly incidents: readonly Pick<IncidentView, 'id' | 'aliases' | 'hostName' | 'check' | 'state'>[]
}

/** Why these do not agree: one does not see another alive, or two hold different open incidents. Null when they do. */
export function whyNotAgreed(opinions: readonly Opinion[]): string | null {
  for (const one of opinions) {
    for (const other of opinions) {
      if (other.name === one.name) continue
      const state = one.hosts.find(({ name }) => name === other.name)?.state ?? 'unknown'
      if (state !== 'alive') return `${one.name} takes ${other.name} for ${state}`
      const held = openOf(other, one)
      const odd = openOf(one, other).find((incident) => !held.some((each) => isSame(incident, each)))
      if (odd === undefined) continue
      return `${one.name} holds ${odd.id.slice(0, 8)} on ${[odd.hostName, odd.check].join(' ').trimEnd()}, ${other.name} does not`
    }
  }
  return null
}

/** What is open for one, and neither about itself nor about whom it is compared with. */
function openOf({ name, incidents }: Opinion, { name: other }: Opinion): Opinion['incidents'] {
  return incidents.filter(
    ({ state, check, hostName }) => state === 'firing' && (check !== '' || (hostName !== name && hostName !== other)),
  )
}

/** One that was learnt under an older name has it as an alias: who saw only the end of it does not know that name. */
function isSame(one: Opinion['incidents'][number], other: Opinion['incidents'][number]): boolean {
  const names = [one.id, ...one.aliases]
  return (
    one.hostName === other.hostName &&
    one.check === other.check &&
    [other.id, ...other.aliases].some((name) => names.includes(name))
  )
}

/** Waits until all hosts of a mesh agree. */
export async function untilAgreed({ nodes }: BenchMesh): Promise<void> {
  await until(
    'all hosts to agree',
    AGREED_MS,
    async () => {
      const opinions = await Promise.all(
        nodes.map(async ({ name, host }) => {
          const [{ hosts }, incidents] = await Promise.all([host.status(), host.incidents()])
          return { name, hosts, incidents }
        }),
      )
      const why = whyNotAgreed(opinions)
      if (why !== null) throw new Error(why)
      return true
    },
    ASK_EVERY_MS,
  )
}
