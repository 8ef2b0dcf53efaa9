/**
 * The names of the hosts that a member knows: what it tells any newcomer that catches up.
 *
 * Its records come before the logs, so the flow is left at the first entry: the history is for the agent to fetch.
 */
import { type Carried, decodeFrame, encodeDigest, type HostId } from '@muster/protocol'
import type { Origin } from '../shell/origin.ts'
import type { Swarm } from '../swarm/swarm.ts'

/** How long they may take. Milliseconds. */
const NAMES_MS = 3_000

/** Those of hosts that have not left; as many as came in time. Never throws for what the member does. */
export async function namesKnownTo(
  swarm: Pick<Swarm, 'catchUp'>,
  member: HostId,
  { mesh, seal }: Pick<Origin, 'mesh' | 'seal'>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const names = new Map<HostId, string>()
  const gone = new Set<HostId>()
  const limit = AbortSignal.any([signal, AbortSignal.timeout(NAMES_MS)])

  /** False for an entry of a log. */
  function take({ record }: Carried): boolean {
    if (record.domain !== 'record') return record.domain !== 'entry'
    try {
      seal.verify(record)
    } catch {
      return true
    }
    if (record.body.kind === 'member') names.set(record.signer, record.body.name)
    if (record.body.kind === 'leave') gone.add(record.signer)
    return true
  }

  try {
    const nothing = encodeDigest({ heads: {}, records: [] })
    for await (const frame of swarm.catchUp(member, nothing, limit)) {
      if (!decodeFrame(frame, { mesh, onRefused: () => undefined }).every(take)) break
    }
  } catch {
    // A hint, and no more: who does not give it may be an older release, or busy.
  }
  for (const host of gone) names.delete(host)
  return new Set(names.values())
}
