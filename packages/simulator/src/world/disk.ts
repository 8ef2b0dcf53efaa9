/**
 * The disk of a virtual host.
 *
 * Writes happen in order. A synced write is on the plate when it returns, with all before it (one write-ahead log);
 * unsynced ones wait in memory until the next sync or flush, and a power cut keeps only a prefix of them.
 * A disk that is told to sync everything loses nothing.
 */
import type {
  AnySigned,
  Carried,
  Entry,
  HostId,
  Incident,
  IncidentId,
  Life,
  LogHead,
  Restored,
  SignedAs,
} from '@muster/protocol'
import type { Prng } from '../prng.ts'

interface Kept {
  readonly record: AnySigned
  readonly storedMs: number
}

interface LogLine {
  readonly entry: SignedAs<'entry'>
  readonly head: LogHead
  readonly storedMs: number
}

type Write =
  | { readonly kind: 'entry'; readonly line: LogLine }
  | { readonly kind: 'record'; readonly id: string; readonly kept: Kept | null }
  | { readonly kind: 'check-time'; readonly check: string; readonly spentMs: number }
  | { readonly kind: 'incident'; readonly incident: Incident }

interface Store {
  logs: Map<HostId, LogLine[]>
  records: Map<string, Kept>
  times: Map<string, number>
  incidents: Map<IncidentId, Incident>
}

/** What survives a restart. */
export interface Disk {
  /** The incarnation of the start that happens now, already raised and synced. */
  readonly raiseIncarnation: (forgets: boolean) => number
  readonly keepLife: (life: Life) => void
  readonly keepEntry: (entry: SignedAs<'entry'>, head: LogHead, sync: boolean, nowMs: number) => void
  readonly keepRecord: (id: string, record: AnySigned, nowMs: number) => void
  readonly dropRecord: (id: string) => void
  readonly keepCheckTime: (check: string, spentMs: number) => void
  readonly keepIncident: (incident: Incident) => void
  /** Time already spent of the period of each own check. */
  readonly checkTimes: () => Readonly<Record<string, number>>
  /** The operating system writes back what waited. */
  readonly flush: () => void
  /** Power is gone: a prefix of what waited survives. Returns how many writes were lost. */
  readonly losePower: (chance: Prng) => number
  readonly restore: (incarnation: number, nowMs: number) => Restored
  /** All entries of a host after a head, oldest first; all held when `after` is null. */
  readonly entriesAfter: (host: HostId, after: LogHead | null, nowMs: number) => Carried[]
  /** The log as the running process sees it. */
  readonly log: (host: HostId) => readonly LogHead[]
  readonly logHosts: () => readonly HostId[]
}

/** Makes an empty disk. `losesUnsynced`: mergeable records, foreign entries and check times wait for a flush. */
export function createDisk(losesUnsynced: boolean): Disk {
  let incarnation = 0
  const waiting: Write[] = []
  const durable = emptyStore()
  // What the process reads: the plate with everything that waits on top.
  const seen = emptyStore()

  const apply = (store: Store, write: Write): void => {
    if (write.kind === 'entry') {
      const log = store.logs.get(write.line.entry.signer)
      if (log === undefined) store.logs.set(write.line.entry.signer, [write.line])
      else log.push(write.line)
    } else if (write.kind === 'record') {
      if (write.kept === null) store.records.delete(write.id)
      else store.records.set(write.id, write.kept)
    } else if (write.kind === 'check-time') {
      store.times.set(write.check, write.spentMs)
    } else {
      // The newest goes last, as in a store that is read by time.
      store.incidents.delete(write.incident.id)
      store.incidents.set(write.incident.id, write.incident)
    }
  }
  const flush = (): void => {
    for (const write of waiting) apply(durable, write)
    waiting.length = 0
  }
  const put = (write: Write, sync: boolean): void => {
    apply(seen, write)
    waiting.push(write)
    if (sync || !losesUnsynced) flush()
  }
  const reread = (): void => {
    seen.logs = new Map([...durable.logs].map(([host, log]) => [host, [...log]]))
    seen.records = new Map(durable.records)
    seen.times = new Map(durable.times)
    seen.incidents = new Map(durable.incidents)
  }

  return {
    raiseIncarnation: (forgets) => {
      incarnation = forgets ? 1 : incarnation + 1
      return incarnation
    },
    keepLife: (life) => {
      incarnation = Math.max(incarnation, life.incarnation)
      flush()
    },
    keepEntry: (entry, head, sync, nowMs) => put({ kind: 'entry', line: { entry, head, storedMs: nowMs } }, sync),
    keepRecord: (id, record, nowMs) => put({ kind: 'record', id, kept: { record, storedMs: nowMs } }, false),
    dropRecord: (id) => put({ kind: 'record', id, kept: null }, false),
    keepCheckTime: (check, spentMs) => put({ kind: 'check-time', check, spentMs }, false),
    keepIncident: (incident) => put({ kind: 'incident', incident }, false),
    checkTimes: () => Object.fromEntries(seen.times),
    flush,
    losePower: (chance) => {
      const kept = waiting.length === 0 ? 0 : chance.int(0, waiting.length)
      const lost = waiting.length - kept
      for (const write of waiting.slice(0, kept)) apply(durable, write)
      waiting.length = 0
      if (lost > 0) reread()
      return lost
    },
    restore: (raised, nowMs) => ({
      incarnation: raised,
      heads: Object.fromEntries([...seen.logs].flatMap(([host, log]) => headOf(host, log))),
      entries: [...seen.logs.values()].flatMap(newestResults),
      carried: [...seen.records.values()].map(({ record, storedMs }) => ({ record, ageMs: nowMs - storedMs })),
      incidents: [...seen.incidents.values()],
    }),
    entriesAfter: (host, after, nowMs) =>
      (seen.logs.get(host) ?? [])
        .filter((line) => after === null || isLater(line.entry.body, after))
        .map((line) => ({ record: line.entry, ageMs: nowMs - line.storedMs })),
    log: (host) => (seen.logs.get(host) ?? []).map((line) => line.head),
    logHosts: () => [...seen.logs.keys()],
  }
}

function emptyStore(): Store {
  return { logs: new Map(), records: new Map(), times: new Map(), incidents: new Map() }
}

function headOf(host: HostId, log: readonly LogLine[]): [HostId, LogHead][] {
  const last = log.at(-1)
  return last === undefined ? [] : [[host, last.head]]
}

function isLater(entry: Entry, head: LogHead): boolean {
  const { incarnation } = entry.life
  return incarnation > head.incarnation || (incarnation === head.incarnation && entry.seq > head.seq)
}

/** The newest entries that together hold the newest result of each check, oldest first. */
function newestResults(log: readonly LogLine[]): SignedAs<'entry'>[] {
  const covered = new Set<string>()
  const needed: SignedAs<'entry'>[] = []
  for (const { entry } of log.toReversed()) {
    const fresh = entry.body.results.filter((result) => !covered.has(result.check))
    if (fresh.length > 0) needed.push(entry)
    for (const result of fresh) covered.add(result.check)
  }
  return needed.toReversed()
}
