/** When a host was back: its first log entry in a later life. */
import {
  compareLives,
  type HostId,
  type Life,
  type MeshId,
  parseRecord,
  type UnixMs,
  wireLimits,
} from '@muster/protocol'
import type { EntryLog, LogPosition } from '../storage/index.ts'

/**
 * The time of a host's first entry in a later life than this, by that host's clock; null when none is held. Throws a
 * `StorageError`.
 *
 * In an incarnation epochs rise with the sequence numbers, so that halving finds the place: a day has thousands of entries.
 */
export async function laterLifeUnixMs(
  log: Pick<EntryLog, 'read'>,
  mesh: MeshId,
  host: HostId,
  life: Life,
): Promise<UnixMs | null> {
  const { incarnation } = life

  async function entryFrom(from: LogPosition) {
    const [entry] = await log.read({ host, from, limit: 1 })
    if (entry === undefined) return null
    const record = parseRecord(entry.bytes, { mesh, bytesMax: wireLimits.recordBytes })
    return record.domain === 'entry' ? record.body : null
  }

  const [last] = await log.read({ host, to: { incarnation: incarnation + 1, seq: 0 }, reverse: true, limit: 1 })
  let low = 1
  let high = last?.incarnation === incarnation ? last.seq + 1 : 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const entry = await entryFrom({ incarnation, seq: middle })
    if (entry === null || compareLives(entry.life, life) > 0) high = middle
    else low = entry.seq + 1
  }
  const first = await entryFrom({ incarnation, seq: low })
  return first !== null && compareLives(first.life, life) > 0 ? first.atUnixMs : null
}
