/** What was told, and what hosts hold against each other, in words that a test compares. */
import type { Host } from '../e2e/host.ts'
import type { Receiver } from '../e2e/receiver.ts'

/** What a recipient was shown about hosts, in order: `fired laptop silent`. A notice of several hosts is several lines. */
export function shownOf(receiver: Receiver): readonly string[] {
  return receiver
    .notices()
    .flatMap(({ transition, incidents }) =>
      incidents.map(({ hostName, check, fault }) => `${transition} ${hostName}${check && `/${check}`} ${fault}`),
    )
}

/** The same about one host, without its name: `fired silent`. */
export function shownAbout(receiver: Receiver, hostName: string): readonly string[] {
  return receiver
    .notices()
    .flatMap(({ transition, incidents }) =>
      incidents
        .filter((incident) => incident.hostName === hostName && incident.check === '')
        .map(({ fault }) => `${transition} ${fault}`),
    )
}

/** The hosts besides itself of which a host holds an incident of its own, open or ended. */
export async function accusedBy(host: Host): Promise<readonly string[]> {
  const accused = (await host.incidents()).filter(
    ({ hostName, check, missed }) => check === '' && hostName !== host.name && !missed,
  )
  return [...new Set(accused.map(({ hostName }) => hostName))].sort()
}
