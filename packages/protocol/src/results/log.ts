/**
 * The log of a host: a chain of signed entries that everybody holds a start of, in order and without a gap.
 *
 * Only the next entry is accepted. When gossip brings a later one, what is missing is pulled.
 */
import { startCatchUp } from '../catch-up.ts'
import type { Road } from '../event.ts'
import type { CheckName, HostId } from '../ids.ts'
import { judgeResult, openCheckIncidentOf } from '../incidents/check-incidents.ts'
import { resolveIncident } from '../incidents/host-incidents.ts'
import { openIncidents } from '../incidents/open-incidents.ts'
import { limits } from '../limits.ts'
import { raiseIncarnation } from '../membership/epoch.ts'
import { hearEntry, learnLife } from '../membership/hearing.ts'
import type { State } from '../state.ts'
import { cidOf, encodeCanonical } from '../wire/canonical.ts'
import type { AnySigned, Entry, LogHead, Result, SignedAs } from '../wire/records.ts'
import { nowOf, ownRecord, put, type Work } from '../work.ts'
import { notePromise } from './asleep-checks.ts'
import { hasRun, regainEpisodes } from './own-checks.ts'

/** Writes the gathered results into this host's own log, when there are enough or it is time. */
export function writeEntryWhenDue(work: Work): void {
  const { state } = work
  if (nowOf(work) < state.writesFromMs) return
  const waiting = state.gathered.length > 0 && nowOf(work) - state.gatheredSinceMs >= limits.gatherMs
  const full = state.gathered.length >= limits.entryResults
  if (!waiting && !full && state.retired.length === 0) return
  const head = state.heads.get(state.options.self)
  const results = takeResults(state.gathered)
  const retired = state.retired.slice(0, limits.entryResults)
  const entry = ownRecord(state, 'entry', {
    life: state.life,
    seq: head !== undefined && head.incarnation === state.life.incarnation ? head.seq + 1 : 1,
    previous: head?.cid ?? null,
    atUnixMs: Math.round(state.clock.unixMs),
    results,
    retired,
  })
  state.gathered = state.gathered.slice(results.length)
  state.retired = state.retired.slice(retired.length)
  append(work, entry, true, 0)
  work.effects.push({ kind: 'gossip', record: entry })
}

/**
 * Whether a record that came from its author is history and no news: an entry in which all is well, and with which no
 * trouble of its host ends here. In a mesh that everybody floods (`limits.floodedHosts`) nobody need pass it on: who misses
 * it by a broken link catches up.
 */
export function isNoNews(
  { incidents }: Pick<State, 'incidents'>,
  from: HostId,
  { domain, signer, body }: AnySigned,
): boolean {
  if (domain !== 'entry' || signer !== from || body.retired.length > 0) return false
  if (!body.results.every(({ status, judgement }) => status === 'ok' && judgement === 'ok')) return false
  return !openIncidents({ incidents }).some(({ host }) => host === from)
}

/** As many of the results, in order, as one gossip frame takes. At least one: a single result always fits. */
function takeResults(gathered: readonly Result[]): readonly Result[] {
  let bytes = 0
  let count = 0
  for (const result of gathered.slice(0, limits.entryResults)) {
    bytes += encodeCanonical(result).byteLength
    if (count > 0 && bytes > limits.entryBytes) break
    count += 1
  }
  return gathered.slice(0, count)
}

/** Takes in an entry of another host's log, or one of our own that our disk had lost, made `ageMs` ago. */
export function receiveEntry(work: Work, entry: SignedAs<'entry'>, from: HostId, road: Road, ageMs: number): void {
  const { state } = work
  const head = state.heads.get(entry.signer)
  if (!isFurther(entry.body, head)) return
  if (entry.signer === state.options.self && !isRegained(work, entry, head, from)) return
  // What a peer streams in a catch-up is all that it holds: a gap in it is history that is trimmed everywhere.
  if (road === 'catch-up' || isNext(entry.body, head)) append(work, entry, false, ageMs)
  else startCatchUp(work, from)
  // A fresh one that a peer has kept for itself says as much as one that it passes on.
  if (road === 'gossip' || ageMs <= limits.catchUpEveryMs) hearEntry(work, entry)
}

/**
 * Whether an own entry that this start has not written joins the log. It does as long as this start has written nothing
 * after it; one of a life that the disk does not know makes the host go on above that life first.
 */
function isRegained(work: Work, { body }: SignedAs<'entry'>, head: LogHead | undefined, from: HostId): boolean {
  if (body.life.incarnation >= work.state.life.incarnation) raiseIncarnation(work, body.life, from)
  const { incarnation } = work.state.life
  return body.life.incarnation < incarnation && head?.incarnation !== incarnation
}

function isFurther({ life, seq }: Entry, head: LogHead | undefined): boolean {
  if (head === undefined) return true
  return life.incarnation > head.incarnation || (life.incarnation === head.incarnation && seq > head.seq)
}

/** Whether an entry follows the head without a gap: by its number, and by the hash of the one before. */
export function isNext({ life, seq, previous }: Entry, head: LogHead | undefined): boolean {
  if (previous !== (head?.cid ?? null)) return false
  return seq === (head !== undefined && head.incarnation === life.incarnation ? head.seq + 1 : 1)
}

/** Content ids by entry. A memo: it goes with the entry. */
const cids = new WeakMap<Entry, string>()

function cidOfEntry(entry: Entry): string {
  const cid = cids.get(entry) ?? cidOf(encodeCanonical(entry))
  cids.set(entry, cid)
  return cid
}

function append(work: Work, entry: SignedAs<'entry'>, sync: boolean, ageMs: number): void {
  const { body, signer } = entry
  const head = { incarnation: body.life.incarnation, seq: body.seq, cid: cidOfEntry(body) }
  put(work, 'heads', signer, head)
  work.effects.push({ kind: 'keep-entry', entry, head, ageMs, sync })
  learnLife(work, signer, body.life)
  const isRegained = signer === work.state.options.self && !sync
  // What this start has found out itself is newer than anything that it gets back.
  const isNews = (check: CheckName): boolean => !isRegained || !hasRun(work, check)
  const retired = body.retired.filter(isNews)
  const results = new Map(work.state.results.get(signer) ?? [])
  const taken: Result[] = []
  for (const result of body.results.filter(({ check }) => isNews(check))) {
    // What exceeds the bound stays in the host's log, and nobody judges it.
    if (!results.has(result.check) && results.size >= limits.resultsOfHost) continue
    results.set(result.check, result)
    taken.push(result)
  }
  for (const name of retired) results.delete(name)
  put(work, 'results', signer, results)
  if (isRegained) regainEpisodes(work, body.results)
  for (const result of taken) {
    judgeResult(work, signer, result)
    notePromise(work, entry, result, ageMs)
  }
  for (const name of retired) {
    const open = openCheckIncidentOf(work, signer, name)
    if (open !== null) resolveIncident(work, open)
  }
}
