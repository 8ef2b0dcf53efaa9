/**
 * Removes from the store what nobody will ask for again, a bounded piece at a time.
 *
 * Records of the mesh (verdicts, notice log, mesh records) are the core's own business: it drops what is over. Waku
 * messages are that of the message store. All else that is written again and again is bounded here.
 */
import {
  type AnySigned,
  decodeCanonical,
  type HostId,
  type Incident,
  recipientsOf,
  type SignedAs,
  type State,
} from '@muster/protocol'
import type { Clock } from '../clock.ts'
import { type Family, RECORD_BYTES_MAX, type RecordOperation, type Store } from '../storage/index.ts'
import { NODE_NEWS_PREFIX } from './node-news-road.ts'
import { CHECK_TIME_PREFIX, NEWEST_PREFIX } from './restoring.ts'
import { OUTBOX_MS, readRow } from './telling.ts'

const HOUR_MS = 60 * 60_000
const DAY_MS = 24 * HOUR_MS

/** How much is kept, and how much work one round is. Ages are milliseconds. */
export const trimLimits = {
  /** History: as long as the core's, a weekend offline. */
  entriesMs: 2 * DAY_MS,
  /** Entries removed in one round: ten minutes of a mesh of 1,000 hosts bring some 60,000. */
  entriesPerRound: 100_000,
  /** Incidents that have ended are shown for two weeks, and no more than these of them: some 3 MB. */
  incidentsMs: 14 * DAY_MS,
  incidents: 5_000,
  /** Notices that wait. A row is good for as long as Waku stores keep messages; a sealed notice takes some 2 kB. */
  outboxMs: OUTBOX_MS,
  outbox: 2_000,
  /** The last entry with a rare check, since its host was last heard, or the check last reported beyond its own period. */
  newestMs: 14 * DAY_MS,
  /** Rows of one family that are looked at in one round: more than are ever kept. The next goes on where it ended. */
  rowsPerRound: 20_000,
}

/** Rows removed in one write. */
const REMOVALS_PER_WRITE = 500

/** Trims one store. */
export interface Trimming {
  /** One bounded round; returns how many rows it removed. A round that still runs is not joined by another. */
  round(): Promise<number>
}

/**
 * What trimming works with: the core's state tells what is still wanted, and `read` parses and verifies an entry (null:
 * it cannot be used).
 */
export interface TrimmingDeps {
  readonly store: Store
  readonly clock: Pick<Clock, 'unixMs'>
  readonly state: () => State
  readonly read: (bytes: Uint8Array) => AnySigned | null
}

type Row = readonly [key: string, value: Uint8Array]

/** What one round goes by. */
interface Look extends TrimmingDeps {
  readonly limits: typeof trimLimits
  readonly nowUnixMs: number
}

/** Makes the trimming of one agent's store. `limits` are for tests. */
export function createTrimming(deps: TrimmingDeps, limits: typeof trimLimits = trimLimits): Trimming {
  const { store, clock } = deps
  /** Where the next look at a family begins, when the last one did not get to its end. */
  const nextKeys = new Map<Family, string>()
  let isRunning = false

  async function trimEntries(): Promise<number> {
    let total = 0
    while (total < limits.entriesPerRound) {
      const removed = await store.log.trim(clock.unixMs() - limits.entriesMs)
      if (removed === 0) break
      total += removed
    }
    return total
  }

  /** Looks at rows of a family and removes those that are named. */
  async function trimFamily(
    family: Family,
    prefix: string,
    choose: (rows: AsyncIterable<Row>) => Promise<readonly string[]>,
  ): Promise<number> {
    const place = nextKeys.get(family) ?? prefix
    let seen = 0
    let last = ''
    async function* rows(): AsyncIterable<Row> {
      const range = { gte: place, limit: limits.rowsPerRound, ...(prefix === '' ? {} : { lt: endOf(prefix) }) }
      for await (const row of store.family(family).iterate(range)) {
        seen += 1
        last = row[0]
        yield row
      }
    }
    const keys = await choose(rows())
    if (seen < limits.rowsPerRound) nextKeys.delete(family)
    else nextKeys.set(family, `${last}\0`)
    for (let first = 0; first < keys.length; first += REMOVALS_PER_WRITE) {
      const removals = keys
        .slice(first, first + REMOVALS_PER_WRITE)
        .map((key): RecordOperation => ({ family, type: 'del', key }))
      await store.batch(removals, { sync: false })
    }
    return keys.length
  }

  return {
    async round() {
      if (isRunning) return 0
      isRunning = true
      try {
        const look = { ...deps, limits, nowUnixMs: clock.unixMs() }
        return (
          (await trimEntries()) +
          (await trimFamily('incidents', '', (rows) => endedIncidents(rows, look))) +
          (await trimFamily('outbox', '', (rows) => doneNotices(rows, look))) +
          (await trimFamily('members', NEWEST_PREFIX, (rows) => goneNewest(rows, look))) +
          (await trimFamily('life', CHECK_TIME_PREFIX, (rows) => goneCheckTimes(rows, look)))
        )
      } finally {
        isRunning = false
      }
    },
  }
}

/** The first key after all that start with a prefix, which ends in a character with a next one. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}

/**
 * Incidents that ended long ago, and the oldest of those that are too many. One that fires for the core stays; one that
 * fires on disk alone ended while nobody wrote it down.
 */
async function endedIncidents(rows: AsyncIterable<Row>, look: Look): Promise<readonly string[]> {
  const { state, nowUnixMs, limits } = look
  const keys: string[] = []
  const ended: (readonly [atUnixMs: number, key: string])[] = []
  for await (const [key, value] of rows) {
    const known = state().incidents.get(key)
    if (known?.state === 'firing') continue
    const endedUnixMs = known?.resolvedUnixMs ?? endOfIncident(value)
    if (endedUnixMs === null || nowUnixMs - endedUnixMs > limits.incidentsMs) keys.push(key)
    else ended.push([endedUnixMs, key])
  }
  ended.sort(([a], [b]) => b - a)
  return [...keys, ...ended.slice(limits.incidents).map(([, key]) => key)]
}

/** When an incident ended, or began if nobody knows its end; null when it cannot be read. */
function endOfIncident(value: Uint8Array): number | null {
  try {
    const { resolvedUnixMs, sinceUnixMs } = decodeCanonical(value, RECORD_BYTES_MAX) as Partial<Incident>
    return resolvedUnixMs ?? sinceUnixMs ?? null
  } catch {
    return null
  }
}

/**
 * Notices that nobody may send again: a start asks for a row when the same duty is due once more, and takes none that is
 * older than Waku's stores reach. Of what was told of nodes, that to recipients who are gone.
 */
async function doneNotices(rows: AsyncIterable<Row>, look: Look): Promise<readonly string[]> {
  const { state, nowUnixMs, limits } = look
  const recipients = new Set(recipientsOf(state()).map(({ id }) => `${NODE_NEWS_PREFIX}${id}`))
  const keys: string[] = []
  const waiting: (readonly [atUnixMs: number, key: string])[] = []
  for await (const [key, value] of rows) {
    if (key.startsWith(NODE_NEWS_PREFIX)) {
      if (!recipients.has(key)) keys.push(key)
      continue
    }
    const row = readRow(value)
    if (row === null || nowUnixMs - row.timestampMs > limits.outboxMs) keys.push(key)
    else waiting.push([row.timestampMs, key])
  }
  waiting.sort(([a], [b]) => b - a)
  return [...keys, ...waiting.slice(limits.outbox).map(([, key]) => key)]
}

/**
 * Last entries with rare checks that should have reported again long ago. Their host is gone, or has retired them by an
 * entry that never came here.
 */
async function goneNewest(rows: AsyncIterable<Row>, look: Look): Promise<readonly string[]> {
  const { read, state, nowUnixMs, limits } = look
  const logs = new Map<HostId, Newest | null>()
  const keys: string[] = []
  for await (const [key, value] of rows) {
    const [host = '', check = ''] = splitNewestKey(key)
    // Its episode counts on from there, however long ago it was.
    if (host === state().options.self && state().checks.has(check) && read(value) !== null) continue
    if (!logs.has(host)) logs.set(host, await newestOf(look, host))
    const newest = logs.get(host) ?? null
    const record = read(value)
    if (record?.domain === 'entry') {
      const since = newest ?? { hostUnixMs: nowUnixMs, storedAgoMs: 0 }
      if (overdueMs(record, check, since) > limits.newestMs) keys.push(key)
    } else if (host === state().options.self || state().members.has(host)) {
      // Damaged. Of a host that is not known the certificate may still be on its way.
      keys.push(key)
    } else if (newest === null || newest.storedAgoMs > limits.newestMs) {
      keys.push(key)
    }
  }
  return keys
}

/** When a host wrote its newest entry, by its own clock, and how long ago that was stored here. */
interface Newest {
  readonly hostUnixMs: number
  readonly storedAgoMs: number
}

/** Two times of one host are compared, for its clock may be wrong altogether. Without its log, ours must do. */
async function newestOf({ store, read, nowUnixMs }: Look, host: HostId): Promise<Newest | null> {
  const head = await store.log.head(host)
  const record = head === undefined ? null : read(head.bytes)
  if (head === undefined || record?.domain !== 'entry') return null
  return { hostUnixMs: record.body.atUnixMs, storedAgoMs: nowUnixMs - head.storedAtUnixMs }
}

function splitNewestKey(key: string): readonly string[] {
  const rest = key.slice(NEWEST_PREFIX.length)
  const end = rest.indexOf('/')
  return [rest.slice(0, end), rest.slice(end + 1)]
}

/** How long ago the check should have reported again, milliseconds; negative while that is still to come. */
function overdueMs({ body }: SignedAs<'entry'>, check: string, { hostUnixMs, storedAgoMs }: Newest): number {
  const result = body.results.find((each) => each.check === check)
  if (result === undefined) return Number.POSITIVE_INFINITY
  return storedAgoMs + hostUnixMs - result.atUnixMs - result.everyMs - result.graceMs
}

/** Time spent of checks that this host no longer has. */
async function goneCheckTimes(rows: AsyncIterable<Row>, { state }: Look): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const [key] of rows) {
    if (!state().checks.has(key.slice(CHECK_TIME_PREFIX.length))) keys.push(key)
  }
  return keys
}
