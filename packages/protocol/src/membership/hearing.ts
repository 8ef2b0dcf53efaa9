/**
 * Hearing a host: the only thing that keeps it alive.
 *
 * A heartbeat counts when it is newer than the newest known. Heard straight or relayed, it ends every suspicion; of a
 * higher life than a verdict named, and heard after the verdict, it brings the host back. Whoever doubted the host is
 * sent what we heard.
 */

import { isAhead, startCatchUp } from '../catch-up.ts'
import type { HostId } from '../ids.ts'
import { endHostIncident } from '../incidents/host-incidents.ts'
import { limits } from '../limits.ts'
import { recordAgeMs } from '../records.ts'
import type { Member } from '../state.ts'
import { compareLives } from '../wire/names.ts'
import type { Life, SignedAs } from '../wire/records.ts'
import { amendMember, nowOf, report, sendTo, setMember, type Work } from '../work.ts'
import { noteOwnBeat } from './epoch.ts'
import { beatSoon, setsText } from './heartbeats.ts'
import { isMineToWatch } from './observers.ts'
import { classOf, deadlineMs, isNewerBeat, roundMs } from './presence-class.ts'
import { isPresent } from './roster.ts'
import { startProbe } from './suspicion.ts'

/** How a heartbeat came: from the host itself, or from someone who heard it `ageMs` ago. */
export interface Hearing {
  readonly from: HostId
  readonly ageMs: number
  readonly direct: boolean
}

/** The member with this id, made when it is new. Null when it is this host itself or the mesh is full. */
export function memberOf(work: Work, host: HostId): Member | null {
  const { state } = work
  if (host === state.options.self) return null
  const known = state.members.get(host)
  if (known !== undefined) return known
  if (state.members.size >= limits.members) return null
  const member = newMember(host, nowOf(work), state.clock.unixMs)
  setMember(work, member)
  beatSoon(work)
  return member
}

/** A member of whom nothing is known yet: its watch begins now. */
export function newMember(host: HostId, nowMs: number, unixMs: number): Member {
  return {
    host,
    state: 'alive',
    profile: null,
    heartbeat: null,
    heardAtMs: nowMs,
    heardUnixMs: unixMs,
    direct: false,
    frameAtMs: nowMs,
    stateAtMs: nowMs,
    life: { incarnation: 0, epoch: 0 },
    suspicion: null,
    verdict: null,
    offered: NONE_OFFERED,
    doubters: NO_DOUBTERS,
  }
}

/** One for all: most members have none, and a large mesh has many members. */
const NO_DOUBTERS: Member['doubters'] = new Map()
const NONE_OFFERED: Member['offered'] = []

/** Takes a heartbeat in. */
export function hear(work: Work, heartbeat: SignedAs<'heartbeat'>, hearing: Hearing): void {
  const subject = heartbeat.signer
  noteOwnBeat(work, heartbeat, hearing.from)
  const member = memberOf(work, subject)
  if (member === null) return
  const { body } = heartbeat
  const { verdict } = member
  if (verdict !== null && compareLives(body.life, verdict.body.life) <= 0) {
    // That life has ended for us. Told so, the host raises its epoch and comes back with a new one.
    if (hearing.direct) sendTo(work, subject, verdict, recordAgeMs(work.state, verdict))
    return
  }
  if (!isNewerBeat(body, member.heartbeat?.body) || compareLives(body.life, member.life) < 0) {
    if (hearing.direct) showNewer(work, member, heartbeat)
    return
  }
  const heardAtMs = nowOf(work) - hearing.ageMs
  if (member.state === 'silent' || member.state === 'asleep') {
    const afresh = heardAtMs >= member.stateAtMs && hearing.ageMs <= body.everyMs + body.graceMs
    if (!afresh) {
      learnLife(work, subject, body.life)
      return
    }
  }
  accept(
    work,
    member,
    heartbeat,
    hearing,
    Math.max(heardAtMs, member.heartbeat === null ? heardAtMs : member.heardAtMs),
  )
}

/**
 * A host that lags behind its own newest heartbeat may have lost its data. Shown it, it begins a life above all we know;
 * when only two of its heartbeats have crossed, that tells it nothing new.
 */
function showNewer(work: Work, member: Member, { body }: SignedAs<'heartbeat'>): void {
  const newest = member.heartbeat
  if (newest === null) return
  const order = compareLives(body.life, newest.body.life)
  if (order > 0 || (order === 0 && body.beat >= newest.body.beat)) return
  sendTo(work, member.host, newest, Math.max(0, Math.round(nowOf(work) - member.heardAtMs)))
}

/**
 * A new entry of a life that no verdict has named: whoever does not watch the host, and so gets no heartbeats of it,
 * learns from it that the host is back. Whoever believes to watch it asks: the list of observers that it knows may be that
 * of the life that has ended, and then no heartbeat of the new one will come.
 */
export function hearEntry(work: Work, entry: SignedAs<'entry'>): void {
  const member = work.state.members.get(entry.signer)
  if (member === undefined || isPresent(member)) return
  const { life } = entry.body
  if (compareLives(life, member.verdict?.body.life ?? member.life) <= 0) return
  if (isMineToWatch(work.state, member)) {
    startProbe(work, member, roundMs(classOf(work.state, member)))
    return
  }
  amendMember(work, member.host, {
    state: 'alive',
    stateAtMs: nowOf(work),
    heardAtMs: nowOf(work),
    life,
    suspicion: null,
  })
  endHostIncident(work, member)
}

/**
 * A newer life, from evidence that is not fresh.
 *
 * It gives the host's open incident no new name: only a verdict on that life does. Otherwise a host that comes back with
 * this life would have its next death taken for one that was told already. And who has left stays known by the life that
 * it left in: only a heartbeat of a later one brings it back, and an entry may be there first.
 */
export function learnLife(work: Work, host: HostId, life: Life): void {
  const member = work.state.members.get(host)
  if (member === undefined || member.state === 'left' || compareLives(life, member.life) <= 0) return
  amendMember(work, host, { life })
}

function accept(
  work: Work,
  member: Member,
  heartbeat: SignedAs<'heartbeat'>,
  { from, ageMs, direct }: Hearing,
  heardAtMs: number,
): void {
  const { state } = work
  const { body } = heartbeat
  const now = nowOf(work)
  const wasMissing = member.state !== 'alive' && member.state !== 'suspect'
  if (member.state === 'left' && compareLives(body.life, member.life) <= 0) return
  // Written out, as this is done at every heartbeat: two spreads of unlike shapes take five times as long.
  const amended: Member = {
    ...member,
    state: 'alive',
    stateAtMs: member.state === 'alive' ? member.stateAtMs : now,
    heartbeat,
    heardAtMs,
    heardUnixMs: state.clock.unixMs - ageMs,
    direct,
    life: compareLives(body.life, member.life) > 0 ? body.life : member.life,
    suspicion: null,
    // Old news of it, as the evidence of one verdict more, refutes none of those that wait.
    offered: now - heardAtMs <= body.everyMs + body.graceMs ? NONE_OFFERED : member.offered,
  }
  setMember(work, amended)
  if (wasMissing) {
    report(work, 'info', 'host is back', { host: member.host })
    endHostIncident(work, amended)
    beatSoon(work)
    keepReturn(work, heartbeat, ageMs)
  }
  keepGoodbye(work, member.heartbeat, heartbeat, ageMs)
  tellDoubters(work, amended, heartbeat, ageMs)
  if (direct && from === member.host) compareDigests(work, amended, member.heartbeat)
}

/**
 * Keeps on disk by what a host came back. Should it fall silent before it has said more, a restart meanwhile must not make
 * its verdict one on a life that nobody can be shown: others that missed the return would go on with the former name.
 */
function keepReturn(work: Work, record: SignedAs<'heartbeat'>, ageMs: number): void {
  work.effects.push({ kind: 'keep-record', id: `return/${record.signer}`, record, ageMs })
}

/**
 * Keeps on disk that a host said it is stopping, until it is heard in another mood: who restarts meanwhile, as all do
 * in a rolling update, would miss it after one period instead of `presence.restart`.
 */
function keepGoodbye(
  work: Work,
  before: SignedAs<'heartbeat'> | null,
  heartbeat: SignedAs<'heartbeat'>,
  ageMs: number,
): void {
  const isStopping = heartbeat.body.mode === 'stopping'
  const wasStopping = before?.body.mode === 'stopping'
  const isSameLife = before !== null && compareLives(before.body.life, heartbeat.body.life) === 0
  if (isStopping && wasStopping && isSameLife) return
  // One place for each host, whichever of its last beats it was.
  const id = `goodbye/${heartbeat.signer}`
  if (isStopping) work.effects.push({ kind: 'keep-record', id, record: heartbeat, ageMs })
  else if (wasStopping) work.effects.push({ kind: 'drop-record', id })
}

/** Passes what was heard on to those who voted against the host lately. */
function tellDoubters(work: Work, member: Member, heartbeat: SignedAs<'heartbeat'>, ageMs: number): void {
  if (member.doubters.size === 0) return
  const { everyMs, graceMs } = classOf(work.state, member)
  const lasting = new Map([...member.doubters].filter(([, atMs]) => nowOf(work) - atMs <= everyMs + graceMs))
  if (lasting.size !== member.doubters.size) amendMember(work, member.host, { doubters: lasting })
  if (ageMs > deadlineMs(work.state, member)) return
  for (const doubter of lasting.keys()) sendTo(work, doubter, heartbeat, ageMs)
  // By gossip as well, while it is fresh: one lost message shall not make a death.
  if (ageMs === 0 && lasting.size > 0) work.effects.push({ kind: 'gossip', record: heartbeat })
}

/**
 * A heartbeat says what its host holds: where we hold less, or other things, we catch up with it. An entry that only its
 * newest heartbeat names is on its way: it is gossiped when it is on disk, and a heartbeat waits for no disk.
 */
function compareDigests(work: Work, { host, heartbeat }: Member, before: Member['heartbeat']): void {
  if (heartbeat === null) return
  const { head } = before?.body ?? heartbeat.body
  const lacks = head !== null && isAhead(head, work.state.heads.get(host))
  if (lacks || heartbeat.body.sets !== setsText(work.state.sets)) startCatchUp(work, host)
}
