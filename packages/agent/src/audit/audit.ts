/**
 * Whether all that a store holds is what its hosts signed: the logs as chains, and the records beside them.
 *
 * Nothing is believed but the mesh key. A log is walked from its oldest entry, a few at a time; what is kept meanwhile is
 * what the records claim of logs, which is bounded as they are.
 */
import { type HostId, limits, shortHostId } from '@muster/protocol'
import { createCertificateBook } from '../identity/certificate.ts'
import { type LogPosition, StorageError, type StoreScan } from '../storage/index.ts'
import { type Chain, type ChainReport, type Claim, createChain } from './chain.ts'
import { type CheckedEntry, checkEntry } from './entry-check.ts'
import { createFindingList, FINDINGS_MAX, type FindingList, type Findings, faultOf } from './finding.ts'
import { createRecordCheck, type RecordCheck } from './record-check.ts'
import { learnCertificates, walkRecords } from './record-walk.ts'

/** Entries whose signatures are checked at the same time, on other threads. */
const AT_ONCE = 64

/** What was found of one host: its log, and what else it signed. */
export interface HostReport extends ChainReport {
  readonly host: HostId
  /** As the mesh certified it; the end of its id where it did not. */
  readonly name: string
  /** Records beside the log that it signed. */
  readonly records: number
}

/** What was found in a store. */
export interface AuditReport {
  readonly hosts: readonly HostReport[]
  /** What cannot be read, so that nobody can be told to have signed it. */
  readonly strays: Findings
  /** Databases that were set aside as damaged: nothing of them was looked at. */
  readonly setAside: readonly string[]
}

/** What an audit is made of. */
export interface AuditOptions {
  readonly scan: StoreScan
  readonly meshPublicKey: Uint8Array
  /** Which hosts' logs are walked, asked with the id and the certified name. Records are all looked at. */
  readonly wants: (host: HostId, name: string) => boolean
  /** Told now and then of how much was looked at, and whose log it is. */
  readonly onProgress: (entries: number, name: string) => void
  readonly signal: AbortSignal
}

/** Looks through a store. Throws the signal's reason, and a `StorageError` that is no damage. */
export async function auditStore(options: AuditOptions): Promise<AuditReport> {
  const { scan, meshPublicKey, wants, signal } = options
  const book = createCertificateBook(meshPublicKey)
  const check = createRecordCheck(book)
  const strays = createFindingList()
  const nameOf = (host: HostId): string => book.get(host)?.body.name ?? shortHostId(host)

  for (const where of scan.damage) strays.add(faultOf('unreadable', DAMAGED_FILE), { record: where })

  const records = new Map<HostId, RecordsOfHost>()
  const recordsOf = (host: HostId): RecordsOfHost => {
    const known = records.get(host) ?? { count: 0, faults: createFindingList(), claims: [] }
    records.set(host, known)
    return known
  }
  await asFarAsItReads(strays, async () => {
    await learnCertificates(scan, check, signal)
    for await (const { signer, hosts, name, fault, claims } of walkRecords(scan, check, signal)) {
      for (const host of hosts) recordsOf(host)
      for (const { host, ...claim } of claims) recordsOf(host).claims.push(claim)
      if (signer !== null) recordsOf(signer).count += 1
      if (fault !== null) (signer === null ? strays : recordsOf(signer).faults).add(fault, { record: name })
    }
  })

  let ids: readonly HostId[] = []
  await asFarAsItReads(strays, async () => {
    const found = await scan.hosts(signal)
    ids = found.ids
    for (let stray = 0; stray < found.strayKeys; stray += 1) strays.add(faultOf('unreadable', STRAY_KEY), {})
  })
  const all = [...new Set([...ids, ...records.keys(), ...book.all().map(({ body }) => body.host)])]
  const hosts = all.filter((host) => wants(host, nameOf(host)))
  const historyFromUnixMs = (await newestStoredMs(scan, ids)) - limits.historyMs
  const reports: HostReport[] = []
  let before = 0
  for (const host of hosts) {
    const { count, faults, claims } = recordsOf(host)
    const chain = createChain(claims, historyFromUnixMs)
    const name = nameOf(host)
    if (book.get(host) === undefined) chain.add(faultOf('uncertified', NOT_CERTIFIED), {})
    await asFarAsItReads(chain, () =>
      walkLog(host, chain, check, options, (entries) => options.onProgress(before + entries, name)),
    )
    const report = chain.report()
    before += report.entries
    reports.push({ host, name, records: count, ...report, ...joined(report, faults.findings()) })
  }
  return {
    hosts: reports.sort((a, b) => (a.name < b.name ? -1 : 1)),
    strays: strays.findings(),
    setAside: scan.setAside,
  }
}

interface RecordsOfHost {
  count: number
  readonly faults: FindingList
  readonly claims: Claim[]
}

const DAMAGED_FILE = 'this block of the database is not what was written; what is missing may have been in it'
const STRAY_KEY = 'a row of the logs has a key that is none'
const NOT_CERTIFIED = 'no certificate of the mesh is kept for this host'

/** Walks one log, `AT_ONCE` entries at a time. */
async function walkLog(
  host: HostId,
  chain: Chain,
  check: RecordCheck,
  { scan, signal }: AuditOptions,
  onEntries: (entries: number) => void,
): Promise<void> {
  let entries = 0
  let waiting: Promise<CheckedEntry>[] = []
  async function settle(): Promise<void> {
    const checked = await Promise.all(waiting)
    entries += checked.length
    waiting = []
    for (const each of checked) chain.next(each)
    onEntries(entries)
  }
  try {
    for await (const row of scan.entries(host, signal)) {
      if ('bytes' in row) waiting.push(checkEntry(row, check, scan.entryAt))
      else if (row.place === null) chain.stray()
      else waiting.push(Promise.resolve(unreadable(row.place)))
      if (waiting.length >= AT_ONCE) await settle()
    }
  } finally {
    // What was read before the database could not be read on is told first.
    await settle()
  }
}

function unreadable(place: LogPosition): CheckedEntry {
  const fault = faultOf('unreadable', 'the bytes on disk are not those that were written')
  return { place, storedAtUnixMs: null, entry: null, cid: null, fault }
}

/** When the newest entry of all logs was stored: the history reaches back from there, for the store may be an old one. */
async function newestStoredMs(scan: StoreScan, hosts: readonly HostId[]): Promise<number> {
  let newestMs = Number.NEGATIVE_INFINITY
  for (const host of hosts) newestMs = Math.max(newestMs, (await scan.newest(host))?.storedAtUnixMs ?? newestMs)
  return newestMs
}

/** Does work until the database cannot be read on, which is told with the rest. */
async function asFarAsItReads(list: Pick<FindingList, 'add'>, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'corrupt') throw error
    list.add(faultOf('unreadable', 'a part of the database cannot be read at all'), {})
  }
}

function joined(a: Findings, b: Findings): Findings {
  return { first: [...a.first, ...b.first].slice(0, FINDINGS_MAX), count: a.count + b.count }
}
