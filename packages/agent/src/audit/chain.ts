/**
 * One host's log, entry after entry: is it one chain?
 *
 * Two entries that follow each other by number are linked by `previous`, the CID of the one before. A host signs each of
 * them, so one that names another before it is proof that two were signed. Between two lives that proves nothing by itself:
 * the first entry of a life has number 1, however many of the life before are not here.
 *
 * Missing entries are no fault where the history had ended: who was away for longer than it lasts goes on with what its
 * peers still hold, and what it kept from before waits to be trimmed.
 */
import { compareLives, type Life } from '@muster/protocol'
import type { LogPosition } from '../storage/index.ts'
import { type CheckedEntry, TWO_HISTORIES, twoHistories } from './entry-check.ts'
import { createFindingList, type Fault, type FindingList, type Findings, faultOf } from './finding.ts'

/** Another word of the host on an entry of its log: signed as well, so that it must be the same. */
export interface Claim {
  readonly place: LogPosition
  readonly cid: string
}

/** What a chain is, once it was walked. */
export interface ChainReport extends Findings {
  readonly entries: number
  readonly from: LogPosition | null
  readonly to: LogPosition | null
  /** Different lives (incarnation and epoch) in which the entries were written. */
  readonly lives: number
  /** The furthest entry that the host signed a word of beyond the last one here: it never came, or was removed. */
  readonly ahead: LogPosition | null
  /** Whether something was before the first entry that is kept; null when that cannot be told. */
  readonly trimmed: boolean | null
}

/** Walks a log from its oldest entry. */
export interface Chain {
  next(entry: CheckedEntry): void
  /** A row that is no entry, and nobody knows which it was. */
  stray(): void
  /** Something that is wrong with the host as a whole. */
  add: FindingList['add']
  report(): ChainReport
}

interface Step {
  readonly place: LogPosition
  readonly storedAtUnixMs: number | null
  /** What a genuine entry in its own place says; null after any other. */
  readonly said: { readonly life: Life; readonly cid: string } | null
}

/** Begins at the oldest entry. What was stored before `historyFromUnixMs` may have been followed by what is trimmed. */
export function createChain(claims: readonly Claim[], historyFromUnixMs: number): Chain {
  const list = createFindingList()
  const claimed = new Map<string, Set<string>>()
  for (const { place, cid } of claims) {
    const key = keyOf(place)
    const known = claimed.get(key) ?? new Set()
    const [first = cid] = known
    if (first !== cid && known.size === 1) list.add(twoHistories(first, cid), { place })
    claimed.set(key, known.add(cid))
  }
  let before: Step | null = null
  let from: LogPosition | null = null
  let entries = 0
  let lives = 0
  let life: Life | null = null
  let trimmed: boolean | null = null

  function checkClaims(place: LogPosition, cid: string): void {
    const [other = cid, another] = claimed.get(keyOf(place)) ?? []
    // Two claims that differ were told already.
    if (another === undefined && other !== cid) list.add(twoHistories(cid, other), { place })
  }

  return {
    next(checked) {
      const { place, fault, entry, cid, storedAtUnixMs } = checked
      entries += 1
      from ??= place
      if (fault !== null) list.add(fault, { place })
      const said = fault === null && entry !== null && cid !== null ? { life: entry.body.life, cid } : null
      const last: Step | null = before
      before = { place, storedAtUnixMs, said }
      const previous = entry?.body.previous ?? null
      const isOld = last !== null && last.storedAtUnixMs !== null && last.storedAtUnixMs < historyFromUnixMs
      const gap = last === null || isOld ? null : gapFault(last.place, place)
      if (gap !== null) list.add(gap, { place })
      if (said === null) return
      if (life === null || compareLives(life, said.life) !== 0) lives += 1
      life = said.life
      checkClaims(place, said.cid)
      if (last === null) {
        trimmed = previous !== null
        if (previous === null && place.seq !== 1) list.add(faultOf('broken-chain', NO_FIRST), { place })
        return
      }
      if (last.said === null) return
      const wrong = compareLives(said.life, last.said.life) < 0 ? faultOf('backwards', BACKWARDS) : null
      if (wrong !== null) list.add(wrong, { place })
      const link = gap === null && !(isOld && isGap(last.place, place)) ? linkFault(last, place, previous) : null
      if (link !== null && !(isOld && link.kind === 'broken-chain')) list.add(link, { place })
    },
    stray() {
      list.add(faultOf('unreadable', 'a row of its log has a key that is none'), {})
    },
    add: list.add,
    report() {
      const to = before?.place ?? null
      const ahead = claims.map(({ place }) => place).reduce(furthest, to)
      return { ...list.findings(), entries, from, to, lives, ahead: ahead === to ? null : ahead, trimmed }
    },
  }
}

const NO_FIRST = 'it says that nothing was before it, and is not number 1'
const BACKWARDS = 'it is of a life that had ended before'

function furthest(a: LogPosition | null, b: LogPosition): LogPosition {
  const isBeyond = a === null || b.incarnation > a.incarnation || (b.incarnation === a.incarnation && b.seq > a.seq)
  return isBeyond ? b : a
}

function keyOf({ incarnation, seq }: LogPosition): string {
  return `${incarnation}/${seq}`
}

/** The number that comes after a place, in the life of another. */
function nextSeq(last: LogPosition, place: LogPosition): number {
  return last.incarnation === place.incarnation ? last.seq + 1 : 1
}

function isGap(last: LogPosition, place: LogPosition): boolean {
  return place.seq !== nextSeq(last, place)
}

function gapFault(last: LogPosition, place: LogPosition): Fault | null {
  if (!isGap(last, place)) return null
  const first = nextSeq(last, place)
  const missing = place.seq - 1 === first ? `entry ${first}` : `entries ${first} to ${place.seq - 1}`
  return faultOf(
    'missing',
    `${missing} of life ${place.incarnation} before it: removed, or lost by a disk that took no writes`,
  )
}

/** What is wrong with how an entry names the one before it, of which none is missing by its number. */
function linkFault({ place: last, said }: Step, place: LogPosition, previous: string | null): Fault | null {
  if (said === null || previous === said.cid) return null
  if (previous === null) {
    const what = `it says that nothing was before it, and entry ${last.seq} of life ${last.incarnation} was${TWO_HISTORIES}`
    return faultOf('equivocation', what, said.cid)
  }
  if (last.incarnation === place.incarnation) {
    const what = `the entry before it that it names is not the one that is there, which bears its host's signature too${TWO_HISTORIES}`
    return faultOf('equivocation', what, said.cid, previous)
  }
  const what = `it names another entry before it than entry ${last.seq} of life ${last.incarnation}: later ones of that life are missing, or its host signed two histories`
  return faultOf('broken-chain', what, said.cid, previous)
}
