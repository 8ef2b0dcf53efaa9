/** What a host's log says, as plain values. Pure. */
import { labelOf, type State, shortHostId } from '@muster/protocol'
import type { HistoryEntry } from '../agent-port.ts'
import type { HistoryEntryView } from './shapes.ts'

/** One entry; only the results of one check when that is given. Null when nothing of it is left. */
export function viewEntry(
  state: State | null,
  { host, cid, entry }: HistoryEntry,
  check?: string,
): HistoryEntryView | null {
  const { life, seq, atUnixMs, results, retired } = entry.body
  const wanted = results.filter((result) => check === undefined || result.check === check)
  const gone = retired.filter((name) => check === undefined || name === check)
  if (wanted.length === 0 && gone.length === 0) return null
  return {
    host,
    hostName: state === null ? shortHostId(host) : labelOf(state, host),
    cid,
    incarnation: life.incarnation,
    seq,
    atUnixMs,
    results: wanted.map((result) => ({
      check: result.check,
      kind: result.kind,
      status: result.status,
      text: result.text,
      because: result.because,
      values: result.values,
      durationMs: result.durationMs,
      atUnixMs: result.atUnixMs,
    })),
    retired: gone,
  }
}
