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
  /** The entry that holds the newest result of each check, by host: it outlives the history. */
  newest: Map<HostId, Map<string, LogLine>>
  records: Map<string, Kept>
  times: Map<string, number>
  incidents: Map<IncidentId, Incident>
}

/** All that was on a disk at one moment. */
export interface Copy {
  readonly incarnation: number
  readonly store: Store
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
  /** A full disk takes nothing: the process goes on in memory, and what it wrote there is gone at its next start. */
  readonly fill: (isFull: boolean) => void
  readonly copy: () => Copy
  /** Puts a copy in the place of everything; null: an empty folder. For a host that is off. */
  readonly replace: (copy: Copy | null) => void
  /** Whether anything that was synced has been lost since the last call. */
  readonly hasLost: () => boolean
  /** Removes the entries stored before a moment, but never the newest of a host. */
  readonly trim: (beforeMs: number) => void
  /** All entries of a host after a head, oldest first; all held when `after` is null. */
  readonly entriesAfter: (host: HostId, after: LogHead | null, nowMs: number) => Carried[]
  /** The log as the running process sees it. */
  readonly log: (host: HostId) => readonly LogHead[]
  readonly logHosts: () => readonly HostId[]
}

/** Makes an empty disk. `losesUnsynced`: foreign entries, incidents and check times wait for a flush, as on an agent's. */
export function createDisk(losesUnsynced: boolean): Disk {
  let incarnation = 0
  let isFull = false
  let isInMemory = false
  let hasLost = false
  const waiting: Write[] = []
  const durable = emptyStore()
  // What the process reads: the plate with everything that waits on top.
  const seen = emptyStore()

  const apply = (store: Store, write: Write): void => {
    if (write.kind === 'entry') {
      addEntry(store, write.line)
    } else if (write.kind === 'record') {
      if (write.kept === null) store.records.delete(write.id)
      else store.records.set(write.id, write.kept)
    } else if (write.kind === 'check-time') {
      store.times.set(write.check, write.spentMs)
    } else {
      // The newest goes last, as in a store that is read by time, and takes the place of what it was called before.
      for (const name of [write.incident.id, ...write.incident.aliases]) store.incidents.delete(name)
      store.incidents.set(write.incident.id, write.incident)
    }
  }
  const flush = (): void => {
    for (const write of waiting) apply(durable, write)
    waiting.length = 0
  }
  const put = (write: Write, sync: boolean): void => {
    apply(seen, write)
    // Once in memory, always in memory: the process does not look whether there is room again.
    isInMemory ||= isFull
    if (isInMemory) return
    waiting.push(write)
    if (sync || !losesUnsynced) flush()
  }
  const reread = (): void => {
    Object.assign(seen, copyOf(durable))
  }

  return {
    raiseIncarnation: (forgets) => {
      const raised = forgets ? 1 : incarnation + 1
      if (!isFull) incarnation = raised
      return raised
    },
    keepLife: (life) => {
      if (isFull || isInMemory) return
      incarnation = Math.max(incarnation, life.incarnation)
      flush()
    },
    keepEntry: (entry, head, sync, nowMs) => put({ kind: 'entry', line: { entry, head, storedMs: nowMs } }, sync),
    keepRecord: (id, record, nowMs) => put({ kind: 'record', id, kept: { record, storedMs: nowMs } }, true),
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
    restore: (raised, nowMs) => {
      if (isInMemory) {
        reread()
        hasLost = true
        isInMemory = false
      }
      return {
        incarnation: raised,
        heads: Object.fromEntries([...seen.logs].flatMap(([host, log]) => headOf(host, log))),
        entries: [...seen.newest.values()]
          .flatMap(inOrder)
          .map(({ entry, storedMs }) => ({ record: entry, ageMs: nowMs - storedMs })),
        carried: [...seen.records.values()].map(({ record, storedMs }) => ({ record, ageMs: nowMs - storedMs })),
        incidents: [...seen.incidents.values()],
      }
    },
    fill: (nowFull) => {
      if (nowFull) flush()
      isFull = nowFull
    },
    copy: () => {
      flush()
      return { incarnation, store: copyOf(durable) }
    },
    replace: (copy) => {
      waiting.length = 0
      incarnation = copy?.incarnation ?? 0
      Object.assign(durable, copy === null ? emptyStore() : copyOf(copy.store))
      reread()
      hasLost = true
    },
    hasLost: () => {
      const had = hasLost
      hasLost = false
      return had
    },
    trim: (beforeMs) => {
      for (const { logs } of [durable, seen]) {
        for (const [host, log] of logs) {
          logs.set(
            host,
            log.filter((line, index) => line.storedMs >= beforeMs || index === log.length - 1),
          )
        }
      }
    },
    entriesAfter: (host, after, nowMs) =>
      (seen.logs.get(host) ?? [])
        .filter((line) => after === null || isLater(line.entry.body, after))
        .map((line) => ({ record: line.entry, ageMs: nowMs - line.storedMs })),
    log: (host) => (seen.logs.get(host) ?? []).map((line) => line.head),
    logHosts: () => [...seen.logs.keys()],
  }
}

function emptyStore(): Store {
  return { logs: new Map(), newest: new Map(), records: new Map(), times: new Map(), incidents: new Map() }
}

function copyOf(store: Store): Store {
  return {
    logs: new Map([...store.logs].map(([host, log]) => [host, [...log]])),
    newest: new Map([...store.newest].map(([host, results]) => [host, new Map(results)])),
    records: new Map(store.records),
    times: new Map(store.times),
    incidents: new Map(store.incidents),
  }
}

function addEntry(store: Store, line: LogLine): void {
  const { signer, body } = line.entry
  const log = store.logs.get(signer)
  if (log === undefined) store.logs.set(signer, [line])
  else log.push(line)
  const newest = store.newest.get(signer) ?? new Map<string, LogLine>()
  store.newest.set(signer, newest)
  for (const { check } of body.results) newest.set(check, line)
}

function headOf(host: HostId, log: readonly LogLine[]): [HostId, LogHead][] {
  const last = log.at(-1)
  return last === undefined ? [] : [[host, last.head]]
}

function isLater(entry: Entry, head: LogHead): boolean {
  const { incarnation } = entry.life
  return incarnation > head.incarnation || (incarnation === head.incarnation && entry.seq > head.seq)
}

/** The entries that together hold the newest result of each check, oldest first. */
function inOrder(newest: ReadonlyMap<string, LogLine>): LogLine[] {
  return [...new Set(newest.values())].toSorted(
    ({ entry: { body: a } }, { entry: { body: b } }) => a.life.incarnation - b.life.incarnation || a.seq - b.seq,
  )
}
